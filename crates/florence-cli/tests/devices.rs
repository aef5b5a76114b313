//! `--device` and `--precision`: what is available, and the errors for what is not.

mod program;

use program::{SCENE, florence, lines, stderr};

const CAPTION: [&str; 3] = ["run", "--task", "caption"];

#[test]
fn the_device_is_in_every_line() {
    let args = ["--device", "auto", "--json", "--max-new-tokens", "8", SCENE];
    let output = florence(CAPTION.iter().chain(&args));
    assert_eq!(lines(&output)[0]["device"], "cpu");
    let cascade = [
        "run",
        "--task",
        "caption_and_ground",
        "--num-beams",
        "1",
        "--json",
        SCENE,
    ];
    assert_eq!(lines(&florence(cascade))[0]["device"], "cpu");
    let output = florence(["info", "--device", "cpu", "--json"]);
    assert_eq!(lines(&output)[0]["device"], "cpu");
    assert_eq!(lines(&output)[0]["precision"], "f32");
}

#[cfg(not(any(feature = "cuda", feature = "metal")))]
#[test]
fn a_device_that_was_not_compiled_in_names_its_feature() {
    for (device, feature) in [("cuda:0", "cuda"), ("cuda:7", "cuda"), ("metal", "metal")] {
        for command in [&["run", "--task", "caption", SCENE][..], &["info"]] {
            let output = florence(command.iter().chain(&["--device", device]));
            assert_eq!(output.status.code(), Some(2), "{device}");
            let stderr = stderr(&output);
            assert!(
                stderr.contains(&format!("without the feature `{feature}`")),
                "{stderr}"
            );
        }
    }
}

#[test]
fn what_is_no_device_or_precision_is_refused() {
    for (option, value, expected) in [
        (
            "--device",
            "gpu",
            "expected auto, cpu, cuda, cuda:N, metal or metal:N",
        ),
        ("--device", "cuda:x", "expected auto, cpu, cuda"),
        ("--device", "cpu:1", "expected auto, cpu, cuda"),
        ("--precision", "int4", "expected f32, f16, bf16 or q8_0"),
        ("--precision", "bf16", "expected f32 or q8_0 on the CPU"),
    ] {
        let output = florence(CAPTION.iter().chain(&[option, value, SCENE]));
        assert_eq!(output.status.code(), Some(2), "{option} {value}");
        let stderr = stderr(&output);
        assert!(stderr.contains(expected), "{stderr}");
    }
}

#[test]
fn candle_answers_on_the_cpu_in_every_float_type() {
    let ids = |precision: &str, candle: bool| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_florence"));
        if candle {
            command.env("FLORENCE_BACKEND", "candle");
        }
        let args = ["--precision", precision, "--json", SCENE];
        let output = command.args(CAPTION).args(args).output().unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
        lines(&output)[0]["token_ids"].clone()
    };
    let right = ids("f32", false);
    assert_eq!(ids("f32", true), right);
    // A short answer of a small model: nothing in it is a matter of the last bits.
    assert_eq!(ids("f16", true), right);
    assert_eq!(ids("bf16", true), right);
}
