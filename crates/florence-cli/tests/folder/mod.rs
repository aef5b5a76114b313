//! A folder that the command works in. Each test uses a part of this.
#![allow(dead_code)]

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

const IMAGES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../florence-nano/eval/images");

/// An image of the small world.
pub(crate) fn scene(number: u32) -> PathBuf {
    Path::new(IMAGES).join(format!("{number:03}.png"))
}

/// A folder to work in.
pub(crate) struct Folder(TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.0.path().join(name)
    }

    /// Puts a scene there, with its folders.
    pub(crate) fn put(&self, number: u32, name: impl AsRef<Path>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::copy(scene(number), path).unwrap();
    }

    pub(crate) fn write(&self, name: &str, contents: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, contents).unwrap();
    }

    pub(crate) fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    pub(crate) fn json(&self, name: &str) -> Value {
        serde_json::from_str(&self.text(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_florence"));
        command
            .current_dir(self.0.path())
            .env_remove("RUST_BACKTRACE")
            .args(["run", "--num-beams", "1"]);
        command
    }

    /// Runs in the folder; `--task od` unless the arguments start with another.
    pub(crate) fn run<S: AsRef<OsStr>>(&self, args: &[S]) -> Output {
        let mut command = self.command();
        if !args.iter().any(|arg| arg.as_ref() == "--task") {
            command.args(["--task", "od"]);
        }
        command.args(args).output().unwrap()
    }

    pub(crate) fn runs<S: AsRef<OsStr>>(&self, args: &[S]) -> String {
        let output = self.run(args);
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{stderr}");
        stderr
    }

    /// Is refused with code 2 before a model is loaded, and says all of `words`.
    pub(crate) fn refuses<S: AsRef<OsStr>>(&self, args: &[S], words: &[&str]) {
        let model = ["--model", "no/such/folder"].map(OsStr::new);
        let args: Vec<&OsStr> = args.iter().map(AsRef::as_ref).chain(model).collect();
        let output = self.run(&args);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        for word in words {
            assert!(stderr.contains(word), "{stderr:?} does not say {word:?}");
        }
    }

    /// Every file below, by its place.
    pub(crate) fn files(&self, folder: &str) -> Vec<String> {
        let mut files = Vec::new();
        let mut folders = vec![self.path(folder)];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let place = path.strip_prefix(self.0.path()).unwrap();
                    files.push(place.to_string_lossy().into_owned());
                }
            }
        }
        files.sort();
        files
    }
}
