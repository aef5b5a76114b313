//! Object detection: boxes and confidences, drawn on a copy of the image.
//!
//! ```sh
//! cargo run --release -p florence-examples --example detect -- photo.jpg --output boxes.png
//! ```

use std::error::Error;

use clap::Parser;
use florence_examples::Args;
use florence_tasks::Od;

fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::parse();
    let (florence, image) = args.open()?;
    let found = florence.run(Od, &image)?;
    for detection in found.value.iter() {
        println!(
            "{:<12} {:.2} {:?}",
            detection.label,
            detection.confidence.unwrap_or_default(),
            detection.bbox
        );
    }
    args.draw(&image, &found)
}
