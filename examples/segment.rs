//! Referring segmentation: the outline of a phrase, drawn on a copy of the image.
//!
//! ```sh
//! cargo run --release -p florence-examples --example segment -- photo.jpg "the red car" --output mask.png
//! ```

use std::error::Error;

use clap::Parser;
use florence_examples::Args;
use florence_tasks::ReferringSegmentation;
use florence_tasks::draw::{Mark, Marks};

fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::parse();
    let (florence, image) = args.open()?;
    let phrase = args.text.as_deref().unwrap_or("the green triangle");
    let found = florence.run(ReferringSegmentation(phrase), &image)?;
    for outline in found.value.iter().flat_map(|instance| &instance.outlines) {
        println!(
            "{phrase}: {} points, confidence {:.2}",
            outline.polygon.points.len(),
            outline.confidence.unwrap_or_default()
        );
    }
    // The answer does not repeat the phrase.
    let marks = found
        .marks()
        .into_iter()
        .map(|mark| mark.with_label(phrase));
    args.draw(&image, &marks.collect::<Vec<Mark>>())
}
