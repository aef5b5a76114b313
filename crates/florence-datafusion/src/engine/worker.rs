//! The thread of the engine.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use florence_tasks::{EncodedImage, Florence, PreparedImage};
use tokio::sync::mpsc;

use super::memory::Memory;
use super::question::{ImageKey, QuestionKey, Search};
use super::{Answered, AskError, Photo, Question};
use crate::counts;

pub(super) struct Worker {
    pub(super) florence: Florence,
    pub(super) memory: Arc<Memory>,
    /// Questions that are answered together.
    pub(super) batch: usize,
    pub(super) questions: mpsc::Receiver<Question>,
}

impl Worker {
    /// Answers questions until nobody is left to ask.
    pub(super) fn work(mut self) {
        while let Some(first) = self.questions.blocking_recv() {
            let mut batch = vec![first];
            while batch.len() < self.batch {
                match self.questions.try_recv() {
                    Ok(question) => batch.push(question),
                    Err(_) => break,
                }
            }
            // Of queries that have ended.
            batch.retain(|question| !question.reply.is_closed());
            let answers = catch_unwind(AssertUnwindSafe(|| self.answer(&batch)));
            let mut answers = answers.unwrap_or_default();
            for Question { key, reply, .. } in batch {
                let failed = || Err(AskError::Failed("the model failed".to_owned()));
                let answer = answers
                    .get_mut(&key)
                    .map_or_else(failed, |answer| answer.clone());
                // Fails only if the query has ended.
                let _ = reply.send(answer);
            }
        }
    }

    /// Answers each distinct question of a batch once.
    fn answer(&self, batch: &[Question]) -> HashMap<QuestionKey, Answered> {
        let mut answers = HashMap::new();
        let mut open = Vec::new();
        for question in batch {
            // It may have been answered while it waited.
            match self.memory.answer(&question.key) {
                Some(answer) => {
                    answers.insert(question.key.clone(), Ok(answer));
                }
                None => open.push(question),
            }
        }
        let images = self.encode(&open);
        let mut by_search: HashMap<Search, HashMap<&QuestionKey, &Question>> = HashMap::new();
        for question in open {
            match images.get(&question.key.image) {
                Some(Ok(_)) => {
                    let same = by_search.entry(question.key.search).or_default();
                    same.insert(&question.key, question);
                }
                Some(Err(error)) => {
                    answers.insert(question.key.clone(), Err(error.clone()));
                }
                None => (),
            }
        }
        for (search, questions) in by_search {
            let options = search.options(self.florence.generation());
            let questions = questions.into_iter().filter_map(|(key, question)| {
                let image = images.get(&key.image)?.as_ref().ok()?;
                Some((key, (&question.request.task, image)))
            });
            let (keys, asked): (Vec<_>, Vec<_>) = questions.unzip();
            counts::QUESTIONS.fetch_add(asked.len() as u64, Ordering::Relaxed);
            let outputs = self.florence.run_any_batch(asked, &options);
            for (key, output) in keys.into_iter().zip(outputs) {
                let answer = output.map(Arc::new).map_err(AskError::from);
                if let Ok(answer) = &answer {
                    self.memory.keep_answer(key.clone(), answer.clone());
                }
                answers.insert(key.clone(), answer);
            }
        }
        answers
    }

    /// Runs the vision tower on each image of a batch that is not encoded yet, once.
    fn encode(&self, batch: &[&Question]) -> HashMap<ImageKey, Result<EncodedImage, AskError>> {
        let mut images = HashMap::new();
        let mut prepared: HashMap<ImageKey, &PreparedImage> = HashMap::new();
        for Question { key, photo, .. } in batch {
            match photo {
                Photo::Encoded(image) => {
                    images.insert(key.image, Ok(image.clone()));
                }
                // It may have been encoded while it waited.
                Photo::Prepared(image) => match self.memory.image(&key.image) {
                    Some(image) => {
                        images.insert(key.image, Ok(image));
                    }
                    None => {
                        prepared.insert(key.image, image);
                    }
                },
            }
        }
        prepared.retain(|key, _| !images.contains_key(key));
        let (keys, prepared): (Vec<_>, Vec<_>) = prepared.into_iter().unzip();
        counts::IMAGES.fetch_add(prepared.len() as u64, Ordering::Relaxed);
        let encoded = self.florence.encode_batch(&prepared);
        for (key, image) in keys.into_iter().zip(encoded) {
            if let Ok(image) = &image {
                self.memory.keep_image(key, image.clone());
            }
            images.insert(key, image.map_err(AskError::from));
        }
        images
    }
}
