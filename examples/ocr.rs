//! OCR with regions, drawn on a copy of the image.
//!
//! ```sh
//! cargo run --release -p florence-examples --example ocr -- page.png
//! ```

use std::error::Error;

use clap::Parser;
use florence_examples::Args;
use florence_tasks::{Ocr, OcrWithRegion};

fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::parse();
    let (florence, image) = args.open()?;
    let photo = florence.encode(&image)?;
    println!("{}", photo.run(Ocr)?.value.text);
    let words = photo.run(OcrWithRegion)?;
    for word in words.value.iter() {
        println!(
            "{:.2} {:?} {:?}",
            word.text_confidence.unwrap_or_default(),
            word.text,
            word.quad.points
        );
    }
    args.draw(&image, &words)
}
