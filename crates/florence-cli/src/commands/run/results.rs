//! Where the lines of answers go: stdout, or the file of `--output`.

use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, BufWriter, ErrorKind, Write};
use std::path::Path;

use florence_tasks::BBox;
use serde_json::Value;

use super::asked::Asked;
use super::whole;
use crate::args::RunArgs;
use crate::failure::Failure;
use crate::image_name::ImageName;

/// The lines of answers.
pub(super) struct Results {
    to: To,
    /// What the file holds already.
    done: HashSet<String>,
}

enum To {
    Stdout {
        /// `None` after its reader closed it.
        lock: Option<io::StdoutLock<'static>>,
        /// Whether to go on then, because answers go to files too.
        may_close: bool,
    },
    File(File),
}

impl Results {
    /// # Errors
    ///
    /// A file that exists, unless `--resume` or `--overwrite` say what to do with it, and one that
    /// does not hold lines of answers.
    pub(super) fn open(args: &RunArgs) -> Result<Self, Failure> {
        let Some(path) = &args.output else {
            let has_files = !args.export.is_empty()
                || args.annotate.is_some()
                || args.overlay.is_some()
                || args.captions.captions.is_some();
            return Ok(Self {
                to: To::Stdout {
                    lock: Some(io::stdout().lock()),
                    may_close: has_files,
                },
                done: HashSet::new(),
            });
        };
        let about = |problem: String| format!("--output {}: {problem}", path.display());
        let failed = |error: io::Error| Failure::Other(about(error.to_string()));
        let mut done = HashSet::new();
        if path.is_file() && args.resume {
            done = keep_answers(path).map_err(failed)?;
        } else if path.is_file() && !args.overwrite {
            return Err(Failure::Usage(about(
                "this file exists: --resume goes on with it, --overwrite replaces it".to_owned(),
            )));
        }
        let mut options = OpenOptions::new();
        let options = options
            .create(true)
            .append(args.resume)
            .write(true)
            .truncate(!args.resume);
        let file = options.open(path).map_err(failed)?;
        Ok(Self {
            to: To::File(file),
            done,
        })
    }

    /// Whether the file has the answer already.
    pub(super) fn has(&self, image: &Path, asked: &Asked) -> bool {
        !self.done.is_empty() && self.done.contains(&key_of(image, asked))
    }

    /// Whether nobody reads the lines as they come.
    pub(super) fn is_file(&self) -> bool {
        matches!(self.to, To::File(_))
    }

    pub(super) fn line(&mut self, text: &str) -> Result<(), Failure> {
        match &mut self.to {
            To::File(file) => Ok(file.write_all(format!("{text}\n").as_bytes())?),
            To::Stdout { lock, may_close } => {
                let Some(to) = lock else { return Ok(()) };
                match writeln!(to, "{text}") {
                    Err(error) if *may_close && error.kind() == ErrorKind::BrokenPipe => {
                        *lock = None;
                        Ok(())
                    }
                    written => Ok(written?),
                }
            }
        }
    }
}

/// Removes the lines of failures and a last line without an end; returns the keys of the others.
fn keep_answers(path: &Path) -> io::Result<HashSet<String>> {
    let mut done = HashSet::new();
    whole::with(path, |kept| {
        let mut kept = BufWriter::new(kept);
        let mut lines = BufReader::new(File::open(path)?);
        let mut line = Vec::new();
        for number in 1.. {
            line.clear();
            if lines.read_until(b'\n', &mut line)? == 0 || line.last() != Some(&b'\n') {
                break;
            }
            let no_answer = |problem: String| {
                io::Error::other(format!(
                    "line {number} is not the line of an answer: {problem}"
                ))
            };
            let value: Value =
                serde_json::from_slice(&line).map_err(|error| no_answer(error.to_string()))?;
            match key_in(&value) {
                Some(key) => {
                    kept.write_all(&line)?;
                    done.insert(key);
                }
                None if value.get("error").is_some() => (),
                None => return Err(no_answer("it has no `image` or no `task`".to_owned())),
            }
        }
        kept.flush()
    })?;
    Ok(done)
}

/// What tells the lines of a file apart: image, task, text and region.
fn key_in(line: &Value) -> Option<String> {
    let text = |name: &str| line.get(name).and_then(Value::as_str);
    let region = line.get("region").and_then(Value::as_array);
    let region = region.map(|numbers| {
        numbers
            .iter()
            .filter_map(Value::as_f64)
            .map(|n| n as f32)
            .collect::<Vec<_>>()
    });
    let answer = line.get("answer").and(text("task"))?;
    Some(key(
        (text("image")?, text("image_bytes")),
        answer,
        text("input"),
        region.as_deref(),
    ))
}

fn key_of(image: &Path, asked: &Asked) -> String {
    let name = serde_json::to_value(ImageName(image)).unwrap_or_default();
    let text = |key: &str| name.get(key).and_then(Value::as_str);
    let region = asked.region.map(|BBox { x1, y1, x2, y2 }| [x1, y1, x2, y2]);
    let region = region.as_ref().map(<[f32; 4]>::as_slice);
    let image = (text("image").unwrap_or_default(), text("image_bytes"));
    key(
        image,
        &asked.task.to_string(),
        asked.text.as_deref(),
        region,
    )
}

fn key(
    image: (&str, Option<&str>),
    task: &str,
    text: Option<&str>,
    region: Option<&[f32]>,
) -> String {
    format!("{image:?} {task:?} {text:?} {region:?}")
}
