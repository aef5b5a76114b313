//! Hints about a path that is no complete checkpoint: what it is instead, and where the right one
//! may be.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::content;
use super::file_names::{INDEX, PICKLE, SINGLE};
use crate::{Error, Result};

/// Maximum number of entries of a folder that are checked, and of folders.
const MAX_ENTRIES: usize = 10_000;
const MAX_FOLDERS: usize = 200;

/// Depth of folders below the given one that are searched: the cache of the hub has
/// `models--…/snapshots/<commit>`.
const MAX_DEPTH: usize = 3;

const FILES: &str = "config.json, tokenizer.json, preprocessor_config.json and model.safetensors";

/// Formats of other programs, by the ends of file names.
const CONVERSIONS: [(&str, &str); 13] = [
    (".gguf", "a GGUF file (llama.cpp)"),
    (".onnx", "an ONNX model"),
    (".onnx_data", "an ONNX model"),
    (".xml", "an OpenVINO model"),
    (".h5", "TensorFlow weights"),
    ("saved_model.pb", "a TensorFlow model"),
    (".tflite", "a TensorFlow Lite model"),
    (".msgpack", "Flax weights"),
    (".npz", "NumPy arrays (MLX)"),
    (".mlmodel", "a Core ML model"),
    (".mlpackage", "a Core ML model"),
    (".engine", "a TensorRT engine"),
    (".plan", "a TensorRT engine"),
];

/// File name suffixes of incomplete downloads.
const PARTIAL: [&str; 8] = [
    ".incomplete",
    ".part",
    ".partial",
    ".crdownload",
    ".download",
    ".opdownload",
    ".aria2",
    ".!ut",
];

/// Refuses a path that is no folder, with a hint.
pub(super) fn check_folder(path: &Path) -> Result<()> {
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            return Err(Error::io(path, io::Error::new(e.kind(), not_found(path))));
        }
        Err(e) => return Err(Error::io(path, e)),
    };
    if metadata.is_dir() {
        // Permission to list it, too.
        return fs::read_dir(path).map(drop).map_err(|e| Error::io(path, e));
    }
    let parent = path.parent().filter(|p| !p.as_os_str().is_empty());
    let parent = parent.unwrap_or(Path::new("."));
    let advice = if parent.join("config.json").exists() {
        format!(
            "a file, expected the folder of a checkpoint: give `{}`",
            parent.display()
        )
    } else {
        if let Some(other) = foreign_file(path) {
            return Err(other);
        }
        format!("a file, expected a folder with {FILES}")
    };
    Err(Error::io(
        path,
        io::Error::new(io::ErrorKind::NotADirectory, advice),
    ))
}

/// An archive or another program's model that was given as the checkpoint.
fn foreign_file(path: &Path) -> Option<Error> {
    let mut head = Vec::new();
    let file = fs::File::open(path).ok()?;
    file.take(content::HEAD as u64)
        .read_to_end(&mut head)
        .ok()?;
    let torch = ["bin", "pt", "pth", "ckpt"].map(std::ffi::OsStr::new);
    if path.extension().is_some_and(|end| torch.contains(&end)) {
        return None;
    }
    let other = content::signature(&head)?;
    Some(other.error(&path.display().to_string(), content::Expected::Folder))
}

fn not_found(path: &Path) -> String {
    let text = path.to_string_lossy();
    if text.starts_with("http://") || text.starts_with("https://") {
        return format!("an address, expected a folder: download {FILES} into one");
    }
    if let Some(folder) = in_hub_cache(&text) {
        return format!(
            "no such folder; the model of this name is in the hub's cache: give `{}`",
            folder.display()
        );
    }
    if !is_hub_name(&text) {
        return "no such folder".to_owned();
    }
    format!(
        "no such folder; if this is a name on the Hugging Face hub, put the model's files ({FILES}) \
         into a folder and give that, or use `from_hub` of the library (feature `hub`)"
    )
}

/// `owner/name`, or a name that contains Florence.
fn is_hub_name(text: &str) -> bool {
    let plain = |part: &str| {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        !part.is_empty() && !part.starts_with('.') && part.chars().all(allowed)
    };
    match text.split_once('/') {
        Some((owner, name)) => plain(owner) && plain(name),
        None => plain(text) && text.to_ascii_lowercase().contains("florence"),
    }
}

/// The hub's cached folder of the model `owner/name`, if there is one.
fn in_hub_cache(name: &str) -> Option<PathBuf> {
    if !is_hub_name(name) || !name.contains('/') {
        return None;
    }
    let value = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty());
    let cache = value("HF_HUB_CACHE")
        .map(PathBuf::from)
        .or_else(|| value("HF_HOME").map(|home| PathBuf::from(home).join("hub")))
        .or_else(|| std::env::home_dir().map(|home| home.join(".cache/huggingface/hub")))?;
    snapshot(&cache.join(format!("models--{}", name.replace('/', "--"))))
}

/// The folder of `main`, or of the only commit, in a model's folder of the
/// hub's cache.
fn snapshot(repo: &Path) -> Option<PathBuf> {
    let snapshots = repo.join("snapshots");
    let main = fs::read_to_string(repo.join("refs/main")).ok();
    let main = main.map(|commit| snapshots.join(commit.trim()));
    main.filter(|folder| is_florence(folder)).or_else(|| {
        let mut commits = folders(&snapshots).into_iter().filter(|f| is_florence(f));
        let only = commits.next()?;
        commits.next().is_none().then_some(only)
    })
}

/// The error for a folder without `config.json`.
pub(super) fn no_config(dir: &Path) -> Error {
    if let Some(error) = adapter(dir) {
        return error;
    }
    missing(dir, "config.json", hint(dir, "config.json"))
}

/// Whether a folder without weights holds an adapter or another program's
/// model.
pub(super) fn is_something_else(dir: &Path) -> bool {
    let all = names(dir).unwrap_or_default();
    adapter(dir).is_some() || conversion(dir, &all).is_some()
}

/// The error for a folder without weights.
pub(super) fn no_weights(dir: &Path) -> Error {
    if let Some(error) = adapter(dir) {
        return error;
    }
    let expected = format!("{SINGLE}, {INDEX} or {PICKLE}");
    missing(dir, &expected, hint(dir, SINGLE))
}

/// The error for a file of weights that an index or a sibling names.
pub(super) fn no_shard(dir: &Path, name: &str, named_by: &str) -> Error {
    let expected = format!("{name}, which {named_by} names");
    missing(dir, &expected, leftover(dir, name).unwrap_or_default())
}

/// The error for a folder with neither `tokenizer.json` nor the two files of
/// which one can be made; `config` is its configuration.
pub(super) fn no_tokenizer(
    dir: &Path,
    config: &serde_json::Map<String, Value>,
    weights: bool,
) -> Error {
    let has = |name: &str| dir.join(name).exists();
    let mut hint = String::new();
    for (there, absent) in [("vocab.json", "merges.txt"), ("merges.txt", "vocab.json")] {
        if has(there) && !has(absent) {
            hint = format!("; {there} would do together with {absent}, which is missing too");
        }
    }
    if let Some(leftover) = leftover(dir, "tokenizer.json") {
        hint = leftover;
    }
    let also = if has("preprocessor_config.json") || has("processor_config.json") {
        ""
    } else {
        " and preprocessor_config.json"
    };
    hint.push_str(&format!(
        "; copy tokenizer.json{also} of {} into it, or give that model as the processor (`--processor`, \
         `CheckpointOptions::processor`)",
        origin(config)
    ));
    if !weights {
        hint.push_str(&format!("; the weights ({SINGLE}) are missing too"));
    }
    missing(dir, "tokenizer.json", hint)
}

/// The error for a processor's folder without a tokenizer.
pub(super) fn no_tokenizer_of_processor(dir: &Path) -> Error {
    let hint = hint(dir, "tokenizer.json");
    missing(dir, "tokenizer.json, or vocab.json and merges.txt", hint)
}

/// The published checkpoint that a fine-tune comes from, as far as its
/// configuration tells.
fn origin(config: &serde_json::Map<String, Value>) -> String {
    let named = config.get("_name_or_path").and_then(Value::as_str);
    if let Some(name) = named
        && name.starts_with("microsoft/Florence-2-")
        && is_hub_name(name)
    {
        return format!("{name}, which config.json names as its origin,");
    }
    let width = config
        .get("text_config")
        .and_then(|t| t.get("d_model")?.as_u64());
    match width {
        Some(768) => "microsoft/Florence-2-base-ft".to_owned(),
        Some(1024) => "microsoft/Florence-2-large-ft".to_owned(),
        _ => "the checkpoint that it was made from".to_owned(),
    }
}

fn missing(dir: &Path, expected: &str, hint: String) -> Error {
    Error::MissingFile {
        dir: dir.to_owned(),
        expected: expected.to_owned(),
        hint,
    }
}

/// The error for a folder with an adapter and no network.
fn adapter(dir: &Path) -> Option<Error> {
    let names = names(dir).ok()?;
    let file = names
        .iter()
        .find(|n| *n == "adapter_config.json")
        .or_else(|| names.iter().find(|n| n.starts_with("adapter_model.")))?;
    let path = dir.join(file);
    let settings = read_object(&path);
    let text = |key: &str| {
        let value = settings.as_ref()?.get(key)?.as_str()?;
        let shown = value.chars().filter(|c| !c.is_control()).take(200);
        Some(shown.collect::<String>()).filter(|v| !v.is_empty())
    };
    let (kind, remedy) = match text("peft_type").as_deref() {
        None | Some("LORA") => (
            "a LoRA adapter".to_owned(),
            "this one as the adapter (`--adapter`, `LoadOptions::adapter`)",
        ),
        Some(other) => (
            format!("a PEFT adapter ({other})"),
            "merge the adapter with it in Python (PEFT's `merge_and_unload()`): only LoRA is read",
        ),
    };
    let base = text("base_model_name_or_path");
    let of = base
        .as_ref()
        .map_or_else(String::new, |base| format!(" of {base}"));
    let base = base.unwrap_or_else(|| "the model that it was trained on".to_owned());
    Some(Error::malformed(
        &path.display().to_string(),
        format!(
            "this folder holds {kind}{of} and no model of its own: give the folder of {base} as the \
             model and {remedy}"
        ),
    ))
}

/// What the folder has instead of `file`, and what is near it.
fn hint(dir: &Path, file: &str) -> String {
    if let Some(leftover) = leftover(dir, file) {
        return leftover;
    }
    let all = names(dir).unwrap_or_default();
    if let Some((name, what)) = conversion(dir, &all) {
        return format!("; it holds {what} (`{name}`): {}", content::ORIGINAL);
    }
    if let Some(near) = near(dir) {
        return near;
    }
    if all.is_empty() {
        return format!("; it is empty: put {FILES} into it");
    }
    if file == "config.json"
        && all
            .iter()
            .any(|n| n.ends_with(".safetensors") || n.ends_with(".bin"))
    {
        return "; copy it from where the weights are from".to_owned();
    }
    String::new()
}

/// A conversion for another program, in the folder or in one below that is
/// named after the format.
fn conversion(dir: &Path, all: &[String]) -> Option<(String, &'static str)> {
    let of = |names: &[String], below: &str| {
        names.iter().find_map(|name| {
            let lower = name.to_ascii_lowercase();
            let (_, what) = CONVERSIONS.iter().find(|(end, _)| lower.ends_with(end))?;
            Some((format!("{below}{name}"), *what))
        })
    };
    let in_it = of(all, "");
    let ctranslate = || {
        let vocabulary = all.iter().any(|n| n.contains("vocabulary."));
        let model = vocabulary && all.iter().any(|n| n == "model.bin");
        model.then(|| ("model.bin".to_owned(), "a CTranslate2 model"))
    };
    let below = || {
        ["onnx", "openvino", "gguf", "mlx"].iter().find_map(|sub| {
            let names = names(&dir.join(sub)).ok()?;
            of(&names, &format!("{sub}/"))
        })
    };
    in_it.or_else(ctranslate).or_else(below)
}

/// A dangling link, or an incomplete download.
fn leftover(dir: &Path, file: &str) -> Option<String> {
    let path = dir.join(file);
    if let Ok(target) = fs::read_link(&path) {
        return Some(format!(
            "; {file} is a link to {}, which is not there: copy the folder with its links \
             followed, or download it again",
            target.display()
        ));
    }
    let partial = |name: &String| {
        let lower = name.to_ascii_lowercase();
        PARTIAL.iter().any(|end| lower.ends_with(end))
    };
    let places = [
        (dir.to_owned(), ""),
        (
            dir.join(".cache/huggingface/download"),
            ".cache/huggingface/download/",
        ),
        (dir.join("../../blobs"), "../../blobs/"),
    ];
    let found = places.iter().find_map(|(place, shown)| {
        let name = names(place).ok()?.into_iter().find(partial)?;
        Some(format!("{shown}{name}"))
    })?;
    Some(format!(
        "; `{found}` is a download that did not end: download it again"
    ))
}

/// Folders with a configuration of Florence-2 below and above this one.
fn near(dir: &Path) -> Option<String> {
    let repo = dir
        .ancestors()
        .take(4)
        .find(|a| a.join("snapshots").is_dir());
    if let Some(found) = repo.and_then(snapshot)
        && found != dir
    {
        return Some(did_you_mean(&[found]));
    }
    let mut found = Vec::new();
    let mut looked = 0;
    let mut level = vec![dir.to_owned()];
    for _ in 0..MAX_DEPTH {
        let mut next = Vec::new();
        for folder in &level {
            for child in folders(folder) {
                looked += 1;
                if looked > MAX_FOLDERS {
                    break;
                }
                if is_florence(&child) {
                    found.push(child);
                } else {
                    next.push(child);
                }
            }
        }
        if !found.is_empty() {
            break;
        }
        level = next;
    }
    if found.is_empty() {
        let full = fs::canonicalize(dir).ok()?;
        let parent = full.parent().filter(|parent| is_florence(parent))?;
        found.push(
            dir.parent()
                .filter(|p| !p.as_os_str().is_empty())
                .unwrap_or(parent)
                .to_owned(),
        );
    }
    // The last of `checkpoint-500`, `checkpoint-1000` is the newest.
    found.sort_by_key(|path| (path.as_os_str().len(), path.clone()));
    found.reverse();
    Some(did_you_mean(&found))
}

fn did_you_mean(found: &[PathBuf]) -> String {
    let shown: Vec<String> = found
        .iter()
        .take(3)
        .map(|p| format!("`{}`", p.display()))
        .collect();
    format!("; did you mean {}?", shown.join(" or "))
}

/// Whether a folder has a configuration of Florence-2.
fn is_florence(dir: &Path) -> bool {
    let says = |map: serde_json::Map<String, Value>| {
        map.get("model_type").and_then(Value::as_str) == Some("florence2")
            || map.contains_key("vision_config")
    };
    read_object(&dir.join("config.json")).is_some_and(says)
}

fn read_object(path: &Path) -> Option<serde_json::Map<String, Value>> {
    const MAX: u64 = 1 << 20;
    let mut bytes = Vec::new();
    fs::File::open(path)
        .ok()?
        .take(MAX)
        .read_to_end(&mut bytes)
        .ok()?;
    serde_json::from_slice(&bytes).ok()
}

/// The names in a folder that are valid Unicode, sorted.
pub(super) fn names(dir: &Path) -> Result<Vec<String>> {
    let entries = fs::read_dir(dir).map_err(|e| Error::io(dir, e))?;
    let mut names: Vec<String> = entries
        .take(MAX_ENTRIES)
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .collect();
    names.sort_unstable();
    Ok(names)
}

fn folders(dir: &Path) -> Vec<PathBuf> {
    let names = names(dir).unwrap_or_default();
    let paths = names.iter().map(|name| dir.join(name));
    paths
        .filter(|path| path.is_dir())
        .take(MAX_FOLDERS)
        .collect()
}
