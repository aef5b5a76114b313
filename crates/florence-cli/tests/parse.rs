//! `florence parse` on logs in the wild: broken lines, encodings, error lines.

mod program;

use program::{SCENE, fed, lines, run, stderr};
use serde_json::{Value, json};

const CAR: &str = r#"{"task":"<OD>","text":"</s><s>car<loc_54><loc_375><loc_906><loc_707></s>","size":[640,480]}"#;

fn parse(args: &[&str], input: impl AsRef<[u8]>) -> std::process::Output {
    fed(&[&["parse"], args].concat(), input.as_ref())
}

/// The labels of the boxes of a typed line.
fn labels(line: &Value) -> Vec<&str> {
    let found = line["answer"]["value"].as_array().unwrap();
    found
        .iter()
        .map(|found| found["label"].as_str().unwrap())
        .collect()
}

fn kinds(line: &Value) -> Vec<&str> {
    let odd = line["diagnostics"].as_array().unwrap();
    odd.iter()
        .map(|odd| odd["kind"].as_str().unwrap())
        .collect()
}

#[test]
fn every_line_is_answered_and_bad_ones_say_why() {
    let bad: [(&[u8], &str); 15] = [
        (b"not json", "expected ident at byte 2"),
        (
            b"{\"task\":\"<OD>\",\"text\":\"cut off",
            "EOF while parsing a string",
        ),
        (b"[1, 2]", "expected a map"),
        (b"null", "expected a map"),
        (br#"{"text":"car","size":[1,1]}"#, "`task` is missing"),
        (br#"{"task":"<OD>","size":[1,1]}"#, "`text` is missing"),
        (br#"{"task":"<OD>","text":"car"}"#, "`size` is missing"),
        (
            br#"{"task":"<OD>","text":["car"],"size":[1,1]}"#,
            "`text` is not a string",
        ),
        (
            br#"{"task":"<OD>","text":"car","size":[1,1,1]}"#,
            "the size is not two",
        ),
        (
            br#"{"task":"<OD>","text":"car","size":[1,-1]}"#,
            "the size is not two",
        ),
        (
            br#"{"task":"<OD>","text":"car","size":[1,1e40]}"#,
            "the size is not two",
        ),
        (
            br#"{"task":"<OD>","text":"car","width":7}"#,
            "the size is not two",
        ),
        (b"\0\0\0\0\0\0\0\0", "expected value"),
        (
            b"{\"task\":\"<OD>\",\"text\":\"a\0b\",\"size\":[1,1]}",
            "control character",
        ),
        (
            b"{\"task\":\"dance\",\"steps\":[7]}",
            "`steps` is not an array of objects",
        ),
    ];
    for compat in [
        &[][..],
        &["--compat", "microsoft"],
        &["--compat", "transformers"],
    ] {
        for (line, reason) in bad {
            let input = [CAR.as_bytes(), b"\n", line, b"\n", CAR.as_bytes(), b"\n"].concat();
            let output = parse(compat, input);
            assert_eq!(output.status.code(), Some(4), "{}", stderr(&output));
            let lines = lines(&output);
            assert_eq!(lines.len(), 3, "{lines:?}");
            assert_eq!(lines[0], lines[2]);
            assert_eq!(lines[1]["line"], 2);
            let error = lines[1]["error"].as_str().unwrap();
            assert!(error.contains(reason), "{error:?} does not say {reason:?}");
            let message = stderr(&output);
            assert!(message.starts_with("florence: line 2: "), "{message}");
            assert_eq!(message.lines().count(), 1, "{message}");
        }
    }
    let unknown = parse(&[], br#"{"task":"dance","text":"car","size":[1,1]}"#);
    assert!(
        lines(&unknown)[0]["error"]
            .as_str()
            .unwrap()
            .contains("unknown task \"dance\"")
    );
}

#[test]
fn nested_and_huge_lines_are_refused_in_their_turn() {
    let nested = "[".repeat(200_000);
    let long = format!("{{\"task\":\"<OD>\",\"text\":\"{}", "a".repeat(9 << 20));
    let output = parse(&[], format!("{nested}\n{long}\n{CAR}\n{long}"));
    assert_eq!(output.status.code(), Some(4));
    let lines = lines(&output);
    assert_eq!(lines.len(), 4);
    assert!(
        lines[0]["error"]
            .as_str()
            .unwrap()
            .contains("expected a map"),
        "{}",
        lines[0]
    );
    assert_eq!(
        lines[1],
        json!({ "line": 2, "error": "a line of more than 8 MiB" })
    );
    assert_eq!(labels(&lines[2]), ["car"]);
    assert_eq!(lines[3]["line"], 4);
}

#[test]
fn marks_of_editors_and_blank_lines_do_not_matter() {
    let input = format!("\u{feff}{CAR}\r\n\r\n  \t\n\u{feff}{CAR}\nx\n{CAR}");
    let output = parse(&[], input);
    let lines = lines(&output);
    assert_eq!(lines.len(), 4);
    assert_eq!((&lines[0], &lines[1]), (&lines[1], &lines[3]));
    assert_eq!(lines[2]["line"], 5, "the number counts blank lines too");
    assert!(parse(&[], b"\xef\xbb\xbf").stdout.is_empty());

    let sixteen: Vec<u8> = CAR.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let output = parse(&[], [b"\xff\xfe", &sixteen[..]].concat());
    assert_eq!(output.status.code(), Some(4));
    assert!(stderr(&output).contains("UTF-16, expected UTF-8"));
}

#[test]
fn what_is_no_unicode_is_answered_with_a_note() {
    let with = |label: &[u8]| {
        let (before, after) = CAR.split_once("car").unwrap();
        [before.as_bytes(), label, after.as_bytes(), b"\n"].concat()
    };
    for (label, wanted, kind) in [
        (&b"c\xffr"[..], "c\u{fffd}r", "invalid_utf8"),
        (b"caf\xe9", "caf\u{fffd}", "invalid_utf8"),
        (br"cat\ud83d", "cat\u{fffd}", "lone_surrogate"),
        (br"\uDE00cat", "\u{fffd}cat", "lone_surrogate"),
    ] {
        let input = [&with(label)[..], CAR.as_bytes()].concat();
        let output = parse(&[], &input);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        let lines = lines(&output);
        assert_eq!(labels(&lines[0]), [wanted]);
        assert_eq!(kinds(&lines[0]), [kind]);
        assert_eq!(lines[0]["diagnostics"][0]["token"], 2, "that of the label");
        assert_eq!((labels(&lines[1]), kinds(&lines[1])), (vec!["car"], vec![]));

        // A dict of the processors has no room for the note.
        let output = parse(&["--compat", "transformers"], &input);
        assert_eq!(output.status.code(), Some(0));
        assert!(
            stderr(&output).starts_with("florence: line 1: note: "),
            "{}",
            stderr(&output)
        );
        // transformers drops from the labels of boxes what is not ASCII.
        let kept = wanted.replace('\u{fffd}', "");
        let dict = &program::lines(&output)[0];
        assert_eq!(dict["<OD>"]["labels"], json!([kept]));
    }
    let pair = parse(&[], with(br"\ud83d\ude00"));
    assert_eq!(labels(&lines(&pair)[0]), ["\u{1f600}"]);
    assert!(kinds(&lines(&pair)[0]).is_empty());
    // What is replaced elsewhere in the line is not the answer's.
    let elsewhere = br#"{"image":"caf@.png","x":"\ud83d","task":"<OD>","text":"car<loc_1><loc_2><loc_3><loc_4>","size":[9,9]}"#;
    let elsewhere = parse(
        &[],
        elsewhere.map(|byte| if byte == b'@' { 0xe9 } else { byte }),
    );
    assert!(kinds(&lines(&elsewhere)[0]).is_empty(), "{elsewhere:?}");
}

#[test]
fn keys_come_in_any_number_and_sizes_in_any_form() {
    let plain = parse(&[], CAR);
    for line in [
        CAR.replace(
            r#""size":[640,480]"#,
            r#""size":{"width":640,"height":480}"#,
        ),
        CAR.replace(r#""size":[640,480]"#, r#""height":480,"width":640"#),
        CAR.replace(r#""size":[640,480]"#, r#""size":[640.0,480.0]"#),
        CAR.replace(r#""size""#, r#""size":[1,1],"more":{"deep":[null]},"size""#),
        CAR.replace(r#""text""#, r#""raw_text""#),
        CAR.replace("<OD>", "od"),
    ] {
        assert_eq!(parse(&[], &line).stdout, plain.stdout, "{line}");
    }
}

#[test]
fn lines_of_the_command_itself_are_read() {
    let scene = std::path::Path::new(SCENE);
    let missing = std::path::Path::new("no/such.png");
    for compat in ["microsoft", "transformers"] {
        let args = ["--json", "--compat", compat, "--task", "od"];
        let asked = run(&args, &[scene, missing, scene]);
        assert_eq!(asked.status.code(), Some(4));
        let asked_lines = lines(&asked);
        let output = parse(&["--compat", compat], &asked.stdout);
        assert_eq!(output.status.code(), Some(4), "the error line is one");
        let parsed = lines(&output);
        assert_eq!(parsed[0], asked_lines[0]["reference"]);
        assert_eq!(parsed[1]["line"], 2);
        assert_eq!(parsed[1]["image"], "no/such.png");
        assert_eq!(parsed[1]["error"], asked_lines[1]["error"]);
        assert_eq!(parsed[2], parsed[0]);
    }
    let asked = run(&["--json", "--task", "od"], &[scene]);
    let typed = lines(&parse(&[], &asked.stdout)).remove(0);
    let found = lines(&asked)[0]["answer"]["value"]
        .as_array()
        .unwrap()
        .len();
    assert_eq!(labels(&typed).len(), found);
    assert_eq!(
        typed["answer"]["value"][0]["bbox"],
        lines(&asked)[0]["answer"]["value"][0]["bbox"]
    );

    // What it wrote itself can be read again.
    let again = parse(&[], parse(&[], "x\n").stdout);
    assert_eq!(again.status.code(), Some(4));
    assert_eq!(lines(&again)[0]["line"], 1);
}

#[test]
fn a_cascade_is_read_step_by_step() {
    let asked = run(
        &["--json", "--task", "detect_and_describe"],
        &[std::path::Path::new(SCENE)],
    );
    let line = lines(&asked).remove(0);
    let steps = line["steps"].as_array().unwrap();
    assert!(steps.len() > 1);
    let typed = lines(&parse(&[], &asked.stdout)).remove(0);
    assert_eq!(typed["task"], "detect_and_describe");
    let parsed = typed["steps"].as_array().unwrap();
    assert_eq!(parsed.len(), steps.len());
    for (parsed, step) in parsed.iter().zip(steps) {
        assert_eq!(parsed["task"], step["task"]);
        assert_eq!(parsed["answer"]["form"], step["value"]["form"]);
    }
    let dicts = lines(&parse(&["--compat", "microsoft"], &asked.stdout)).remove(0);
    assert!(dicts[0]["<OD>"]["bboxes"].is_array());
    assert!(dicts[1]["<REGION_TO_DESCRIPTION>"].is_string());
}

#[test]
fn answers_that_say_nothing_carry_a_note() {
    for text in [
        "<s>",
        "",
        "</s><s></s>",
        "<pad><s><s></s>",
        "</s><s> \\n </s>",
        "<loc_1>",
    ] {
        let line = format!(r#"{{"task":"<CAPTION>","text":"{text}","size":[9,9]}}"#);
        let output = parse(&[], &line);
        assert_eq!(output.status.code(), Some(0));
        let answer = lines(&output).remove(0);
        assert_eq!(answer["answer"]["value"]["text"], "");
        assert!(kinds(&answer).contains(&"empty_answer"), "{answer}");
    }
    let output = parse(
        &[],
        r#"{"task":"<CAPTION>","text":"</s><s>A car.</s>","size":[9,9]}"#,
    );
    assert!(kinds(&lines(&output)[0]).is_empty());
}

#[test]
fn answers_to_markers_are_parsed_as_asked() {
    let line = r#"{"task": "<PANELS>", "text": "panel<loc_1><loc_2><loc_3><loc_4>", "size": [1000, 1000]}"#;
    let boxes = lines(&fed(&["parse", "--answer", "boxes"], line.as_bytes()));
    assert_eq!(boxes[0]["task"], "<PANELS>");
    assert_eq!(boxes[0]["answer"]["value"][0]["label"], "panel");
    let text = lines(&fed(&["parse"], line.as_bytes()));
    assert_eq!(text[0]["answer"]["form"], "text");
    let task = line.replace("<PANELS>", "<OCR>");
    let text = lines(&fed(&["parse", "--answer", "boxes"], task.as_bytes()));
    assert_eq!(text[0]["answer"]["form"], "text");
    let output = fed(
        &["parse"],
        line.replace("<PANELS>", "detect_and_segment").as_bytes(),
    );
    assert_eq!(output.status.code(), Some(4));
}
