//! Scenes as SVG.

use florence_draw::{Mark, Scene, Style, annotate, color_of, data_uri, save, to_svg};
use florence_postprocess::{BBox, Point, Polygon, QuadBox, Size};
use image::{ImageFormat, Rgb, RgbImage};
use proptest::prelude::*;
use roxmltree::{Document, Node};

const SIZE: Size = Size::new(640, 480);

fn hex(label: &str) -> String {
    let Rgb([r, g, b]) = color_of(label);
    format!("#{r:02x}{g:02x}{b:02x}")
}

fn all<'a>(document: &'a Document<'a>, tag: &'static str) -> Vec<Node<'a, 'a>> {
    document
        .descendants()
        .filter(|node| node.has_tag_name(tag))
        .collect()
}

fn numbers(node: Node<'_, '_>, names: [&str; 4]) -> [f32; 4] {
    names.map(|name| node.attribute(name).unwrap().parse().unwrap())
}

#[test]
fn shapes_are_at_their_coordinates() {
    let triangle = [(300.0, 300.0), (400.25, 300.0), (350.0, 400.5)];
    let points = triangle.map(|(x, y)| Point::new(x, y)).to_vec();
    let marks = [
        Mark::new(BBox::new(34.88, 180.24, 579.5, 339.6)).with_label("car"),
        Mark::new(QuadBox::from([
            10.0, 10.0, 50.0, 15.0, 50.0, 30.0, 10.0, 25.0,
        ]))
        .with_label("STOP"),
        Mark::new(Polygon { points }).with_label("tent"),
    ];
    let svg = to_svg(&marks, SIZE, &Style::default(), None);
    let document = Document::parse(&svg).unwrap();
    let root = document.root_element();
    assert_eq!(root.attribute("viewBox"), Some("0 0 640 480"));

    let of = |tag, label: &str| {
        let color = hex(label);
        let is_it = move |node: &Node<'_, '_>| node.attribute("stroke") == Some(&color);
        all(&document, tag).into_iter().find(is_it).unwrap()
    };
    let car = numbers(of("rect", "car"), ["x", "y", "width", "height"]);
    let wanted = [34.88, 180.24, 544.62, 159.36];
    assert!(
        car.iter().zip(wanted).all(|(a, b)| (a - b).abs() < 0.011),
        "{car:?}"
    );
    assert_eq!(
        of("path", "STOP").attribute("d"),
        Some("M10 10L50 15L50 30L10 25Z")
    );
    let course = Some("M300 300L400.25 300L350 400.5Z");
    assert_eq!(of("path", "tent").attribute("d"), course);

    let fills: Vec<_> = all(&document, "path");
    let fills: Vec<_> = fills
        .iter()
        .filter(|path| path.has_attribute("fill"))
        .collect();
    assert_eq!(fills.len(), 1);
    assert_eq!(fills[0].attribute("d"), course);
    assert_eq!(
        fills[0].parent().unwrap().attribute("fill-opacity"),
        Some("0.4")
    );
}

#[test]
fn labels_are_text_on_a_background_that_it_fits_on() {
    let mark =
        Mark::new(BBox::new(100.0, 100.0, 300.0, 200.0)).with_label("a \"car\" & <b>van</b>\n東京");
    let scene = Scene::new(SIZE, &mark.with_confidence(0.5), &Style::default());
    let svg = scene.to_svg(None);
    let document = Document::parse(&svg).unwrap();
    let text = all(&document, "text")[0];
    assert_eq!(text.text(), Some("a \"car\" & <b>van</b> 東京 0.50"));
    let title = all(&document, "title")[0];
    assert_eq!(title.text(), text.text());

    let number = |name| text.attribute(name).unwrap().parse::<f32>().unwrap();
    let ground = text.prev_sibling_element().unwrap();
    let [x, y, width, height] = numbers(ground, ["x", "y", "width", "height"]);
    assert_eq!(
        BBox::new(x, y, x + width, y + height),
        scene.labels()[0].bounds
    );
    assert!(x < number("x") && number("x") + number("textLength") < x + width);
    assert!(y < number("y") && number("y") < y + height);
}

#[test]
fn a_photo_can_be_inside() {
    let photo = RgbImage::from_fn(64, 48, |x, y| Rgb([x as u8, y as u8, 9]));
    for format in [ImageFormat::Png, ImageFormat::Jpeg] {
        let uri = data_uri(&photo, format).unwrap();
        let nothing: &[Mark] = &[];
        let svg = to_svg(nothing, Size::new(64, 48), &Style::default(), Some(&uri));
        let document = Document::parse(&svg).unwrap();
        let image = all(&document, "image")[0];
        assert_eq!(image.attribute("href"), Some(uri.as_str()));
        assert_eq!(image.attribute("width"), Some("64"));
    }
    assert!(data_uri(&RgbImage::new(0, 0), ImageFormat::Png).is_err());
}

#[test]
fn the_address_of_a_photo_stays_an_address() {
    let address = "photo.php?a=1&b=\"><script>";
    let nothing: &[Mark] = &[];
    let svg = to_svg(nothing, SIZE, &Style::default(), Some(address));
    let document = Document::parse(&svg).unwrap();
    assert_eq!(all(&document, "image")[0].attribute("href"), Some(address));
    assert!(all(&document, "script").is_empty());
}

proptest! {
    #[test]
    fn any_label_gives_xml(
        label in any::<String>(),
        bbox: [f32; 4],
        quad: [f32; 8],
        confidence: Option<f32>,
        photo: Option<String>,
    ) {
        let marks = [
            Mark::new(BBox::from(bbox)).with_label(&label).with_confidence(confidence),
            Mark::new(QuadBox::from(quad)).with_label(&label),
            Mark::new(QuadBox::from(quad).to_polygon()).with_label(&label),
        ];
        let svg = to_svg(&marks, SIZE, &Style::default(), photo.as_deref());
        let document = Document::parse(&svg);
        prop_assert!(document.is_ok(), "{document:?}\n{svg}");
        prop_assert!(!svg.contains("NaN") || label.contains("NaN") || photo.is_some_and(|p| p.contains("NaN")));
    }
}

#[test]
fn the_name_of_a_file_says_what_it_gets() {
    let dir = tempfile::tempdir().unwrap();
    let photo = RgbImage::from_fn(64, 48, |x, y| Rgb([x as u8, y as u8, 9]));
    let mark = Mark::new(BBox::new(10.0, 10.0, 30.0, 30.0));
    let style = Style::default();
    let written = |name: &str| {
        let path = dir.path().join(name);
        save(&path, &photo, &mark, &style).map(|()| std::fs::read(path).unwrap())
    };
    let svg = String::from_utf8(written("a.SVG").unwrap()).unwrap();
    let document = Document::parse(&svg).unwrap();
    let inside = all(&document, "image")[0].attribute("href").unwrap();
    assert!(inside.starts_with("data:image/jpeg;base64,"));
    let png = image::load_from_memory(&written("a.png").unwrap()).unwrap();
    assert_eq!(png.into_rgb8(), annotate(&photo, &mark, &style));
    assert!(written("a.text").is_err());
    assert!(written("no/such/folder/a.svg").is_err());
}
