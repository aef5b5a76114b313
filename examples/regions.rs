//! Every proposed region: what it is, how it looks, what is written in it; drawn on a copy of the
//! image with what it is.
//!
//! ```sh
//! cargo run --release -p florence-examples --example regions -- photo.jpg
//! ```

use std::error::Error;

use clap::Parser;
use florence_examples::Args;
use florence_tasks::draw::Mark;
use florence_tasks::{RegionProposal, RegionToCategory, RegionToDescription, RegionToOcr, Size};

fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::parse();
    let (florence, image) = args.open()?;
    let photo = florence.encode(&image)?;
    let size = Size::new(image.width(), image.height());
    let mut marks = Vec::new();
    for region in photo.run(RegionProposal)?.iter() {
        let bbox = region.bbox.ordered().clamp(size);
        let category = photo.run(RegionToCategory(bbox))?;
        let description = photo.run(RegionToDescription(bbox))?;
        let writing = photo.run(RegionToOcr(bbox))?;
        let mark = Mark::new(bbox).with_label(&category.text);
        marks.push(mark.with_confidence(category.confidence));
        println!("{:.0?}", bbox.to_array());
        for (name, answer) in [("is", category), ("looks", description), ("reads", writing)] {
            println!(
                "  {name:<6} {:.2} {}",
                answer.confidence.unwrap_or_default(),
                answer.text
            );
        }
    }
    args.draw(&image, &marks)
}
