//! Plans a batch of questions.

use florence_tasks::AnyTask;

use super::job::Job;

/// A question: the index of its job, its position in the job, and itself.
pub(super) type Planned = (usize, usize, AnyTask);

/// One question of each job, then further ones, round-robin, of jobs that do not stream, up to the
/// batch size. Only the first question of a job may be a cascade, which takes the time of many.
pub(super) fn plan(jobs: &mut [Job], batch: usize) -> Vec<Planned> {
    let mut asked = Vec::new();
    for (at, job) in jobs.iter_mut().enumerate() {
        asked.extend(job.next().map(|(index, question)| (at, index, question)));
    }
    while asked.len() < batch && jobs.iter().any(Job::takes_more) {
        for (at, job) in jobs.iter_mut().enumerate() {
            if asked.len() < batch && job.takes_more() {
                asked.extend(job.next().map(|(index, question)| (at, index, question)));
            }
        }
    }
    asked
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::{Duration, Instant};

    use florence_tasks::{CascadeName, Task};
    use tokio::sync::Semaphore;
    use tokio::sync::mpsc::unbounded_channel;

    use super::*;
    use crate::engine::{Options, Photo, RequestTimer};
    use crate::metrics::Metrics;

    fn job(questions: &[AnyTask], one_by_one: bool) -> Job {
        let now = Instant::now();
        let slot = Arc::new(Semaphore::new(1)).try_acquire_owned().unwrap();
        Job::new(
            slot,
            Photo::Cached {
                id: String::new(),
                upright: None,
            },
            questions.to_vec(),
            Options::default(),
            one_by_one,
            RequestTimer::new(
                now,
                now + Duration::from_secs(600),
                Arc::new(Metrics::new()),
            ),
            unbounded_channel().0,
        )
    }

    fn planned(jobs: &mut [Job], batch: usize) -> Vec<(usize, usize)> {
        let asked = plan(jobs, batch);
        asked.iter().map(|(at, index, _)| (*at, *index)).collect()
    }

    #[test]
    fn every_job_gets_a_question_and_the_rest_of_the_batch_is_shared() {
        let task = AnyTask::from(Task::Od);
        let many = vec![task.clone(); 9];
        let mut jobs = [job(&many, false), job(&many, true), job(&many[..2], false)];
        assert_eq!(
            planned(&mut jobs, 8),
            [
                (0, 0),
                (1, 0),
                (2, 0),
                (0, 1),
                (2, 1),
                (0, 2),
                (0, 3),
                (0, 4)
            ]
        );
        assert_eq!(planned(&mut jobs, 2), [(0, 5), (1, 1)]);
    }

    #[test]
    fn a_cascade_comes_alone_of_its_job() {
        let task = AnyTask::from(Task::Od);
        let cascade = AnyTask::from(CascadeName::DetectAndDescribe);
        let questions = [task, cascade.clone(), cascade];
        let mut jobs = [job(&questions, false)];
        for index in 0..3 {
            assert_eq!(planned(&mut jobs, 8), [(0, index)]);
        }
        assert_eq!(planned(&mut jobs, 8), []);
    }
}
