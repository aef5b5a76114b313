//! Writes random pages of text as hOCR and Markdown, for `tools/exports/check.py`, which reads them
//! back with other libraries.
//!
//! ```sh
//! cargo run -p florence-layout --example pages -- OUT [PAGES]
//! ```

use std::fs;
use std::io;
use std::path::Path;

use florence_layout::Page;
use florence_postprocess::{QuadBox, Size, TextRegion};

use fastrand::Rng;

/// Words, some of which are markup in HTML or Markdown.
const WORDS: [&str; 24] = [
    "bread",
    "salt",
    "and",
    "water",
    "for",
    "one",
    "loaf",
    "café",
    "猫",
    "<b>bold</b>",
    "&amp;",
    "\"quoted\"",
    "it's",
    "*stars*",
    "_lines_",
    "`code`",
    "[a](b)",
    "#",
    ">",
    "~~~",
    "a\\b",
    "<!--",
    "]]>",
    "1<2",
];

fn main() -> io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let Some(out) = arguments.next() else {
        eprintln!("usage: pages OUT [PAGES]");
        std::process::exit(2);
    };
    let pages = arguments.next().and_then(|n| n.parse().ok()).unwrap_or(100);
    let out = Path::new(&out).join("pages");
    fs::create_dir_all(&out)?;
    for number in 1..=pages {
        let (regions, size) = composed(number);
        let page = Page::from_regions(&regions, size);
        let name = |ending: &str| out.join(format!("{number:06}.{ending}"));
        fs::write(name("hocr"), page.to_hocr(&format!("{number:06}.png")))?;
        fs::write(name("md"), page.to_markdown())?;
        let text = page.to_text();
        let truth = serde_json::json!({
            "lines": page.lines().map(|line| line.text()).collect::<Vec<_>>(),
            "paragraphs": text.split("\n\n").collect::<Vec<_>>(),
        });
        fs::write(name("json"), truth.to_string())?;
    }
    Ok(())
}

/// A heading and paragraphs in columns.
fn composed(seed: u64) -> (Vec<TextRegion>, Size) {
    let mut rng = Rng::with_seed(seed);
    let columns = 1 + rng.u64(..3);
    let size = Size::new(100 + 500 * columns as u32, 1400);
    let mut regions = Vec::new();
    let mut write = |text: String, left: f32, top: f32, width: f32, height: f32| {
        let (right, bottom) = (left + width, top + height);
        regions.push(
            TextRegion::new(
                text,
                QuadBox::from([left, top, right, top, right, bottom, left, bottom]),
            )
            .with_confidence(width / 1000.0),
        );
    };
    let heading = format!("Page {} {}", words(&mut rng, 2), seed);
    write(heading, 60.0, 40.0, 300.0, 48.0);
    for column in 0..columns {
        let left = 50.0 + 500.0 * column as f32;
        let mut top = 150.0;
        for _ in 0..2 + rng.u64(..4) {
            let lines = 1 + rng.u64(..5);
            for line in 0..lines {
                let last = line + 1 == lines;
                let width = if last { 200.0 } else { 440.0 };
                let count = if last { 3 } else { 6 };
                let text = format!(
                    "Then {}{}",
                    words(&mut rng, count),
                    if last { "." } else { "" }
                );
                write(text, left, top, width, 20.0);
                top += 26.0;
            }
            top += 30.0;
        }
    }
    (regions, size)
}

fn words(rng: &mut Rng, count: usize) -> String {
    let words = (0..count).map(|_| WORDS[rng.u64(..WORDS.len() as u64) as usize]);
    words.collect::<Vec<_>>().join(" ")
}
