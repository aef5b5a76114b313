//! `--classes`, `--min-confidence` and `--nms`: which objects of the answers stay, wherever these go.

use std::collections::HashSet;

use florence_tasks::AnyOutput;

use super::asked::{Asked, no_location};
use super::classes;
use crate::args::RunArgs;
use crate::failure::Failure;
use crate::stderr::tell;

/// The filters of a run, and how many objects they have left out.
pub(super) struct Filter<'a> {
    args: &'a RunArgs,
    /// The list of `--classes`, in its order and for looking up.
    classes: Option<(Vec<String>, HashSet<String>)>,
    left_out: LeftOut,
}

#[derive(Debug, Default)]
struct LeftOut {
    classes: usize,
    min_confidence: usize,
    nms: usize,
}

impl<'a> Filter<'a> {
    /// # Errors
    ///
    /// Questions whose answers have no objects; a list of classes that cannot be read.
    pub(super) fn open(args: &'a RunArgs, asked: &[Asked]) -> Result<Self, Failure> {
        let given = &args.filters;
        let flag = [
            (given.min_confidence.is_some(), "--min-confidence"),
            (given.nms.is_some(), "--nms"),
            (given.classes.is_some(), "--classes"),
        ];
        let problems: Option<Vec<String>> =
            asked.iter().map(|asked| no_location(&asked.task)).collect();
        if let (Some((_, flag)), Some(problems)) = (flag.iter().find(|(given, _)| *given), problems)
        {
            let problems = problems.join(", ");
            return Err(Failure::Usage(format!("{flag}: {problems}")));
        }
        let classes = given.classes.as_deref().map(classes::read).transpose()?;
        let classes = classes.map(|names| (names.clone(), names.into_iter().collect()));
        Ok(Self {
            args,
            classes,
            left_out: LeftOut::default(),
        })
    }

    /// The names of `--classes`, in order.
    pub(super) fn classes(&self) -> Option<&[String]> {
        self.classes.as_ref().map(|(names, _)| names.as_slice())
    }

    /// Removes what does not stay, first by its label, then by its confidence, then by its overlap with
    /// what is left.
    pub(super) fn apply(&mut self, output: &mut AnyOutput) {
        if let Some((_, names)) = &self.classes {
            let unnamed = self.args.question.unnamed();
            output.retain(|found| {
                let label = match found.label.as_str() {
                    "" => unnamed,
                    label => label,
                };
                let stays = names.contains(label);
                self.left_out.classes += usize::from(!stays);
                stays
            });
        }
        if let Some(least) = self.args.filters.min_confidence {
            output.retain(|found| {
                let stays = found.score.is_none_or(|score| score >= least);
                self.left_out.min_confidence += usize::from(!stays);
                stays
            });
        }
        if let Some(threshold) = self.args.filters.nms {
            let before = count(output);
            output.nms(threshold);
            self.left_out.nms += before - count(output);
        }
    }

    /// Says how much was left out; with `--quiet` only that of labels, which exports have always said.
    pub(super) fn report(&self) {
        let LeftOut {
            classes,
            min_confidence,
            nms,
        } = self.left_out;
        let given = &self.args.filters;
        if let Some(path) = given.classes.as_deref().filter(|_| classes > 0) {
            let path = path.display();
            tell(format_args!(
                "--classes {path}: {classes} annotations left out, whose labels are not in it"
            ));
        }
        if self.args.quiet {
            return;
        }
        if let Some(least) = given.min_confidence.filter(|_| min_confidence > 0) {
            tell(format_args!(
                "--min-confidence {least}: {min_confidence} annotations left out"
            ));
        }
        if let Some(threshold) = given.nms.filter(|_| nms > 0) {
            tell(format_args!(
                "--nms {threshold}: {nms} annotations left out"
            ));
        }
    }
}

/// The number of objects in an answer.
fn count(output: &mut AnyOutput) -> usize {
    let mut count = 0;
    output.retain(|_| {
        count += 1;
        true
    });
    count
}
