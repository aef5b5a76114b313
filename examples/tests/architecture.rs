//! The directions of dependencies, between crates and between the main modules of a crate. A change
//! that needs another direction changes these tables, and `DESIGN.md`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// The crates of the workspace that each published crate may depend on.
const CRATES: &[(&str, &[&str])] = &[
    ("florence-postprocess", &[]),
    ("florence-nano", &[]),
    ("florence-draw", &["florence-postprocess"]),
    ("florence-export", &["florence-postprocess"]),
    ("florence-layout", &["florence-postprocess"]),
    ("bitexact-jpeg", &[]),
    ("florence-core", &["bitexact-jpeg"]),
    (
        "florence-tasks",
        &[
            "florence-core",
            "florence-draw",
            "florence-nano",
            "florence-postprocess",
        ],
    ),
    (
        "florence-serve",
        &[
            "florence-core",
            "florence-layout",
            "florence-postprocess",
            "florence-tasks",
        ],
    ),
    (
        "florence-cli",
        &[
            "florence-core",
            "florence-export",
            "florence-layout",
            "florence-postprocess",
            "florence-serve",
            "florence-tasks",
        ],
    ),
];

/// Folders of a crate, and the modules of the crate and the crates that they must not name.
const MODULES: &[(&str, &[&str], &[&str])] = &[
    // The kernels, in three layers: vectors, matrix products, layers of the network.
    (
        "florence-core/src/backend",
        &[
            "config",
            "device",
            "hub",
            "image",
            "model",
            "network",
            "tokenizer",
        ],
        &[],
    ),
    // The network is written over the backend trait and knows neither files nor devices.
    (
        "florence-core/src/network",
        &["device", "hub", "image", "model", "tokenizer"],
        &[],
    ),
    // Search runs on the host, on logits alone.
    (
        "florence-core/src/generate",
        &[
            "backend",
            "checkpoint",
            "device",
            "hub",
            "image",
            "model",
            "network",
            "tokenizer",
        ],
        &["candle_core", "candle_nn"],
    ),
    // Checkpoints hand out readers and know no kernel.
    (
        "florence-core/src/checkpoint",
        &[
            "backend", "device", "generate", "hub", "image", "model", "network",
        ],
        &[],
    ),
    (
        "florence-core/src/image",
        &[
            "backend",
            "checkpoint",
            "device",
            "generate",
            "hub",
            "model",
            "network",
            "tokenizer",
        ],
        &["candle_nn"],
    ),
    // The server's engine knows no HTTP.
    (
        "crates/florence-serve/src/engine",
        &[
            "api", "error", "hosts", "page", "question", "server", "upload",
        ],
        &["axum", "hyper", "hyper_util"],
    ),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

#[test]
fn crates_depend_downwards() {
    let metadata = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .current_dir(root())
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&metadata.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let names: BTreeSet<&str> = packages.iter().filter_map(|p| p["name"].as_str()).collect();
    let allowed: BTreeMap<&str, &[&str]> = CRATES.iter().copied().collect();
    for package in packages {
        let name = package["name"].as_str().unwrap();
        let is_published = package["publish"].is_null();
        let Some(allowed) = allowed.get(name) else {
            assert!(!is_published, "{name} is not in the table of crates");
            continue;
        };
        for dependency in package["dependencies"].as_array().unwrap() {
            let on = dependency["name"].as_str().unwrap();
            if names.contains(on) && dependency["kind"].is_null() {
                assert!(allowed.contains(&on), "{name} depends on {on}");
            }
        }
    }
    for (name, _) in CRATES {
        assert!(names.contains(name), "there is no crate {name}");
    }
}

#[test]
fn modules_use_only_what_is_below_them() {
    for (folder, modules, crates) in MODULES {
        let files = rust_files(&root().join(folder));
        assert!(!files.is_empty(), "{folder} has no files");
        for file in files {
            let text = fs::read_to_string(&file).unwrap();
            let code = without_tests_and_comments(&text);
            for module in used_modules(&code) {
                assert!(
                    !modules.contains(&module.as_str()),
                    "{} uses crate::{module}",
                    file.display()
                );
            }
            for name in *crates {
                let named = code.contains(&format!("{name}::"));
                assert!(!named, "{} uses {name}", file.display());
            }
        }
    }
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs")
            // Modules of tests have files of their own in some places.
            && !path.file_stem().is_some_and(|stem| stem == "tests" || stem == "gradients" || stem == "testing")
        {
            files.push(path);
        }
    }
    files
}

/// The code before the unit tests, which stand last, without its comments.
fn without_tests_and_comments(text: &str) -> String {
    let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or(text);
    let lines = code
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

/// The modules that are named after `crate::`, also within braces.
fn used_modules(code: &str) -> Vec<String> {
    let name = |text: &str| -> String {
        let text = text.trim_start();
        let word = |c: &char| c.is_ascii_lowercase() || *c == '_';
        text.chars().take_while(word).collect()
    };
    let mut modules = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        match rest.strip_prefix('{') {
            Some(list) => {
                let mut depth = 0;
                for part in list.split_inclusive(['{', '}', ',']) {
                    if depth == 0 {
                        modules.push(name(part));
                    }
                    depth += part.matches('{').count() as i32 - part.matches('}').count() as i32;
                    if depth < 0 {
                        break;
                    }
                }
            }
            None => modules.push(name(rest)),
        }
    }
    modules.retain(|module| !module.is_empty());
    modules
}

#[test]
fn the_reader_of_modules_reads_them() {
    let code = "use crate::{a::{b, c}, d};\nuse crate::error::Error;\n// crate::comment\n\
                fn f() { crate::g::h() }\n#[cfg(test)]\nmod tests { use crate::test_only; }";
    let used = used_modules(&without_tests_and_comments(code));
    assert_eq!(used, ["a", "d", "error", "g"]);
}
