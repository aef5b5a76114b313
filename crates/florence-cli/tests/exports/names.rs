//! Names of images and of their annotation files.

use super::{Folder, file_names};

#[test]
fn images_of_equal_names_are_kept_apart_by_their_folders() {
    let folder = Folder::new();
    folder.put(1, "a/scene.png");
    folder.put(2, "b/deep/scene.png");
    folder.runs(&[
        "--export",
        "coco=coco.json",
        "--export",
        "labelme=labelme",
        "--export",
        "voc=voc",
        "--export",
        "yolo=yolo",
        "a/scene.png",
        "b/deep/scene.png",
    ]);
    let coco = folder.json("coco.json");
    assert_eq!(file_names(&coco), ["a/scene.png", "b/deep/scene.png"]);
    let sizes: Vec<_> = coco["images"]
        .as_array()
        .unwrap()
        .iter()
        .map(|image| &image["width"])
        .collect();
    for (at, name) in ["a/scene", "b/deep/scene"].iter().enumerate() {
        let labelme = folder.json(&format!("labelme/{name}.json"));
        assert_eq!(labelme["imagePath"], "scene.png");
        assert_eq!(&labelme["imageWidth"], sizes[at]);
        let voc = folder.text(&format!("voc/{name}.xml"));
        let voc = roxmltree::Document::parse(&voc).unwrap();
        let text = |tag| {
            voc.descendants()
                .find(|node| node.has_tag_name(tag))
                .unwrap()
                .text()
        };
        assert_eq!(text("folder"), Some(name.trim_end_matches("/scene")));
        assert_eq!(text("filename"), Some("scene.png"));
        assert!(!folder.text(&format!("yolo/{name}.txt")).is_empty());
    }
    assert!(folder.text("yolo/data.yaml").contains("0: \""));
}

/// Folder by folder, names are those of the files alone.
#[test]
fn files_that_give_way_to_those_of_another_run_are_counted() {
    let folder = Folder::new();
    folder.put(1, "a/1.png");
    folder.put(2, "b/1.png");
    let stderr = |image| folder.runs(&["--export", "yolo=yolo", "--export", "voc=voc", image]);
    assert!(!stderr("a/1.png").contains("replaced"));
    let again = stderr("b/1.png");
    for export in ["yolo", "voc"] {
        let count = format!("--export {export}: existing files replaced: 1");
        assert!(again.contains(&count), "{again}");
    }
    assert!(again.contains("--images-root"), "{again}");
}

#[test]
fn pages_keep_their_folders_too() {
    let folder = Folder::new();
    for place in ["a/page.png", "b/page.png"] {
        let page = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../florence-serve/samples/words.png"
        );
        folder.write(place, std::fs::read(page).unwrap());
    }
    folder.runs(&[
        "--task",
        "ocr_with_region",
        "--export",
        "hocr=out",
        "--export",
        "text=out",
        "--export",
        "markdown=out",
        "a/page.png",
        "b/page.png",
    ]);
    let files: Vec<String> = ["a", "b"]
        .iter()
        .flat_map(|place| ["hocr", "md", "txt"].map(|ending| format!("out/{place}/page.{ending}")))
        .collect();
    assert_eq!(folder.files("out"), files);
    assert!(
        folder
            .text("out/a/page.hocr")
            .contains("image &quot;page.png&quot;")
    );
}

#[test]
fn one_folder_gives_names_and_a_root_gives_places() {
    let folder = Folder::new();
    folder.put(1, "set/a/1.png");
    folder.put(2, "set/a/2.png");
    folder.runs(&["--export", "coco=c.json", "set/a/1.png", "set/a/../a/2.png"]);
    assert_eq!(file_names(&folder.json("c.json")), ["1.png", "2.png"]);
    folder.runs(&[
        "--export",
        "coco=c.json",
        "--images-root",
        "set",
        "set/a/1.png",
    ]);
    assert_eq!(file_names(&folder.json("c.json")), ["a/1.png"]);
    folder.refuses(
        &[
            "--export",
            "coco=c.json",
            "--images-root",
            "set/b",
            "set/a/1.png",
        ],
        &["--images-root set/b", "no such folder"],
    );
    std::fs::create_dir(folder.path("set/b")).unwrap();
    folder.refuses(
        &[
            "--export",
            "coco=c.json",
            "--images-root",
            "set/b",
            "set/a/1.png",
        ],
        &["set/a/1.png is not in it"],
    );
}

#[test]
fn a_misspelt_image_renames_no_other() {
    let folder = Folder::new();
    folder.put(1, "set/a/1.png");
    folder.put(2, "set/a/2.png");
    let images = ["set/a/1.png", "ste/b/3.png", "set/a/2.png"];
    let output = folder.run(&[&["--export", "coco=c.json"], &images[..]].concat());
    assert_eq!(output.status.code(), Some(4));
    assert_eq!(file_names(&folder.json("c.json")), ["1.png", "2.png"]);
}

#[test]
fn nothing_is_written_outside_of_the_folder() {
    let folder = Folder::new();
    folder.put(1, "x/y/1.png");
    folder.put(2, "up.png");
    let mut command = folder.command();
    command.current_dir(folder.path("x/y")).args([
        "--task",
        "od",
        "--export",
        "labelme=out/in",
        "../../up.png",
        "1.png",
    ]);
    assert!(command.output().unwrap().status.success());
    assert_eq!(
        folder.files("x/y/out"),
        ["x/y/out/in/up.json", "x/y/out/in/x/y/1.json"]
    );
}

#[test]
fn an_image_that_is_given_twice_is_there_once() {
    let folder = Folder::new();
    folder.put(1, "a/1.png");
    let output = folder.run(&[
        "--json",
        "--export",
        "coco=c.json",
        "a/1.png",
        "./a/1.png",
        "a/1.png",
    ]);
    assert!(output.status.success());
    assert_eq!(
        output.stdout.split(|byte| *byte == b'\n').count(),
        4,
        "each is answered"
    );
    assert_eq!(file_names(&folder.json("c.json")), ["1.png"]);
}

#[test]
fn names_that_differ_in_their_ending_only_keep_it() {
    let folder = Folder::new();
    folder.put(1, "a.png");
    folder.put(2, "a.PNG");
    folder.put(3, "b.png");
    let stderr = folder.runs(&[
        "--export",
        "yolo=yolo",
        "--export",
        "coco=c.json",
        "a.png",
        "a.PNG",
        "b.png",
    ]);
    assert!(
        stderr.contains("2 images differ from another only in their extension"),
        "{stderr}"
    );
    assert_eq!(
        folder.files("yolo"),
        [
            "yolo/a.PNG.txt",
            "yolo/a.png.txt",
            "yolo/b.txt",
            "yolo/data.yaml"
        ]
    );
    assert_eq!(
        file_names(&folder.json("c.json")),
        ["a.png", "a.PNG", "b.png"]
    );
}

#[test]
fn images_are_not_written_over() {
    let folder = Folder::new();
    folder.put(1, "scan.txt");
    folder.refuses(
        &["--export", "yolo=.", "scan.txt"],
        &["--export .", "would overwrite one of the images"],
    );
    folder.refuses(
        &["--export", "yolo=x", "--export", "yolo=x", "scan.txt"],
        &["two exports would write the same files"],
    );
    for [one, other] in [
        ["yolo=./x", "text=y/../x/."],
        ["yolo=w", "text=w/../w"],
        ["yolo=w", "text=nope/../w"],
        ["coco=x/scan.json", "labelme=x"],
        ["coco=x/data.yaml", "yolo=x"],
        ["coco=c.json", "coco=c.json.partial"],
        #[cfg(unix)]
        ["coco=c.json", "labelme=linked"],
    ] {
        folder.write("y/here", "");
        folder.write("c.json", "");
        #[cfg(unix)]
        {
            folder.write("linked/here", "");
            let _ = std::os::unix::fs::symlink("../c.json", folder.path("linked/scan.json"));
        }
        let mut args = ["--export", one, "--export", other, "scan.txt"].to_vec();
        if one.starts_with("yolo") {
            args.extend(["--task", "ocr_with_region"]);
        }
        folder.refuses(&args, &["two exports would write the same files", one]);
    }
    for (one, other) in [
        ("yolo=ds", "text=ds/labels/train"),
        ("voc=ds", "text=ds/ImageSets/Main"),
        ("voc=ds", "yolo=ds/JPEGImages"),
    ] {
        let data_set = ["--dataset", "copy", "--task", "ocr_with_region"];
        let args = [
            &["--export", one, "--export", other, "scan.txt"][..],
            &data_set,
        ]
        .concat();
        folder.refuses(&args, &["two exports would write the same files", one]);
    }
    folder.write("ds/images/train/here", "");
    let drawn = [
        "--annotate",
        "ds/images/train/x.png",
        "--export",
        "yolo=ds",
        "scan.txt",
    ];
    folder.refuses(
        &[&drawn[..], &["--dataset", "copy"]].concat(),
        &["--annotate"],
    );
    let drawn = [
        "--annotate",
        "x.png",
        "--export",
        "coco=./x.png",
        "scan.txt",
    ];
    folder.refuses(&drawn, &["two exports", "--annotate x.png"]);
    folder.refuses(&["--export", "coco=.", "scan.txt"], &["this is a folder"]);
    folder.write("file", "");
    folder.refuses(&["--export", "voc=file", "scan.txt"], &["this is a file"]);
}

/// Also where the whole name of one is that of another without its ending, from run to run.
#[test]
fn every_image_has_a_file_of_its_own() {
    let folder = Folder::new();
    folder.put(1, "a.png.gif");
    folder.put(2, "a.png");
    for images in [["a.png.gif", "a.png"], ["a.png", "a.png.gif"]] {
        for format in ["yolo", "labelme"] {
            let target = format!("{format}={format}");
            folder.runs(&[&["--export", &target][..], &images].concat());
            let ending = if format == "yolo" { "txt" } else { "json" };
            for stem in ["a", "a.png"] {
                assert!(folder.path(format!("{format}/{stem}.{ending}")).exists());
            }
        }
        let about = |stem: &str| folder.json(&format!("labelme/{stem}.json"))["imagePath"].clone();
        assert_eq!([about("a"), about("a.png")], ["a.png", "a.png.gif"]);
    }
}

#[test]
fn files_about_images_may_lie_beside_those_of_a_data_set() {
    let folder = Folder::new();
    folder.put(1, "1.png");
    let data_set = ["--export", "yolo=ds", "--dataset", "copy", "--val", "0"];
    let beside = [
        "--export",
        "coco=ds/images/all.json",
        "--export",
        "labelme=ds/images/train",
        "1.png",
    ];
    folder.runs(&[&data_set[..], &beside].concat());
    folder.runs(&[&data_set[..], &beside].concat());
    let images = folder.files("ds/images");
    assert_eq!(
        images,
        [
            "ds/images/all.json",
            "ds/images/train/1.json",
            "ds/images/train/1.png"
        ]
    );
    folder.put(2, "photo.json");
    folder.refuses(
        &[&data_set[..], &["photo.json"]].concat(),
        &["--dataset", "photo.json", "expected one such as .png"],
    );
}

#[cfg(target_os = "linux")]
#[test]
fn names_that_are_not_utf8_are_exact_in_every_export() {
    use std::ffi::{OsStr, OsString};
    use std::os::unix::ffi::OsStrExt;

    let folder = Folder::new();
    let name = OsStr::from_bytes(b"d\xe9j\xe0/caf\xe9.png");
    folder.put(1, name);
    folder.put(2, "plain/scene.png");
    let out = |format: &str| {
        let mut target = OsString::from(format!("{format}="));
        target.push(OsStr::from_bytes(b"out\xff/"));
        target.push(format);
        target
    };
    let targets: Vec<OsString> = ["coco", "yolo", "labelme", "voc"].map(out).into();
    let mut args: Vec<&OsStr> = Vec::new();
    for target in &targets {
        args.extend([OsStr::new("--export"), target]);
    }
    args.extend([name, OsStr::new("plain/scene.png")]);
    folder.runs(&args);

    let out = folder.path(OsStr::from_bytes(b"out\xff"));
    let read = |place: &[u8]| std::fs::read_to_string(out.join(OsStr::from_bytes(place))).unwrap();
    let base64 = "ZOlq4C9jYWbpLnBuZw=="; // d\xe9j\xe0/caf\xe9.png
    let coco: serde_json::Value = serde_json::from_str(&read(b"coco")).unwrap();
    assert_eq!(
        coco["images"][0]["file_name"],
        "d\u{fffd}j\u{fffd}/caf\u{fffd}.png"
    );
    assert_eq!(coco["images"][0]["file_name_bytes"], base64);
    assert_eq!(coco["images"][1]["file_name"], "plain/scene.png");
    assert!(coco["images"][1].get("file_name_bytes").is_none());
    assert!(!read(b"yolo/d\xe9j\xe0/caf\xe9.txt").is_empty());
    let labelme: serde_json::Value =
        serde_json::from_str(&read(b"labelme/d\xe9j\xe0/caf\xe9.json")).unwrap();
    assert_eq!(labelme["imagePath"], "caf\u{fffd}.png");
    assert_eq!(labelme["file_name_bytes"], "Y2Fm6S5wbmc=");
    let voc = read(b"voc/d\xe9j\xe0/caf\xe9.xml");
    assert!(
        voc.contains(&format!("<file_name_bytes>{base64}</file_name_bytes>")),
        "{voc}"
    );
    assert!(read(b"voc/plain/scene.xml").contains("<object>"));
}
