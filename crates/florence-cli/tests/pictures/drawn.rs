//! `--annotate DIR` and `--overlay DIR`.

use std::fs;

use super::folder::Folder;
use super::picture;

fn filled() -> Folder {
    let folder = Folder::new();
    folder.put(1, "p/a.png");
    folder.put(2, "p/sub/b.png");
    folder
}

#[test]
fn each_image_has_its_pictures_in_the_same_subfolders() {
    let folder = filled();
    let stderr = folder.runs(&["--annotate", "drawn", "--overlay", "over", "p"]);
    assert!(stderr.contains("2 of 2 images answered"), "{stderr}");
    assert_eq!(folder.files("drawn"), ["drawn/a.png", "drawn/sub/b.png"]);
    assert_eq!(folder.files("over"), ["over/a.png", "over/sub/b.png"]);
    for name in ["a", "sub/b"] {
        let image = format!("p/{name}.png");
        folder.runs(&["--annotate", "alone.png", &image]);
        let drawn = picture(&folder, &format!("drawn/{name}.png")).into_rgb8();
        assert_eq!(drawn, picture(&folder, "alone.png").into_rgb8());

        let (photo, over) = (
            picture(&folder, &image).into_rgb8(),
            picture(&folder, &format!("over/{name}.png")),
        );
        assert_eq!(over.color(), image::ColorType::Rgba8);
        let over = over.into_rgba8();
        assert_eq!(over.dimensions(), photo.dimensions());
        let (mut clear, mut solid) = (0, 0);
        for (x, y, over) in over.enumerate_pixels() {
            let (photo, drawn) = (photo.get_pixel(x, y), drawn.get_pixel(x, y));
            match over.0[3] {
                0 => {
                    assert_eq!(drawn, photo, "{x},{y}");
                    clear += 1;
                }
                255 => {
                    assert_eq!(drawn.0, over.0[..3], "{x},{y}");
                    solid += 1;
                }
                _ => {}
            }
        }
        assert!(clear > 10_000 && solid > 1_000, "{clear} {solid}");
    }
}

#[test]
fn a_folder_is_told_from_a_file_by_its_name() {
    let folder = filled();
    // Also of one image, with an ending that is none of a picture, or with a separator behind it.
    fs::create_dir(folder.path("there.d")).unwrap();
    for out in ["new/out", "there.d", "new.png/"] {
        folder.runs(&["--annotate", out, "p/a.png"]);
        let out = out.trim_end_matches('/');
        assert_eq!(folder.files(out), [format!("{out}/a.png")]);
    }
    folder.runs(&["--overlay", "over.png", "p/a.png"]);
    assert_eq!(folder.files("over.png"), ["over.png/a.png"]);
    folder.refuses(
        &["--annotate", "new.d", "p/a.png"],
        &["--annotate new.d: expected a file", "or a folder"],
    );
    folder.refuses(
        &["--annotate", "new2.png", "p"],
        &["expected one image, got 2", "a name without .png"],
    );
    folder.write("file", "");
    for flag in ["--annotate", "--overlay"] {
        folder.refuses(
            &[flag, "file", "p"],
            &[&format!("{flag} file: this is a file: expected a folder")],
        );
    }
}

#[test]
fn images_of_one_stem_have_a_picture_each() {
    let folder = Folder::new();
    folder.put(1, "p/a.png");
    folder.put(2, "p/a.jpg"); // a PNG inside, which is fine
    folder.put(3, "p/b.webp");
    let stderr = folder.runs(&["--overlay", "over", "--annotate", "drawn", "p"]);
    let note = "2 images differ from another only in their extension: their files keep it, such as a.png.png";
    assert!(
        stderr.contains(&format!("--overlay over: {note}")),
        "{stderr}"
    );
    let names = ["a.jpg.png", "a.png.png", "b.png"];
    for out in ["over", "drawn"] {
        assert_eq!(folder.files(out), names.map(|name| format!("{out}/{name}")));
        for (name, image) in names.iter().zip(["p/a.jpg", "p/a.png", "p/b.webp"]) {
            let size = |name: &str| {
                let bytes = fs::read(folder.path(name)).unwrap();
                let image = image::load_from_memory(&bytes).unwrap();
                (image.width(), image.height())
            };
            assert_eq!(size(&format!("{out}/{name}")), size(image));
        }
    }
    // A later run knows them by the names that they have.
    let stderr = folder.runs(&["--overlay", "over", "--skip-existing", "p/a.png"]);
    assert!(stderr.contains("1 already done"), "{stderr}");
    assert_eq!(folder.files("over").len(), 3);
}

#[test]
fn pictures_are_not_images_of_the_next_run() {
    let folder = filled();
    for images in ["p", "p/**/*.png"] {
        for _ in 0..2 {
            let args = [
                "--annotate",
                "p/drawn",
                "--overlay",
                "p/over",
                "--export",
                "masks=p/masks",
                "--overwrite",
            ];
            let stderr = folder.runs(&[&args[..], &[images]].concat());
            assert!(
                stderr.contains("2 of 2 images answered"),
                "{images}: {stderr}"
            );
        }
    }
    assert_eq!(folder.files("p/over"), ["p/over/a.png", "p/over/sub/b.png"]);
    for (args, path) in [
        (["--annotate", "p"], "--annotate p:"),
        (["--overlay", "./p"], "--overlay ./p:"),
        (["--export", "masks=p/../p"], "--export masks=p/../p:"),
    ] {
        folder.refuses(
            &[&args[..], &["p"]].concat(),
            &[path, "this is a folder of the images", "expected another"],
        );
    }
    // A folder of other files is no folder of images.
    folder.runs(&["--overlay", "p/sub/over", "p/a.png"]);
}

#[test]
fn pictures_that_exist_are_not_replaced_without_being_told() {
    let folder = filled();
    folder.write("drawn/a.png", "by hand");
    let args = ["--annotate", "drawn", "p"];
    folder.refuses(
        &args,
        &[
            "--annotate drawn: pictures that exist: 1, first drawn/a.png",
            "--skip-existing",
            "--overwrite",
        ],
    );
    let stderr = folder.runs(&[&args[..], &["--skip-existing"]].concat());
    assert!(
        stderr.contains("1 of 2 images answered, 1 already done"),
        "{stderr}"
    );
    assert_eq!(folder.text("drawn/a.png"), "by hand");
    assert_eq!(folder.files("drawn").len(), 2);
    folder.runs(&[&args[..], &["--overwrite", "--quiet"]].concat());
    picture(&folder, "drawn/a.png");
    let output = folder.run(&[&args[..], &["--overwrite", "--resume"]].concat());
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn what_cannot_be_drawn_is_refused() {
    let folder = filled();
    folder.put(3, "p/sub/c.jpg");
    for (args, words) in [
        (
            &["--task", "caption", "--overlay", "out"][..],
            &["--overlay out: <CAPTION> answers with text"][..],
        ),
        (
            &["--task", "caption", "--annotate", "out"],
            &["--annotate out: <CAPTION> answers with text"],
        ),
        (
            &[
                "--task",
                "od",
                "--task",
                "ocr_with_region",
                "--annotate",
                "out",
            ],
            &["--annotate: expected one question", "got 2"],
        ),
        (
            &["--task", "od", "--task", "caption", "--overlay", "out"],
            &["--overlay: expected one question", "got 2"],
        ),
        (
            &["--annotate", "out", "--overlay", "./out"],
            &["--overlay ./out: this would write the same files as --annotate out"],
        ),
        (
            &["--overlay", "p", "p/a.png"],
            &["--overlay p: this would overwrite one of the images"],
        ),
        (
            &["--resume"],
            &["--resume: expected --output, --captions, --annotate DIR"],
        ),
        (
            &["--skip-existing"],
            &["--skip-existing: expected --captions, --annotate DIR"],
        ),
    ] {
        let images: &[&str] = if args.contains(&"p/a.png") {
            &[]
        } else {
            &["p"]
        };
        folder.refuses(&[args, images].concat(), words);
    }
    assert_eq!(folder.files("."), ["p/a.png", "p/sub/b.png", "p/sub/c.jpg"]);
}

#[cfg(unix)]
#[test]
fn a_picture_that_cannot_be_written_does_not_cost_the_others() {
    let folder = filled();
    // A folder in the place of a picture.
    fs::create_dir_all(folder.path("over/a.png")).unwrap();
    let output = folder.run(&[
        "--overlay",
        "over",
        "--annotate",
        "drawn",
        "--overwrite",
        "p",
    ]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(
        stderr.contains("--overlay over/a.png: ") && stderr.contains("1 failed"),
        "{stderr}"
    );
    assert_eq!(folder.files("drawn"), ["drawn/a.png", "drawn/sub/b.png"]);
    assert_eq!(folder.files("over"), ["over/sub/b.png"]);
    assert_eq!(
        String::from_utf8_lossy(&output.stdout)
            .matches("p/")
            .count(),
        2
    );
}
