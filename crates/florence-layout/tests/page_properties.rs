//! What holds for every page, whatever its regions.

use std::time::{Duration, Instant};

use florence_layout::{Page, TextOptions};
use florence_postprocess::{Point, QuadBox, Size, TextRegion};
use proptest::prelude::*;

fn region(text: &str, corners: [f32; 8]) -> TextRegion {
    TextRegion::new(text, QuadBox::from(corners)).with_text_confidence(0.5)
}

fn upright(text: &str, x: f32, y: f32, width: f32, height: f32) -> TextRegion {
    let (right, bottom) = (x + width, y + height);
    region(text, [x, y, right, y, right, bottom, x, bottom])
}

fn coordinate() -> impl Strategy<Value = f32> {
    prop_oneof![
        8 => -50.0f32..1500.0,
        2 => (0u16..20).prop_map(|step| f32::from(step) * 50.0),
        1 => proptest::sample::select(vec![
            f32::NAN,
            f32::INFINITY,
            f32::NEG_INFINITY,
            f32::MAX,
            f32::MIN,
            f32::MIN_POSITIVE,
            0.0,
            -0.0,
        ]),
    ]
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-z]{1,9}",
        1 => "[A-Z][a-z]{1,5}-",
        1 => "[a-z]{1,4}\r?\n{1,3}[a-z.]{0,4}(\n[0-9]{1,3})?",
        1 => "[a-z]{1,4}\r#? ?[a-z.]{0,4}",
        1 => Just(String::new()),
        1 => "[ \n\t]{1,3}",
        1 => "(•|-|1\\.|\\(a\\)) [a-z]{1,5}",
        1 => any::<String>(),
    ]
}

/// Any quads, and upright ones.
fn any_region() -> impl Strategy<Value = TextRegion> {
    let corners = prop_oneof![
        prop::array::uniform8(coordinate()),
        (coordinate(), coordinate(), 0.0f32..300.0, 0.0f32..40.0).prop_map(
            |(x, y, width, height)| { [x, y, x + width, y, x + width, y + height, x, y + height] }
        ),
    ];
    let confidence = prop::option::of(prop_oneof![0.0f32..1.0, Just(f32::NAN)]);
    (text(), corners, confidence).prop_map(|(text, corners, confidence)| {
        TextRegion::new(text, QuadBox::from(corners)).with_confidence(confidence)
    })
}

fn size() -> impl Strategy<Value = Size> {
    prop_oneof![
        Just(Size::new(1000, 1000)),
        Just(Size::new(0, 0)),
        Just(Size::new(u32::MAX, u32::MAX)),
    ]
}

/// A page as it looks, without the indices.
fn looks(page: &Page) -> Vec<String> {
    let paragraphs = page.blocks.iter().enumerate().flat_map(|(block, found)| {
        found.paragraphs.iter().map(move |paragraph| {
            let lines = paragraph.lines.iter().map(|line| {
                let spans = line
                    .spans
                    .iter()
                    .map(|span| format!("{:?} {:?}", span.text, span.quad));
                spans.collect::<Vec<_>>().join(" | ")
            });
            format!(
                "{block} {:?} {:?}",
                paragraph.kind,
                lines.collect::<Vec<_>>()
            )
        })
    });
    paragraphs.collect()
}

/// Letters and digits: what reading order, hyphens and spaces do not change.
fn ink(text: &str) -> Vec<char> {
    let mut ink: Vec<char> = text.chars().filter(|c| c.is_alphanumeric()).collect();
    ink.sort_unstable();
    ink
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_region_is_on_the_page_once(
        regions in prop::collection::vec(any_region(), 0..60),
        size in size(),
    ) {
        let page = Page::from_regions(&regions, size);
        let mut order = page.order();
        order.sort_unstable();
        prop_assert_eq!(order, (0..regions.len()).collect::<Vec<_>>());
        for (index, region) in regions.iter().enumerate() {
            let spans: Vec<_> = page
                .lines()
                .flat_map(|line| &line.spans)
                .filter(|span| span.region == index)
                .collect();
            let lines: Vec<&str> = spans.iter().map(|span| span.text.as_str()).collect();
            let expected: Vec<&str> = region
                .text
                .split(['\n', '\r'])
                .map(str::trim)
                .filter(|line| !line.is_empty())
                .collect();
            prop_assert_eq!(lines, if expected.is_empty() { vec![""] } else { expected });
            let numbers: Vec<usize> = spans.iter().map(|span| span.line).collect();
            prop_assert_eq!(numbers, (0..spans.len()).collect::<Vec<_>>());
        }
        for block in &page.blocks {
            prop_assert!(!block.paragraphs.is_empty());
            prop_assert!(block.paragraphs.iter().all(|paragraph| !paragraph.lines.is_empty()));
        }
    }

    #[test]
    fn the_order_of_the_answer_does_not_matter(
        (regions, shuffled) in prop::collection::vec(any_region(), 0..40)
            .prop_flat_map(|regions| (Just(regions.clone()), Just(regions).prop_shuffle())),
    ) {
        let size = Size::new(1000, 1000);
        let page = Page::from_regions(&regions, size);
        let other = Page::from_regions(&shuffled, size);
        prop_assert_eq!(looks(&page), looks(&other));
        prop_assert_eq!(page.to_text(), other.to_text());
        prop_assert_eq!(page.to_hocr("a"), other.to_hocr("a"));
    }

    #[test]
    fn what_is_written_is_what_was_read(
        regions in prop::collection::vec(any_region(), 0..40),
        dehyphenate in any::<bool>(),
        join_columns in any::<bool>(),
    ) {
        let page = Page::from_regions(&regions, Size::new(1000, 1000));
        let all: String = regions.iter().map(|region| region.text.as_str()).collect();
        let written = page.to_text_with(
            TextOptions::new().with_dehyphenation(dehyphenate).with_join_columns(join_columns),
        );
        prop_assert_eq!(ink(&written), ink(&all));
        prop_assert!(!page.to_markdown().contains("\n\n\n"));
    }

    #[test]
    fn a_column_is_read_down_from_any_angle(
        degrees in -180.0f32..180.0,
        lines in 2usize..30,
        font in 10.0f32..40.0,
    ) {
        let (sin, cos) = degrees.to_radians().sin_cos();
        let turned = |point: Point| Point::new(
            point.x * cos - point.y * sin + 2000.0,
            point.x * sin + point.y * cos + 2000.0,
        );
        let regions: Vec<TextRegion> = (0..lines)
            .rev()
            .map(|line| {
                let mut region = upright("a line", 10.0, line as f32 * font * 1.3, font * 12.0, font);
                region.quad.points = region.quad.points.map(turned);
                region
            })
            .collect();
        let page = Page::from_regions(&regions, Size::new(4000, 4000));
        prop_assert_eq!(page.order(), (0..lines).rev().collect::<Vec<_>>());
        let off = (page.angle.to_degrees() - degrees).rem_euclid(360.0);
        prop_assert!(off.min(360.0 - off) < 0.1, "{} for {}", page.angle.to_degrees(), degrees);
    }
}

#[test]
fn duplicates_and_points_are_kept() {
    let twin = upright("twin", 10.0, 10.0, 50.0, 10.0);
    let point = upright("point", 30.0, 30.0, 0.0, 0.0);
    let regions = [twin.clone(), point.clone(), twin.clone(), point, twin];
    let page = Page::from_regions(&regions, Size::new(100, 100));
    let mut order = page.order();
    order.sort_unstable();
    assert_eq!(order, [0, 1, 2, 3, 4]);
}

#[test]
fn regions_without_a_place_come_last() {
    let lost = region("lost", [f32::NAN; 8]);
    let page = Page::from_regions(
        &[lost, upright("found", 10.0, 10.0, 50.0, 10.0)],
        Size::new(100, 100),
    );
    assert_eq!(page.order(), [1, 0]);
    assert_eq!(page.to_text(), "found\n\nlost\n");
}

#[test]
fn a_confidence_that_is_not_known_is_none_below_0() {
    let unknown = upright("twin", 10.0, 10.0, 50.0, 10.0);
    let unknown = unknown.with_text_confidence(None);
    let unlikely = unknown.clone().with_confidence(-1.0);
    let confidences = |regions: &[TextRegion]| {
        let page = Page::from_regions(regions, Size::new(100, 100));
        let spans = page.lines().flat_map(|line| &line.spans);
        spans.map(|span| span.confidence).collect::<Vec<_>>()
    };
    assert_eq!(
        confidences(&[unknown.clone(), unlikely.clone()]),
        confidences(&[unlikely, unknown])
    );
}

#[test]
fn text_across_the_page_comes_last() {
    let stamp = region(
        "2311.06242 in the margin",
        [5.0, 900.0, 5.0, 300.0, 25.0, 300.0, 25.0, 900.0],
    );
    let mut regions = vec![stamp];
    regions.extend((0..20).map(|row| {
        upright(
            "and so it goes on",
            100.0,
            100.0 + row as f32 * 30.0,
            400.0,
            20.0,
        )
    }));
    let page = Page::from_regions(&regions, Size::new(1000, 1000));
    assert_eq!(page.angle, 0.0);
    assert_eq!(page.order().last(), Some(&0));
    assert_eq!(page.blocks.len(), 2);
}

#[test]
fn quads_counted_the_other_way_round_are_read() {
    let counter = region("second", [10.0, 40.0, 10.0, 60.0, 200.0, 60.0, 200.0, 40.0]);
    let regions = [
        counter,
        upright("first", 10.0, 10.0, 190.0, 20.0),
        upright("third", 10.0, 70.0, 190.0, 20.0),
    ];
    let page = Page::from_regions(&regions, Size::new(300, 100));
    assert_eq!(page.order(), [1, 0, 2]);
}

/// Words in three columns, and words anywhere.
fn five_thousand(orderly: bool) -> Vec<TextRegion> {
    let mut state = 7u32;
    let mut random = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 24) as f32
    };
    (0..5_000usize)
        .map(|at| {
            if !orderly {
                return upright(
                    "word",
                    random() * 3000.0,
                    random() * 3000.0,
                    random() * 200.0,
                    random() * 30.0,
                );
            }
            let (column, row, word) = (at % 3, at / 24, at / 3 % 8);
            let x = 100.0 + column as f32 * 900.0 + word as f32 * 100.0;
            upright(
                "lorem",
                x + random(),
                100.0 + row as f32 * 13.0 + random(),
                95.0,
                10.0,
            )
        })
        .collect()
}

#[test]
fn five_thousand_regions_take_less_than_a_second() {
    for orderly in [true, false] {
        let regions = five_thousand(orderly);
        let start = Instant::now();
        let page = Page::from_regions(&regions, Size::new(3000, 3000));
        let elapsed = start.elapsed();
        println!(
            "5,000 regions, orderly: {orderly}: {elapsed:?}, {} blocks",
            page.blocks.len()
        );
        assert_eq!(page.order().len(), 5_000);
        // A debug build on a busy machine is given more time than the second of a release build.
        let limit = if cfg!(debug_assertions) { 10 } else { 1 };
        assert!(elapsed < Duration::from_secs(limit), "{elapsed:?}");
    }
    assert_eq!(
        Page::from_regions(&five_thousand(true), Size::new(3000, 3000))
            .blocks
            .len(),
        3
    );
}

#[test]
fn any_number_of_sections_is_read_in_order() {
    for grows in [false, true] {
        let mut regions = Vec::new();
        let mut y = 0.0;
        for section in 0..60 {
            regions.push(upright(
                "A heading that crosses it all",
                0.0,
                y,
                1000.0,
                10.0,
            ));
            y += 24.0;
            let rows = if grows { 3 + section } else { 63 - section };
            for x in [0.0, 520.0] {
                regions.extend((0..rows).map(|row| {
                    let (y, width) = (y + row as f32 * 14.0, 480.0 - (row % 5) as f32);
                    upright("column text of running prose it is", x, y, width, 10.0)
                }));
            }
            y += rows as f32 * 14.0 + 10.0;
        }
        let page = Page::from_regions(&regions, Size::new(1000, y as u32));
        assert_eq!(page.order(), (0..regions.len()).collect::<Vec<_>>());
    }
}
