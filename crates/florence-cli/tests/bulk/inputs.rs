//! Files, folders, patterns and lists.

use super::folder::Folder;
use super::{images, json};

fn filled() -> Folder {
    let folder = Folder::new();
    for (number, name) in [
        "p/b.png",
        "p/a.PNG",
        "p/sub/c.png",
        "p/.hidden.png",
        "p/.d/e.png",
    ]
    .iter()
    .enumerate()
    {
        folder.put(number as u32, name);
    }
    folder.write("p/notes.txt", "no image");
    folder
}

fn taken(folder: &Folder, args: &[&str]) -> Vec<String> {
    let output = folder.run(&[&["--task", "caption", "--json"], args].concat());
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    images(&json(&output))
        .into_iter()
        .map(str::to_owned)
        .collect()
}

#[test]
fn a_folder_is_its_images_by_name() {
    let folder = filled();
    assert_eq!(
        taken(&folder, &["p"]),
        ["p/a.PNG", "p/b.png", "p/sub/c.png"]
    );
    assert_eq!(
        taken(&folder, &["--no-recursive", "p"]),
        ["p/a.PNG", "p/b.png"]
    );
    // A hidden file can be named.
    assert_eq!(
        taken(&folder, &["p/.hidden.png", "p/sub"]),
        ["p/.hidden.png", "p/sub/c.png"]
    );
}

#[test]
fn a_quoted_pattern_is_what_it_matches() {
    let folder = filled();
    assert_eq!(taken(&folder, &["p/*.png"]), ["p/b.png"]);
    assert_eq!(taken(&folder, &["p/**/*.png"]), ["p/b.png", "p/sub/c.png"]);
    // The name of a file is no pattern.
    folder.put(4, "p/x[1].png");
    folder.put(5, "p/x1.png");
    assert_eq!(taken(&folder, &["p/x[1].png"]), ["p/x[1].png"]);
}

#[test]
fn a_list_is_read_from_a_file() {
    let folder = filled();
    folder.write("list", "p/b.png\r\n\np/sub\n");
    assert_eq!(
        taken(&folder, &["--from", "list"]),
        ["p/b.png", "p/sub/c.png"]
    );
    folder.write("list", "p/b.png\0p/a.PNG\0");
    assert_eq!(
        taken(&folder, &["p/sub", "--from", "list"]),
        ["p/sub/c.png", "p/b.png", "p/a.PNG"]
    );
}

#[test]
fn nothing_to_do_is_an_error() {
    let folder = filled();
    folder.write("empty/notes.txt", "");
    folder.write("list", "\n");
    for (args, word) in [
        (&["empty"][..], "empty: this folder has no images"),
        (&["p/*.tiff"], "\"p/*.tiff\": no image matches"),
        (&["--from", "list"], "the list is empty"),
        (
            &["--from", "nowhere"],
            "--from nowhere: the list cannot be read",
        ),
    ] {
        let output = folder.run(&[args, &["--model", "no/such/folder"]].concat());
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(4), "{stderr}");
        assert!(stderr.contains(word), "{stderr}");
    }
}

#[test]
fn what_a_call_writes_is_not_among_its_images() {
    let folder = filled();
    let yolo = ["--export", "yolo=p/set", "--dataset", "copy", "p"];
    folder.runs(&yolo);
    let first = folder.files("p/set");
    assert!(
        first.iter().filter(|file| file.ends_with(".png")).count() >= 2,
        "{first:?}"
    );
    folder.runs(&yolo);
    assert_eq!(folder.files("p/set"), first);
}

#[test]
fn a_link_to_nothing_is_one_unreadable_image() {
    let folder = filled();
    #[cfg(unix)]
    std::os::unix::fs::symlink("nowhere", folder.path("p/gone.png")).unwrap();
    #[cfg(unix)]
    {
        let output = folder.run(&["--task", "caption", "--json", "p"]);
        assert_eq!(output.status.code(), Some(4));
        let lines = json(&output);
        assert_eq!(
            images(&lines),
            ["p/a.PNG", "p/b.png", "p/gone.png", "p/sub/c.png"]
        );
        assert!(lines[2]["error"].is_string() && lines[3]["answer"].is_object());
    }
}
