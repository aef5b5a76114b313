//! The files that make a checkpoint, or a part of one.

use std::path::Path;

use crate::checkpoint::{INDEX, PICKLE, PICKLE_INDEX, SINGLE, shard_names};

/// What of a repository is downloaded.
///
/// # Example
///
/// ```no_run
/// use florence_core::hub::{self, HubOptions, Part};
/// use florence_core::{Checkpoint, CheckpointOptions};
///
/// // A fine-tune that was published without a tokenizer, and that of its base.
/// let options = HubOptions::from_env();
/// let network = hub::download_part("someone/fine-tune", Part::Network, &options)?;
/// let processor = hub::download_part("microsoft/Florence-2-base-ft", Part::Processor, &options)?;
/// let options = CheckpointOptions::new().processor(processor);
/// let checkpoint = Checkpoint::from_dir_with(network, &options)?;
/// # Ok::<(), florence_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Part {
    /// Everything that [`Checkpoint::from_dir`](crate::Checkpoint::from_dir) needs.
    Checkpoint,
    /// That without a tokenizer.
    Network,
    /// Tokenizer and image preparation.
    Processor,
    /// A LoRA adapter.
    Adapter,
}

impl Part {
    /// What is downloaded, in this order: with the last of it, everything is there.
    pub(super) fn needs(self) -> &'static [Need] {
        match self {
            Self::Checkpoint => &[CONFIG, SETTINGS, TOKENIZER, WEIGHTS],
            Self::Network => &[CONFIG, SETTINGS, WEIGHTS],
            Self::Processor => &[SETTINGS, TOKENIZER],
            Self::Adapter => &[ADAPTER_CONFIG, ADAPTER_WEIGHTS],
        }
    }

    /// All files that may belong to it.
    pub(super) fn files(self) -> impl Iterator<Item = &'static str> {
        self.needs().iter().flat_map(|need| match need {
            Need::OneOf(sets) => sets.concat(),
            Need::Any(files) => files.to_vec(),
        })
    }
}

const CONFIG: Need = Need::OneOf(&[&["config.json"]]);
const SETTINGS: Need = Need::Any(&[
    "preprocessor_config.json",
    "processor_config.json",
    "generation_config.json",
    "added_tokens.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
]);
const TOKENIZER: Need = Need::OneOf(&[&["tokenizer.json"], &["vocab.json", "merges.txt"]]);
const WEIGHTS: Need = Need::OneOf(&[&[SINGLE], &[INDEX], &[PICKLE], &[PICKLE_INDEX]]);
const ADAPTER_CONFIG: Need = Need::OneOf(&[&["adapter_config.json"]]);
const ADAPTER_WEIGHTS: Need =
    Need::OneOf(&[&["adapter_model.safetensors"], &["adapter_model.bin"]]);

/// Files that a part needs.
#[derive(Debug, Clone, Copy)]
pub(super) enum Need {
    /// One of several sets, the first that the repository has.
    OneOf(&'static [&'static [&'static str]]),
    /// Those of a list that the repository has.
    Any(&'static [&'static str]),
}

impl Need {
    /// Those that a repository has; what it lacks if it has too few.
    pub(super) fn files(self, has: &dyn Fn(&str) -> bool) -> Result<Vec<&'static str>, String> {
        match self {
            Self::OneOf(sets) => {
                let complete = |set: &&&[&'static str]| set.iter().all(|file| has(file));
                let set = sets.iter().find(complete);
                set.map(|set| set.to_vec()).ok_or_else(|| {
                    let sets: Vec<_> = sets.iter().map(|set| set.join(" and ")).collect();
                    sets.join(", or ")
                })
            }
            Self::Any(files) => Ok(files.iter().copied().filter(|file| has(file)).collect()),
        }
    }
}

/// Whether a file names further ones.
pub(super) fn is_index(file: &str) -> bool {
    [INDEX, PICKLE_INDEX].contains(&file)
}

/// Whether a folder of the cache has a part. Optional files are not asked for: they were downloaded
/// before those that are.
pub(super) fn is_complete(folder: &Path, part: Part) -> bool {
    let has = |name: &str| folder.join(name).is_file();
    let shards = |index: &str| {
        let bytes = std::fs::read(folder.join(index)).ok()?;
        let shards = shard_names(index, &bytes).ok()?;
        Some(shards.iter().all(|shard| has(shard)))
    };
    part.needs().iter().all(|need| {
        let files = need.files(&has).unwrap_or_default();
        let is_there = |file: &&str| !is_index(file) || shards(file).unwrap_or(false);
        matches!(need, Need::Any(_)) || !files.is_empty() && files.iter().all(is_there)
    })
}
