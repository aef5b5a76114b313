//! Writes random scenes in every format, for `tools/exports/check.py`, which reads them back with
//! other libraries.
//!
//! ```sh
//! cargo run -p florence-export --example export -- OUT [IMAGES [SEED]]
//! ```

use std::fs::{self, File};
use std::io::{self, BufWriter};
use std::path::Path;

use florence_export::{
    Categories, CocoResultKind, CocoResultsWriter, CocoSegmentation, CocoWriter, ExportCounts,
    ImageRecord, YoloTask, labelme_document, voc_document, yolo_data, yolo_labels,
};
use florence_postprocess::{
    Annotation, AnswerForm, BBox, Mask, Point, Polygon, QuadBox, Rle, Shape, Size, parse_text,
};

use fastrand::Rng;

const LABELS: [&str; 8] = [
    "car",
    "café 猫 🐈",
    "two\nlines",
    "\"quotes\" & <b>'marks'</b> \\ ]]>",
    "- yaml: [no] # null",
    " spaces ",
    "bell \u{7} and next line \u{85}",
    "",
];

fn main() -> io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let Some(out) = arguments.next() else {
        eprintln!("usage: export OUT [IMAGES [SEED]]");
        std::process::exit(2);
    };
    let mut number = |usual| {
        arguments
            .next()
            .and_then(|n| n.parse().ok())
            .unwrap_or(usual)
    };
    let (images, seed) = (number(100), number(1));
    let out = Path::new(&out);
    for folder in ["detect/labels", "segment/labels", "labelme", "voc"] {
        fs::create_dir_all(out.join(folder))?;
    }
    let create = |name: &str| File::create(out.join(name)).map(BufWriter::new);

    let mut known = Categories::closed(LABELS);
    let coco = |name, form| CocoWriter::with_categories(create(name)?, form, known.clone());
    let mut annotations = [
        coco("polygons.json", CocoSegmentation::Polygons)?,
        coco("counts.json", CocoSegmentation::Counts)?,
        coco("compressed.json", CocoSegmentation::CompressedCounts)?,
    ];
    let results = |name, kind| CocoResultsWriter::new(create(name)?, kind, known.clone());
    let mut results = [
        results("result_boxes.json", CocoResultKind::Boxes)?,
        results("result_masks.json", CocoResultKind::Masks)?,
    ];

    let mut rng = Rng::with_seed(seed);
    let mut counts = ExportCounts::default();
    for id in 1..=images {
        let image = scene(id, &mut rng);
        for writer in &mut annotations {
            writer.write_image(&image)?;
        }
        for writer in &mut results {
            writer.write_image(id, &image)?;
        }
        let name = |folder: &str, end: &str| out.join(format!("{folder}/{id:06}.{end}"));
        let detect = yolo_labels(&image, YoloTask::Detect, &mut known);
        fs::write(name("detect/labels", "txt"), detect.text)?;
        let segment = yolo_labels(&image, YoloTask::Segment, &mut known);
        fs::write(name("segment/labels", "txt"), segment.text)?;
        fs::write(name("labelme", "json"), labelme_document(&image).text)?;
        let voc = voc_document(&image);
        fs::write(name("voc", "xml"), voc.text)?;
        counts.add(&image.annotations, &voc.notes);
    }
    for writer in annotations {
        writer.finish()?;
    }
    for writer in results {
        writer.finish()?;
    }
    for task in ["detect", "segment"] {
        let data = yolo_data(".", "images", "images", &known);
        fs::write(out.join(task).join("data.yaml"), data)?;
    }
    println!("{counts:?}");
    Ok(())
}

fn scene(id: u64, rng: &mut Rng) -> ImageRecord {
    let size = Size::new(20 + rng.u64(..400) as u32, 20 + rng.u64(..400) as u32);
    let mut image = ImageRecord::new(format!("{id:06}.jpg"), size);
    // As the model would answer: bins in pixels of the image.
    let mut answer = String::from("</s><s>thing<poly>");
    for _ in 0..2 * (3 + rng.u64(..10)) {
        answer.push_str(&format!("<loc_{}>", rng.u64(..1000)));
    }
    answer.push_str("</poly></s>");
    let parsed = parse_text(AnswerForm::BoxesOrPolygons, &answer, size);
    image.extend_from_answer(&parsed.answer);
    for _ in 0..rng.u64(..8) {
        let shape = shape(size, rng);
        let score = (rng.u64(..2) == 0).then(|| share(rng));
        image
            .annotations
            .push(Annotation::new("", shape).with_score(score));
    }
    for annotation in &mut image.annotations {
        LABELS[rng.u64(..8) as usize].clone_into(&mut annotation.label);
    }
    image
}

fn shape(size: Size, rng: &mut Rng) -> Shape {
    match rng.u64(..6) {
        0 => {
            let (a, b) = (point(rng, size), point(rng, size));
            BBox::new(a.x, a.y, b.x, b.y).into()
        }
        1 => QuadBox {
            points: [(); 4].map(|()| point(rng, size)),
        }
        .into(),
        2 => outline(size, rng).into(),
        3 => Shape::Polygons((0..rng.u64(..4)).map(|_| outline(size, rng)).collect()),
        4 => Rle::from_polygon(&outline(size, rng), size).into(),
        _ => {
            // Blobs of noise, with holes.
            let mut mask = Mask::new(size);
            let (left, top) = (rng.u64(..10) as u32, rng.u64(..10) as u32);
            for (x, y) in (0..10).flat_map(|x| (0..10).map(move |y| (x, y))) {
                mask.set(left + x, top + y, rng.u64(..3) > 0);
            }
            Rle::from_mask(&mask).into()
        }
    }
}

fn outline(size: Size, rng: &mut Rng) -> Polygon {
    (0..rng.u64(..9))
        .map(|_| point(rng, size))
        .collect::<Vec<_>>()
        .into()
}

/// From 0 to 1.
fn share(rng: &mut Rng) -> f32 {
    (rng.u64(..) >> 40) as f32 / (1u64 << 24) as f32
}

fn point(rng: &mut Rng, size: Size) -> Point {
    let x = along(rng, size.width as f32);
    Point::new(x, along(rng, size.height as f32))
}

/// Mostly within the image, sometimes around it, on a tenth of a pixel or no number at all.
fn along(rng: &mut Rng, side: f32) -> f32 {
    let share = share(rng);
    match rng.u64(..40) {
        0 => f32::NAN,
        1 => f32::MAX,
        2..6 => (share * 3.0 - 1.0) * side,
        6..14 => (share * side * 10.0).round() / 10.0,
        14..20 => (share * side).round(),
        _ => share * side,
    }
}
