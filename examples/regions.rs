//! Region proposals with category, description and text of each; drawn on a copy of the image with
//! their categories.
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
    for region in photo.run(RegionProposal)?.value.iter() {
        let bbox = region.bbox.ordered().clamp(size);
        let category = photo.run(RegionToCategory(bbox))?;
        let description = photo.run(RegionToDescription(bbox))?;
        let writing = photo.run(RegionToOcr(bbox))?;
        let mark = Mark::new(bbox).with_label(&category.value.text);
        marks.push(mark.with_confidence(category.value.confidence));
        println!("{:.0?}", bbox.to_array());
        for (name, answer) in [("is", category), ("looks", description), ("reads", writing)] {
            println!(
                "  {name:<6} {:.2} {}",
                answer.value.confidence.unwrap_or_default(),
                answer.value.text
            );
        }
    }
    args.draw(&image, &marks)
}
