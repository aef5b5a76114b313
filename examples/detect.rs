//! Objects with their boxes and confidences, drawn on a copy of the image.
//!
//! ```sh
//! cargo run --release -p florence-examples --example detect -- photo.jpg --output boxes.png
//! ```

use std::error::Error;

use clap::Parser;
use florence_examples::Args;
use florence_examples::draw::Canvas;
use florence_tasks::Od;

fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::parse();
    let (florence, image) = args.open()?;
    let mut canvas = Canvas::new(&image);
    for (index, detection) in florence.run(Od, &image)?.iter().enumerate() {
        let confidence = detection.confidence.unwrap_or_default();
        println!(
            "{:<12} {confidence:.2} {:?}",
            detection.label, detection.bbox
        );
        canvas.bbox(
            &detection.bbox,
            &format!("{} {confidence:.2}", detection.label),
            index,
        );
    }
    canvas.into_picture().save(&args.output)?;
    println!("{}", args.output.display());
    Ok(())
}
