//! Export files: always valid, and read back to what was put in.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use florence_export::{
    Categories, CocoResultKind, CocoResultsWriter, CocoSegmentation, CocoWriter, Document,
    ExportCounts, ExportNote, ExportNoteKind, ImageRecord, YoloTask, labelme_document,
    voc_document, yolo_data, yolo_labels,
};
use florence_postprocess::{
    Annotation, AnswerForm, BBox, Mask, Orientation, Point, Polygon, QuadBox, Rle, Shape, Size,
    parse_text,
};
use proptest::prelude::*;
use serde_json::{Value, json};

const SIZE: Size = Size::new(100, 50);

fn record(annotations: impl IntoIterator<Item = Annotation>) -> ImageRecord {
    let mut image = ImageRecord::new("a.png", SIZE);
    image.annotations.extend(annotations);
    image
}

fn polygon(corners: &[(f32, f32)]) -> Polygon {
    let points = corners.iter().map(|(x, y)| Point::new(*x, *y)).collect();
    Polygon { points }
}

fn coco(images: &[ImageRecord], segmentation: CocoSegmentation) -> (Value, Vec<ExportNote>) {
    let mut writer = CocoWriter::new(Vec::new(), segmentation).unwrap();
    let mut notes = Vec::new();
    for image in images {
        notes.extend(writer.write_image(image).unwrap());
    }
    let counts = writer.counts();
    let json: Value = serde_json::from_slice(&writer.finish().unwrap()).unwrap();
    assert_eq!(counts.images, images.len());
    assert_eq!(counts.annotations, items(&json["annotations"]).len());
    (json, notes)
}

fn read(json: &str) -> Value {
    serde_json::from_str(json).unwrap()
}

fn items(value: &Value) -> &[Value] {
    value.as_array().unwrap()
}

fn kinds(notes: &[ExportNote]) -> Vec<(usize, ExportNoteKind)> {
    let notes = notes.iter();
    notes
        .map(|note| (note.annotation, note.kind.clone()))
        .collect()
}

/// A ring of pixels with a hole, and a pixel apart.
fn ring() -> Rle {
    let mut mask = Mask::new(SIZE);
    for (x, y) in (10..13).flat_map(|x| (20..23).map(move |y| (x, y))) {
        mask.set(x, y, (x, y) != (11, 21));
    }
    mask.set(40, 30, true);
    Rle::from_mask(&mask)
}

#[test]
fn coco_has_every_shape() {
    let triangle = polygon(&[(10.0, 10.0), (20.0, 10.0), (10.0, 30.0)]);
    let part = polygon(&[(50.0, 10.0), (60.0, 10.0), (60.0, 12.5), (50.0, 12.5)]);
    let images = [
        record([
            Annotation::new("box", BBox::new(1.5, 2.0, 11.0, 12.2)).with_score(0.1),
            Annotation::new(
                "line",
                QuadBox::from([5.0, 0.0, 9.0, 4.0, 5.0, 8.0, 1.0, 4.0]),
            ),
        ]),
        record([]),
        record([
            Annotation::new("thing", Shape::Polygons(vec![triangle, part])),
            Annotation::new("box", ring()),
        ]),
    ];
    let (json, notes) = coco(&images, CocoSegmentation::Polygons);
    assert!(notes.is_empty());
    let annotation = |index: usize| &json["annotations"][index];
    assert_eq!(
        *annotation(0),
        json!({
            "id": 1, "image_id": 1, "category_id": 1,
            "bbox": [1.5, 2.0, 9.5, 10.2], "area": 96.9,
            "segmentation": [[1.5, 2.0, 11.0, 2.0, 11.0, 12.2, 1.5, 12.2]],
            "iscrowd": 0, "score": 0.1,
        })
    );
    assert_eq!(
        *annotation(1),
        json!({
            "id": 2, "image_id": 1, "category_id": 2,
            "bbox": [1.0, 0.0, 8.0, 8.0], "area": 32.0,
            "segmentation": [[5.0, 0.0, 9.0, 4.0, 5.0, 8.0, 1.0, 4.0]],
            "iscrowd": 0,
        })
    );
    assert_eq!(annotation(2)["image_id"], 3);
    assert_eq!(annotation(2)["area"], 125.0);
    assert_eq!(annotation(2)["bbox"], json!([10.0, 10.0, 50.0, 20.0]));
    assert_eq!(items(&annotation(2)["segmentation"]).len(), 2);
    assert_eq!(annotation(3)["category_id"], 1);
    assert_eq!(annotation(3)["area"], 9.0);
    assert_eq!(annotation(3)["bbox"], json!([10.0, 20.0, 31.0, 11.0]));
    assert_eq!(items(&annotation(3)["segmentation"]).len(), 2);
    let names: Vec<&Value> = items(&json["categories"])
        .iter()
        .map(|c| &c["name"])
        .collect();
    assert_eq!(names, ["box", "line", "thing"]);
    assert_eq!(items(&json["images"]).len(), 3);

    let (counts, _) = coco(&images, CocoSegmentation::Counts);
    let (text, _) = coco(&images, CocoSegmentation::CompressedCounts);
    for index in 0..4 {
        let counts = &counts["annotations"][index]["segmentation"];
        let text = &text["annotations"][index]["segmentation"];
        assert_eq!(counts["size"], json!([50, 100]));
        let listed = serde_json::from_value(counts["counts"].clone()).unwrap();
        let listed = Rle::from_counts(SIZE, listed).unwrap();
        assert_eq!(text["size"], json!([50, 100]));
        let compressed = Rle::from_compressed(SIZE, text["counts"].as_str().unwrap()).unwrap();
        assert_eq!(listed, compressed);
        // What the polygons of the other file say.
        let drawn = items(&annotation(index)["segmentation"])
            .iter()
            .map(|xy| {
                Rle::from_xy(
                    &serde_json::from_value::<Vec<f64>>(xy.clone()).unwrap(),
                    SIZE,
                )
            })
            .reduce(|all, one| all.union(&one).unwrap());
        assert_eq!(drawn.unwrap(), listed);
    }
    assert_eq!(
        text["annotations"][3]["segmentation"]["counts"],
        ring().to_compressed()
    );
}

#[test]
fn results_are_for_boxes_or_masks() {
    let images = [
        record([
            Annotation::new("dog", BBox::new(0.0, 0.0, 1.0, 1.0)),
            Annotation::new("cat", BBox::new(1.5, 2.0, 11.0, 12.2)).with_score(0.25),
        ]),
        record([Annotation::new("cat", ring())]),
    ];
    let write = |kind| {
        let known = Categories::closed(["person", "cat"]);
        let mut writer = CocoResultsWriter::new(Vec::new(), kind, known).unwrap();
        let notes = writer.write_image(7, &images[0]).unwrap();
        assert_eq!(kinds(&notes), [(0, ExportNoteKind::UnknownLabel)]);
        assert!(writer.write_image(9, &images[1]).unwrap().is_empty());
        let counts = writer.counts();
        assert_eq!(
            (counts.images, counts.annotations, counts.left_out),
            (2, 2, 1)
        );
        serde_json::from_slice::<Value>(&writer.finish().unwrap()).unwrap()
    };
    assert_eq!(
        write(CocoResultKind::Boxes),
        json!([
            {"image_id": 7, "category_id": 2, "bbox": [1.5, 2.0, 9.5, 10.2], "score": 0.25},
            {"image_id": 9, "category_id": 2, "bbox": [10.0, 20.0, 31.0, 11.0], "score": 1.0},
        ])
    );
    let masks = write(CocoResultKind::Masks);
    assert_eq!(
        masks[1]["segmentation"],
        json!({"size": [50, 100], "counts": ring().to_compressed()})
    );
    assert_eq!(masks[1].get("bbox"), None);
}

#[test]
fn degenerate_shapes_are_noted_and_left_out() {
    let nan = f32::NAN;
    let square = polygon(&[(10.0, 10.0), (20.0, 10.0), (20.0, 20.0), (10.0, 20.0)]);
    let line = polygon(&[(0.0, 0.0), (9.0, 9.0)]);
    let beside = polygon(&[(110.0, 0.0), (120.0, 0.0), (120.0, 9.0)]);
    let broken = polygon(&[(0.0, 0.0), (9.0, nan), (5.0, 5.0)]);
    let bow = polygon(&[(0.0, 0.0), (4.0, 4.0), (4.0, 0.0), (0.0, 4.0)]);
    let image = record([
        Annotation::new("turned round", BBox::new(11.0, 12.0, 1.0, 2.0)),
        Annotation::new("no width", BBox::new(5.0, 2.0, 5.0, 9.0)),
        Annotation::new("nan", BBox::new(5.0, nan, 5.0, 9.0)).with_score(nan),
        Annotation::new("endless", BBox::new(f32::NEG_INFINITY, 0.0, 5.0, 9.0)),
        Annotation::new("outside", BBox::new(100.0, 0.0, 110.0, 9.0)),
        Annotation::new("cut", BBox::new(90.0, -5.0, 110.0, 9.0)).with_score(f32::INFINITY),
        Annotation::new("nothing", Shape::Polygons(vec![])),
        Annotation::new("no points", Polygon::default()),
        Annotation::new("line", line.clone()),
        Annotation::new("beside", beside.clone()),
        Annotation::new("broken", broken.clone()),
        Annotation::new("parts", Shape::Polygons(vec![line, square, beside, broken])),
        Annotation::new("bow", bow),
        Annotation::new("quad", QuadBox::default()),
        Annotation::new("empty mask", Rle::new(SIZE)),
        Annotation::new("other mask", Rle::new(Size::new(5, 5))),
        Annotation::new("huge", BBox::new(f32::MIN, f32::MIN, f32::MAX, f32::MAX)),
        Annotation::new("speck", BBox::new(1e-38, 0.0, 0.0, 9.0)),
    ]);
    use ExportNoteKind::*;
    let expected = [
        (1, NoArea),
        (2, NotFinite),
        (3, NotFinite),
        (4, Outside),
        (5, Clipped),
        (5, ScoreLeftOut),
        (6, NoArea),
        (7, NoArea),
        (8, NoArea),
        (9, Outside),
        (10, NotFinite),
        (11, PartsLeftOut { parts: 3 }),
        (13, NoArea),
        (14, NoArea),
        (
            15,
            MaskSize {
                mask: Size::new(5, 5),
                image: SIZE,
            },
        ),
        (16, Clipped),
        (17, NoArea),
    ];
    let mut counts = ExportCounts::default();
    let mut classes = Categories::open();
    for document in [
        voc_document(&image),
        labelme_document(&image),
        yolo_labels(&image, YoloTask::Detect, &mut classes),
        yolo_labels(&image, YoloTask::Segment, &mut classes),
    ] {
        assert_eq!(kinds(&document.notes), expected);
        counts.add(&image.annotations, &document.notes);
    }
    let ExportCounts {
        images,
        annotations,
        changed,
        left_out,
        ..
    } = counts;
    assert_eq!((images, annotations, changed, left_out), (4, 20, 16, 52));
    assert_eq!(
        classes.names(),
        ["turned round", "cut", "parts", "bow", "huge"]
    );
    let (json, notes) = coco(&[image], CocoSegmentation::Polygons);
    assert_eq!(kinds(&notes), expected);
    let boxes: Vec<&Value> = items(&json["annotations"])
        .iter()
        .map(|found| &found["bbox"])
        .collect();
    assert_eq!(boxes[0], &json!([1.0, 2.0, 10.0, 10.0]));
    assert_eq!(boxes[1], &json!([90.0, 0.0, 10.0, 9.0]));
    assert_eq!(json["annotations"][3]["area"], 8.0);
}

#[test]
fn a_closed_list_leaves_out_what_it_does_not_have() {
    let mut known = Categories::closed(["b", "b", "a"]);
    assert_eq!(known.names(), ["b", "b", "a"]);
    let image = record([
        Annotation::new("c", BBox::new(-5.0, 0.0, 9.0, 9.0)),
        Annotation::new("a", BBox::new(0.0, 0.0, 10.0, 10.0)),
        Annotation::new("c", BBox::new(0.0, 0.0, 0.0, 0.0)),
    ]);
    let document = yolo_labels(&image, YoloTask::Detect, &mut known);
    // A repeated label does not move the numbers behind it.
    assert_eq!(document.text, "2 0.05 0.1 0.1 0.2\n");
    assert_eq!(
        kinds(&document.notes),
        [
            (0, ExportNoteKind::UnknownLabel),
            (2, ExportNoteKind::NoArea)
        ]
    );
    assert_eq!(known.names(), ["b", "b", "a"]);
}

#[test]
fn files_do_not_grow_with_their_image() {
    let size = Size::new(u32::MAX, 2);
    let mut image = ImageRecord::new("wide.png", size);
    image.annotations = vec![
        Annotation::new("whole", Rle::new(size).complement()),
        Annotation::new("high", BBox::whole(size)),
        Annotation::new("low", BBox::new(0.0, 1.0, 4e9, 2.0)).with_score(f32::NAN),
        Annotation::new("line", polygon(&[(0.0, 0.0), (4e9, 0.0), (0.0, 2.0)])),
    ];
    assert_eq!(
        items(&read(&labelme_document(&image).text)["shapes"]).len(),
        4
    );
    assert_eq!(
        yolo_labels(&image, YoloTask::Segment, &mut Categories::open())
            .text
            .lines()
            .count(),
        4
    );
    let voc = voc_document(&image);
    assert_eq!(voc.text.matches("<xmax>4294967295</xmax>").count(), 2);
    let (json, notes) = coco(&[image], CocoSegmentation::CompressedCounts);
    assert_eq!(
        json["annotations"][0]["segmentation"],
        json["annotations"][1]["segmentation"]
    );
    assert_eq!(
        kinds(&notes),
        [(2, ExportNoteKind::TooLarge), (3, ExportNoteKind::TooLarge)]
    );
}

#[test]
fn tangled_outlines_are_measured_in_time() {
    let mut state = 7u32;
    let mut random = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 24) as f32
    };
    let corners: Vec<_> = (0..3_000)
        .map(|_| (random() * 100.0, random() * 50.0))
        .collect();
    let image = record([Annotation::new("knot", polygon(&corners))]);
    let start = Instant::now();
    let (json, _) = coco(&[image], CocoSegmentation::Polygons);
    assert!(start.elapsed() < Duration::from_secs(5));
    let area = json["annotations"][0]["area"].as_f64().unwrap();
    assert!((2_000.0..3_000.0).contains(&area), "{area}");
}

#[test]
fn masks_without_a_pixel_are_noted() {
    let image = record([Annotation::new("sliver", BBox::new(10.1, 10.1, 10.4, 40.0))]);
    for kind in [CocoSegmentation::Counts, CocoSegmentation::CompressedCounts] {
        let (json, notes) = coco(std::slice::from_ref(&image), kind);
        assert_eq!(items(&json["annotations"]).len(), 1);
        assert_eq!(kinds(&notes), [(0, ExportNoteKind::NoPixel)]);
    }
    let mut writer =
        CocoResultsWriter::new(Vec::new(), CocoResultKind::Masks, Categories::open()).unwrap();
    let notes = writer.write_image(1, &image).unwrap();
    assert_eq!(kinds(&notes), [(0, ExportNoteKind::NoArea)]);
    assert_eq!(writer.counts().left_out, 1);
    writer
        .write_image(2, &record([Annotation::new("mask", ring())]))
        .unwrap();
    let results: Value = serde_json::from_slice(&writer.finish().unwrap()).unwrap();
    assert_eq!(items(&results).len(), 1);
}

#[test]
fn notes_say_why_parts_are_left_out() {
    let triangle = polygon(&[(0.0, 0.0), (9.0, 0.0), (9.0, 9.0)]);
    let broken = polygon(&[(0.0, 0.0), (f32::NAN, 0.0), (9.0, 9.0)]);
    let image = record([Annotation::new(
        "a",
        Shape::Polygons(vec![triangle, broken]),
    )]);
    let note = labelme_document(&image).notes[0].to_string();
    assert!(note.contains("a coordinate that is not a number"), "{note}");
}

#[test]
fn yolo_joins_the_parts_of_a_thing() {
    let image = record([
        Annotation::new("ring", ring()),
        Annotation::new(
            "line",
            QuadBox::from([5.0, 0.0, 10.0, 5.0, 5.0, 10.0, 0.0, 5.0]),
        ),
    ]);
    let document = yolo_labels(&image, YoloTask::Segment, &mut Categories::open());
    let lines: Vec<&str> = document.text.lines().collect();
    assert_eq!(lines[1], "1 0.05 0 0.1 0.1 0.05 0.2 0 0.1");
    let numbers: Vec<f32> = lines[0]
        .split(' ')
        .skip(1)
        .map(|n| n.parse().unwrap())
        .collect();
    let points = numbers.as_chunks::<2>().0.iter();
    let outline = Polygon {
        points: points
            .map(|[x, y]| Point::new(x * 100.0, y * 50.0))
            .collect(),
    };
    assert_eq!(Rle::from_polygon(&outline, SIZE), ring());
}

#[test]
fn voc_counts_pixels_from_one() {
    let image = record([
        Annotation::new("whole", BBox::whole(SIZE)),
        Annotation::new("pixel", BBox::new(3.0, 4.0, 4.0, 5.0)),
        Annotation::new("speck", BBox::new(3.2, 4.2, 3.4, 4.4)),
    ]);
    let document = voc_document(&image);
    let read: Vec<u32> = document
        .text
        .lines()
        .filter_map(|line| {
            line.trim()
                .strip_prefix("<x")
                .or(line.trim().strip_prefix("<y"))
        })
        .map(|line| line[4..line.find('<').unwrap()].parse().unwrap())
        .collect();
    assert_eq!(read, [1, 1, 100, 50, 4, 5, 4, 5, 4, 5, 4, 5]);
}

#[test]
fn labels_of_all_kinds_are_read_back() {
    let labels = [
        "",
        " ",
        "a\nb",
        "\"quoted\" 'and' \\ back",
        "<b>&amp;</b> ]]>",
        "café 猫 🐈 \u{2028}",
        "- yes: [no] # null",
        "nul\0 esc\u{1b}",
    ];
    let bbox = BBox::new(0.0, 0.0, 9.0, 9.0);
    let image = record(labels.map(|label| Annotation::new(label, bbox)));
    let (json, _) = coco(std::slice::from_ref(&image), CocoSegmentation::Polygons);
    let names: Vec<&Value> = items(&json["categories"])
        .iter()
        .map(|c| &c["name"])
        .collect();
    assert_eq!(names, labels);
    let shapes = read(&labelme_document(&image).text);
    let names: Vec<&Value> = items(&shapes["shapes"])
        .iter()
        .map(|s| &s["label"])
        .collect();
    assert_eq!(names, labels);
    let voc = voc_document(&image);
    assert_eq!(
        kinds(&voc.notes),
        [
            (0, ExportNoteKind::Unlabeled),
            (7, ExportNoteKind::LabelChanged)
        ]
    );
    assert!(voc.text.contains("<name>object</name>"));
    assert!(voc.text.contains("<name>nul\u{fffd} esc\u{fffd}</name>"));
    assert!(voc.text.contains("<name>a&#10;b</name>"));
    let yaml = yolo_data(".", "a", "b", &Categories::closed(labels));
    // A double-quoted string of JSON is one of YAML; what differs in ours is escaped otherwise.
    assert!(yaml.contains("  2: \"a\\nb\"\n"));
    assert!(yaml.contains("  7: \"nul\\x00 esc\\x1b\"\n"));
    assert_eq!(yaml.lines().count(), 4 + labels.len());
    assert!(yolo_data(".", "a", "b", &Categories::open()).ends_with("names: {}\n"));
}

#[test]
fn images_without_pixels_have_files_without_annotations() {
    let size = Size::new(0, 5);
    let mut image = ImageRecord::new("a.png", size);
    image.annotations = vec![
        Annotation::new("box", BBox::new(-1.0, 0.0, 9.0, 9.0)),
        Annotation::new("mask", Rle::new(size)),
        Annotation::new("polygon", polygon(&[(-1.0, 0.0), (9.0, 0.0), (9.0, 9.0)])),
    ];
    let expected = [
        (0, ExportNoteKind::Outside),
        (1, ExportNoteKind::NoArea),
        (2, ExportNoteKind::Outside),
    ];
    let labels = yolo_labels(&image, YoloTask::Segment, &mut Categories::open());
    assert_eq!(labels.text, "");
    assert_eq!(kinds(&labels.notes), expected);
    let (json, notes) = coco(&[image], CocoSegmentation::CompressedCounts);
    assert_eq!(kinds(&notes), expected);
    assert_eq!(json["annotations"], json!([]));
}

#[test]
fn every_form_of_answer_is_exported() {
    let text = "</s><s>a<loc_100><loc_200><loc_300><loc_400><loc_150><loc_600><loc_700><loc_800>\
                b<poly><loc_1><loc_2><loc_300><loc_4><loc_300><loc_600></poly></s>";
    let count = |form| {
        let parsed = parse_text(form, text, SIZE);
        let mut image = ImageRecord::new("a.png", SIZE);
        image.extend_from_answer(&parsed.answer);
        let (json, notes) = coco(&[image], CocoSegmentation::Polygons);
        assert!(notes.is_empty(), "{notes:?}");
        items(&json["annotations"]).len()
    };
    let counts: BTreeMap<String, usize> = AnswerForm::ALL
        .iter()
        .map(|form| (format!("{form:?}"), count(*form)))
        .collect();
    let expected = [
        ("Boxes", 3),
        ("BoxesOrPolygons", 3),
        ("Markup", 0),
        ("Phrases", 3),
        ("Polygons", 2),
        ("Proposals", 3),
        ("Quads", 1),
        ("Text", 0),
    ];
    let expected: BTreeMap<String, usize> = expected
        .into_iter()
        .map(|(form, count)| (form.to_owned(), count))
        .collect();
    assert_eq!(counts, expected);
}

fn coordinate() -> impl Strategy<Value = f32> {
    prop_oneof![
        8 => -20.0..120.0f32,
        2 => (0..100i32).prop_map(|whole| whole as f32),
        1 => any::<f32>(),
    ]
}

fn shape() -> impl Strategy<Value = Shape> {
    let point = (coordinate(), coordinate()).prop_map(|(x, y)| Point::new(x, y));
    let outline = prop::collection::vec(point, 0..7)
        .prop_map(Polygon::from)
        .boxed();
    prop_oneof![
        prop::array::uniform4(coordinate()).prop_map(|edges| Shape::from(BBox::from(edges))),
        prop::array::uniform8(coordinate()).prop_map(|corners| QuadBox::from(corners).into()),
        prop::collection::vec(outline.clone(), 0..4).prop_map(Shape::Polygons),
        outline.prop_map(|outline| Rle::from_polygon(&outline, SIZE).into()),
    ]
}

fn annotation() -> impl Strategy<Value = Annotation> {
    let score = prop::option::of(prop_oneof![0.0..1.0f32, any::<f32>()]);
    ("\\PC{0,8}|[a-c]", shape(), score)
        .prop_map(|(label, shape, score)| Annotation::new(label, shape).with_score(score))
}

/// What every document says about how much is in it.
fn check_counts(image: &ImageRecord, document: &Document, written: usize) {
    let left_out = document.notes.iter();
    let left_out = left_out.filter(|note| note.kind.is_left_out()).count();
    assert_eq!(written + left_out, image.annotations.len());
    let order = document.notes.windows(2);
    assert!(
        order
            .into_iter()
            .all(|pair| pair[0].annotation <= pair[1].annotation)
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn files_are_valid_whatever_comes(annotations in prop::collection::vec(annotation(), 0..8)) {
        let image = record(annotations);
        let (width, height) = (f64::from(SIZE.width), f64::from(SIZE.height));

        for segmentation in [
            CocoSegmentation::Polygons,
            CocoSegmentation::Counts,
            CocoSegmentation::CompressedCounts,
        ] {
            let (json, _) = coco(std::slice::from_ref(&image), segmentation);
            for found in items(&json["annotations"]) {
                let [x, y, w, h] = serde_json::from_value::<[f64; 4]>(found["bbox"].clone()).unwrap();
                prop_assert!(x >= 0.0 && y >= 0.0 && w > 0.0 && h > 0.0, "{found}");
                prop_assert!(x + w <= width + 1e-4 && y + h <= height + 1e-4, "{found}");
                let area = found["area"].as_f64().unwrap();
                prop_assert!(area > 0.0 && area <= w * h * 1.0001, "{found}");
                let category = found["category_id"].as_u64().unwrap() as usize;
                prop_assert!(json["categories"][category - 1]["id"] == category);
                prop_assert!(found.get("score").is_none_or(Value::is_number));
                match segmentation {
                    CocoSegmentation::Polygons => {
                        let parts: Vec<Vec<f64>> = serde_json::from_value(found["segmentation"].clone()).unwrap();
                        prop_assert!(!parts.is_empty());
                        for part in parts {
                            prop_assert!(part.len() >= 6 && part.len().is_multiple_of(2));
                            for [px, py] in part.as_chunks::<2>().0 {
                                prop_assert!((0.0..=width).contains(px) && (0.0..=height).contains(py));
                            }
                        }
                    }
                    _ => prop_assert_eq!(&found["segmentation"]["size"], &json!([50, 100])),
                }
            }
        }

        let voc = voc_document(&image);
        check_counts(&image, &voc, voc.text.matches("<object>").count());
        let labelme = labelme_document(&image);
        let json = read(&labelme.text);
        for shape in items(&json["shapes"]) {
            let points: Vec<[f64; 2]> = serde_json::from_value(shape["points"].clone()).unwrap();
            prop_assert!(points.len() == 2 || points.len() >= 3 && shape["shape_type"] == "polygon");
            prop_assert!(points.iter().all(|[x, y]| (0.0..=width).contains(x) && (0.0..=height).contains(y)));
        }
        for task in [YoloTask::Detect, YoloTask::Segment] {
            let mut classes = Categories::open();
            let labels = yolo_labels(&image, task, &mut classes);
            check_counts(&image, &labels, labels.text.lines().count());
            for line in labels.text.lines() {
                let (class, numbers) = line.split_once(' ').unwrap();
                prop_assert!(class.parse::<usize>().unwrap() < classes.names().len());
                let numbers: Vec<f64> = numbers.split(' ').map(|n| n.parse().unwrap()).collect();
                prop_assert!(numbers.iter().all(|n| (0.0..=1.0).contains(n)), "{line}");
                if task == YoloTask::Detect {
                    let [x, y, w, h] = numbers[..] else { panic!("{line}") };
                    prop_assert!(w > 0.0 && h > 0.0);
                    prop_assert!(x - w / 2.0 > -1e-6 && x + w / 2.0 < 1.000001, "{line}");
                    prop_assert!(y - h / 2.0 > -1e-6 && y + h / 2.0 < 1.000001, "{line}");
                } else {
                    prop_assert!(numbers.len() >= 6 && numbers.len().is_multiple_of(2));
                }
            }
        }
    }
}

#[test]
fn files_say_how_a_photo_is_stored_and_its_exact_name() {
    let mut image = ImageRecord::new("a/caf\u{fffd}.jpg", Size::new(640, 480));
    image.file_name_bytes = Some(b"a/caf\xe9.jpg".to_vec());
    let car = Annotation::new("car", BBox::new(10.0, 20.0, 50.0, 30.0));
    image.annotations.push(car);
    let image = image.upright(Orientation::Turned90);
    assert_eq!(image.stored, Orientation::Turned90);

    let mut writer = CocoWriter::new(Vec::new(), CocoSegmentation::Polygons).unwrap();
    writer.write_image(&image).unwrap();
    let coco: Value = serde_json::from_slice(&writer.finish().unwrap()).unwrap();
    let expected = json!({
        "id": 1, "file_name": "a/caf\u{fffd}.jpg", "width": 480, "height": 640,
        "file_name_bytes": "YS9jYWbpLmpwZw==", "exif_orientation": 6, "frame": "upright",
    });
    assert_eq!(coco["images"][0], expected);
    assert_eq!(
        coco["annotations"][0]["bbox"],
        json!([450.0, 10.0, 10.0, 40.0])
    );

    let labelme: Value = serde_json::from_str(&labelme_document(&image).text).unwrap();
    for key in ["file_name_bytes", "exif_orientation", "frame"] {
        assert_eq!(labelme[key], expected[key]);
    }
    let voc = voc_document(&image).text;
    let voc = roxmltree::Document::parse(&voc).unwrap();
    let text = |tag| {
        let found = voc.descendants().find(|node| node.has_tag_name(tag));
        found
            .and_then(|node| node.text())
            .unwrap_or_default()
            .to_owned()
    };
    assert_eq!(text("folder"), "a");
    assert_eq!(text("filename"), "caf\u{fffd}.jpg");
    assert_eq!(text("exif_orientation"), "6");
    assert_eq!(text("frame"), "upright");
    assert_eq!(text("file_name_bytes"), "YS9jYWbpLmpwZw==");

    // Of an upright photo with a plain name there is nothing to say.
    let plain = ImageRecord::new("a.jpg", Size::new(4, 3));
    assert_eq!(plain.clone().upright(Orientation::Upright), plain);
    let voc = voc_document(&plain).text;
    assert!(!voc.contains("frame") && !voc.contains("bytes") && !voc.contains("exif"));
}
