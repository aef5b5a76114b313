//! Printed words and where they are.
//!
//! ```sh
//! cargo run --release -p florence-examples --example ocr -- page.png
//! ```

use std::error::Error;

use clap::Parser;
use florence_examples::Args;
use florence_tasks::{Ocr, OcrWithRegion};

fn main() -> Result<(), Box<dyn Error>> {
    let (florence, image) = Args::parse().open()?;
    let photo = florence.encode(&image)?;
    println!("{}", photo.run(Ocr)?.text);
    for word in photo.run(OcrWithRegion)?.iter() {
        println!(
            "{:.2} {:?} {:?}",
            word.text_confidence.unwrap_or_default(),
            word.text,
            word.quad.points
        );
    }
    Ok(())
}
