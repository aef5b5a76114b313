//! The outline of what a phrase means, drawn on a copy of the image.
//!
//! ```sh
//! cargo run --release -p florence-examples --example segment -- photo.jpg "the red car" --output mask.png
//! ```

use std::error::Error;

use clap::Parser;
use florence_examples::Args;
use florence_examples::draw::Canvas;
use florence_tasks::ReferringSegmentation;

fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::parse();
    let (florence, image) = args.open()?;
    let phrase = args.text.as_deref().unwrap_or("the green triangle");
    let mut canvas = Canvas::new(&image);
    for (index, instance) in florence
        .run(ReferringSegmentation(phrase), &image)?
        .iter()
        .enumerate()
    {
        for outline in &instance.outlines {
            let points = outline.polygon.points.len();
            println!(
                "{phrase}: {points} points, confidence {:.2}",
                outline.confidence.unwrap_or_default()
            );
            canvas.polygon(&outline.polygon, index);
        }
    }
    canvas.into_picture().save(&args.output)?;
    println!("{}", args.output.display());
    Ok(())
}
