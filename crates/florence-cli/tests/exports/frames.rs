//! Photos with an EXIF orientation: exports and drawings are those of the upright photo.

use std::fs;
use std::io::Cursor;

use florence_postprocess::{BBox, Orientation, Size};
use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, ImageFormat};
use serde_json::Value;

use super::{Folder, scene};

/// A JPEG whose EXIF entry says this orientation.
fn photo(image: &DynamicImage, orientation: u8) -> Vec<u8> {
    let mut jpeg = Vec::new();
    image
        .to_rgb8()
        .write_with_encoder(JpegEncoder::new_with_quality(&mut jpeg, 95))
        .unwrap();
    // An EXIF segment with one entry, right after the start of the image.
    let mut exif =
        b"\xff\xe1\x00\x22Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
    exif.extend([orientation, 0, 0, 0, 0, 0, 0]);
    jpeg.splice(2..2, exif);
    jpeg
}

/// The scene as a camera stores it that was held this way.
fn stored(orientation: Orientation) -> Vec<u8> {
    let mut image = image::open(scene(1)).unwrap();
    // The way back; turning left and right undo each other, everything else undoes itself.
    let back = match orientation {
        Orientation::Turned90 => Orientation::Turned270,
        Orientation::Turned270 => Orientation::Turned90,
        other => other,
    };
    image.apply_orientation(image::metadata::Orientation::from_exif(back.to_exif()).unwrap());
    photo(&image, orientation.to_exif())
}

fn bbox(numbers: &Value) -> BBox {
    let number = |at: usize| numbers[at].as_f64().unwrap() as f32;
    BBox::new(number(0), number(1), number(2), number(3))
}

fn corners(xywh: &Value) -> BBox {
    let BBox { x1, y1, x2, y2 } = bbox(xywh);
    BBox::new(x1, y1, x1 + x2, y1 + y2)
}

fn is_near(a: &BBox, b: &BBox) -> bool {
    let mut pairs = a.to_array().into_iter().zip(b.to_array());
    pairs.all(|(a, b)| (a - b).abs() < 0.01)
}

#[test]
fn every_orientation_is_exported_upright_and_said() {
    let upright = image::open(scene(1)).unwrap();
    for number in 2..=8 {
        let orientation = Orientation::from_exif(number).unwrap();
        let folder = Folder::new();
        folder.write("photo.jpg", stored(orientation));
        let args: &[&str] = &[
            "--json",
            "--export",
            "coco=c.json",
            "--export",
            "labelme=labelme",
            "--export",
            "voc=voc",
            "--export",
            "yolo=yolo",
            "photo.jpg",
        ];
        let output = folder.run(args);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{stderr}");
        assert!(
            stderr.contains("EXIF orientation, exported upright as viewers show them: 1"),
            "{stderr}"
        );
        let line: Value = serde_json::from_slice(&output.stdout).unwrap();
        let size = Size::new(
            line["width"].as_u64().unwrap() as u32,
            line["height"].as_u64().unwrap() as u32,
        );
        assert_eq!(
            orientation.upright_size(size),
            Size::new(upright.width(), upright.height())
        );
        let answers = line["answer"]["value"].as_array().unwrap();
        let expected: Vec<BBox> = answers
            .iter()
            .map(|found| {
                let found = &found["bbox"];
                let number = |key: &str| found[key].as_f64().unwrap() as f32;
                let found = BBox::new(number("x1"), number("y1"), number("x2"), number("y2"));
                orientation.upright_bbox(&found, size)
            })
            .collect();
        assert!(!expected.is_empty());

        let coco = folder.json("c.json");
        let image = &coco["images"][0];
        assert_eq!(image["exif_orientation"], number);
        assert_eq!(image["frame"], "upright");
        assert_eq!(
            (&image["width"], &image["height"]),
            (&upright.width().into(), &upright.height().into())
        );
        let labelme = folder.json("labelme/photo.json");
        assert_eq!(labelme["exif_orientation"], number);
        assert_eq!(
            (&labelme["imageWidth"], &labelme["imageHeight"]),
            (&image["width"], &image["height"])
        );
        let voc = folder.text("voc/photo.xml");
        assert!(
            voc.contains(&format!("<exif_orientation>{number}</exif_orientation>")),
            "{voc}"
        );
        assert!(voc.contains(&format!("<width>{}</width>", upright.width())));
        let yolo = folder.text("yolo/photo.txt");
        let labels: Vec<&str> = yolo.lines().collect();
        for (at, expected) in expected.iter().enumerate() {
            assert!(
                is_near(&corners(&coco["annotations"][at]["bbox"]), expected),
                "{number}"
            );
            let points = &labelme["shapes"][at]["points"];
            let drawn = Value::from(vec![
                points[0][0].clone(),
                points[0][1].clone(),
                points[1][0].clone(),
                points[1][1].clone(),
            ]);
            assert!(is_near(&bbox(&drawn), expected), "{number}");
            let shares: Vec<f32> = labels[at]
                .split(' ')
                .skip(1)
                .map(|share| share.parse().unwrap())
                .collect();
            let (width, height) = (upright.width() as f32, upright.height() as f32);
            let middle = (
                (expected.x1 + expected.x2) / 2.0 / width,
                (expected.y1 + expected.y2) / 2.0 / height,
            );
            assert!((shares[0] - middle.0).abs() < 1e-4 && (shares[1] - middle.1).abs() < 1e-4);
        }
    }
}

#[test]
fn photos_that_were_turned_first_are_not_turned_again() {
    let folder = Folder::new();
    folder.write("photo.jpg", stored(Orientation::Turned90));
    folder.write("upright.jpg", photo(&image::open(scene(1)).unwrap(), 1));
    let stderr = folder.runs(&[
        "--exif-orientation",
        "--export",
        "coco=c.json",
        "photo.jpg",
        "upright.jpg",
    ]);
    assert!(!stderr.contains("EXIF orientation"), "{stderr}");
    let coco = folder.json("c.json");
    assert!(coco["images"][0].get("exif_orientation").is_none());
    let of = |image: u64| {
        let found = coco["annotations"].as_array().unwrap().iter();
        let found = found.filter(move |found| found["image_id"] == image);
        found
            .map(|found| (found["category_id"].clone(), corners(&found["bbox"])))
            .collect::<Vec<_>>()
    };
    let (turned, upright) = (of(1), of(2));
    assert!(
        !upright.is_empty() && turned.len() == upright.len(),
        "{coco}"
    );
    for ((label, a), (same, b)) in turned.iter().zip(&upright) {
        assert_eq!(label, same);
        assert!(a.iou(b) > 0.9, "{a:?} {b:?}");
    }
}

#[test]
fn boxes_of_a_photo_lie_on_its_objects_where_it_is_shown_upright() {
    // Upside down a circle is a circle: asked about the stored pixels, the model sees it as well.
    let upright = image::open(scene(1)).unwrap().to_rgb8();
    let folder = Folder::new();
    folder.write("photo.jpg", stored(Orientation::Turned180));
    folder.put(1, "upright.png");
    folder.runs(&["--export", "coco=c.json", "photo.jpg", "upright.png"]);
    let coco = folder.json("c.json");
    let background = upright.get_pixel(2, 2).0;
    let found = coco["annotations"].as_array().unwrap().iter();
    let found: Vec<BBox> = found
        .filter(|found| found["image_id"] == 1)
        .map(|found| corners(&found["bbox"]))
        .collect();
    assert!(!found.is_empty());
    for bbox in found {
        let (x, y) = ((bbox.x1 + bbox.x2) / 2.0, (bbox.y1 + bbox.y2) / 2.0);
        let pixel = upright.get_pixel(x as u32, y as u32).0;
        let distance: u32 = pixel
            .iter()
            .zip(background)
            .map(|(a, b)| u32::from(a.abs_diff(b)))
            .sum();
        assert!(
            distance > 60,
            "{bbox:?} lies on {pixel:?}, as the background {background:?}"
        );
    }
}

#[test]
fn pages_are_upright_in_hocr() {
    let folder = Folder::new();
    let page = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../florence-serve/samples/words.png"
    );
    let page = image::open(page).unwrap();
    folder.write("page.jpg", photo(&page, 3));
    let stderr = folder.runs(&[
        "--task",
        "ocr_with_region",
        "--export",
        "hocr=out",
        "page.jpg",
    ]);
    assert!(stderr.contains("EXIF orientation"), "{stderr}");
    let hocr = folder.text("out/page.hocr");
    assert!(
        hocr.contains(r#"<meta name="exif-orientation" content="3"/>"#),
        "{hocr}"
    );
    assert!(
        hocr.contains(r#"<meta name="frame" content="upright"/>"#),
        "{hocr}"
    );
    roxmltree::Document::parse_with_options(
        &hocr,
        roxmltree::ParsingOptions {
            allow_dtd: true,
            ..Default::default()
        },
    )
    .unwrap();
    folder.write("page.jpg", photo(&page, 6));
    folder.runs(&[
        "--task",
        "ocr_with_region",
        "--export",
        "hocr=out",
        "page.jpg",
    ]);
    let size = format!("bbox 0 0 {} {};", page.height(), page.width());
    assert!(folder.text("out/page.hocr").contains(&size));
}

#[test]
fn drawings_are_upright_and_say_so() {
    let upright = image::open(scene(1)).unwrap();
    for number in [3, 6] {
        let folder = Folder::new();
        folder.write("photo.jpg", stored(Orientation::from_exif(number).unwrap()));
        let stderr = folder.runs(&["--annotate", "drawn.png", "photo.jpg"]);
        assert!(
            stderr.contains(&format!("EXIF orientation {number} and is drawn upright")),
            "{stderr}"
        );
        let drawn = image::open(folder.path("drawn.png")).unwrap();
        assert_eq!(
            (drawn.width(), drawn.height()),
            (upright.width(), upright.height())
        );
        let (drawn, upright) = (drawn.to_rgb8(), upright.to_rgb8());
        let pixels = drawn.pixels().zip(upright.pixels());
        let same = pixels
            .filter(|(a, b)| a.0.iter().zip(b.0).all(|(a, b)| a.abs_diff(b) < 24))
            .count();
        let total = (upright.width() * upright.height()) as usize;
        assert!(
            same * 100 > total * 80,
            "{number}: {same} of {total} pixels are the upright photo's"
        );
        assert!(same < total, "marks are drawn");

        folder.runs(&["--annotate", "drawn.svg", "photo.jpg"]);
        let svg = folder.text("drawn.svg");
        let size = format!("viewBox=\"0 0 {} {}\"", upright.width(), upright.height());
        assert!(svg.contains(&size), "{svg:.400}");
        let files = folder.files(".");
        assert_eq!(files, ["drawn.png", "drawn.svg", "photo.jpg"]);

        // The pictures of many are the same.
        let args = [
            "--annotate",
            "all",
            "--overlay",
            "over",
            "--export",
            "masks=m",
            "photo.jpg",
        ];
        let stderr = folder.runs(&args);
        for note in [
            "--annotate all: photos with an EXIF orientation, drawn upright as viewers show them: 1",
            "--overlay over: photos with an EXIF orientation",
            "--export m: photos with an EXIF orientation",
        ] {
            assert!(stderr.contains(note), "{stderr}");
        }
        let picture = |name: &str| image::open(folder.path(name)).unwrap();
        assert_eq!(picture("all/photo.png").into_rgb8(), drawn);
        let (over, mask) = (
            picture("over/photo.png").into_rgba8(),
            picture("m/photo.mask.png").into_luma8(),
        );
        assert_eq!(over.dimensions(), upright.dimensions());
        assert_eq!(mask.dimensions(), upright.dimensions());
        let background = *upright.get_pixel(0, 0);
        for (x, y, drawn) in drawn.enumerate_pixels() {
            let layer = over.get_pixel(x, y).0;
            if layer[3] == 255 {
                assert_eq!(drawn.0, layer[..3], "{x},{y}");
            }
        }
        // The middle of the object is in the mask, the background is not.
        let inside = mask
            .enumerate_pixels()
            .filter(|(.., value)| value.0 == [255]);
        let inside = inside.map(|(x, y, _)| (x, y)).collect::<Vec<_>>();
        let (x, y) = inside[inside.len() / 2];
        assert_ne!(*upright.get_pixel(x, y), background);
        assert_eq!(mask.get_pixel(0, 0).0, [0]);
    }
}

#[test]
fn the_photo_itself_is_what_it_was() {
    // The test's photos are read as other programs read them.
    let bytes = stored(Orientation::Turned90);
    let read = image::load(Cursor::new(&bytes), ImageFormat::Jpeg).unwrap();
    let upright = image::open(scene(1)).unwrap();
    assert_eq!(
        (read.width(), read.height()),
        (upright.height(), upright.width())
    );
    let folder = Folder::new();
    folder.write("photo.jpg", &bytes);
    folder.runs(&["--export", "yolo=y", "--annotate", "drawn.png", "photo.jpg"]);
    assert_eq!(fs::read(folder.path("photo.jpg")).unwrap(), bytes);
}
