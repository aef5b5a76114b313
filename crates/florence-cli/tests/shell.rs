//! What makes the command pleasant in a shell: completions, manual pages, and what it says without
//! a task.

use std::process::{Command, Output};

const SCENE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/scene.png");

fn florence(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_florence"))
        .args(args)
        .output()
        .unwrap()
}

fn prints(args: &[&str]) -> String {
    let output = florence(args);
    assert!(output.status.success(), "{args:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn refuses(args: &[&str], words: &[&str]) {
    let output = florence(args);
    assert_eq!(output.status.code(), Some(2), "{args:?}");
    let message = String::from_utf8(output.stderr).unwrap();
    for word in words {
        assert!(message.contains(word), "{args:?}: {message}");
    }
    // One line, and no colors, as stderr is no terminal.
    assert_eq!(message.lines().count(), 1, "{message}");
    assert!(!message.contains('\u{1b}'), "{message}");
}

#[test]
fn completions_know_options_and_tasks() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = prints(&["completions", shell]);
        assert!(script.contains("image-size"), "{shell}");
        // The scripts of the others do not complete values.
        if ["bash", "fish", "zsh"].contains(&shell) {
            for word in ["region_to_category", "caption_checked"] {
                assert!(script.contains(word), "{shell}: {word}");
            }
        }
    }
    assert_eq!(florence(&["completions", "cmd"]).status.code(), Some(2));
}

#[test]
fn the_script_for_bash_is_one() {
    let script = prints(&["completions", "bash"]);
    let complete = "COMP_WORDS=(florence run --task region_to_o); COMP_CWORD=3; \
        _florence florence region_to_o --task; echo \"${COMPREPLY[@]}\"";
    let Ok(output) = Command::new("bash")
        .args(["-c", &format!("{script}\n{complete}")])
        .output()
    else {
        // No bash on this system.
        return;
    };
    assert_eq!(
        String::from_utf8(output.stdout).unwrap().trim(),
        "region_to_ocr"
    );
}

#[test]
fn manual_pages() {
    let page = prints(&["man"]);
    assert!(page.contains(".TH florence 1") && page.contains("florence\\-run(1)"));
    let page = prints(&["man", "run"]);
    assert!(page.contains(".TH florence-run 1") && page.contains("\\-\\-image\\-size"));
    refuses(&["man", "walk"], &["\"walk\": expected one of run, parse"]);
}

#[test]
fn a_run_without_a_task_or_images_says_what_is_missing() {
    for args in [&["run"][..], &["run", SCENE]] {
        refuses(
            args,
            &["expected --task", "florence run --task od photo.jpg"],
        );
    }
    refuses(&["run", "--task", "od"], &["expected images", "--from"]);
}
