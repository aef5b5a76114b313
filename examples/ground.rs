//! Caption and grounding: a caption with the boxes of its phrases, drawn on a copy of the image.
//!
//! ```sh
//! cargo run --release -p florence-examples --example ground -- photo.jpg
//! ```

use std::error::Error;

use clap::Parser;
use florence_examples::Args;
use florence_tasks::{Caption, PhraseGrounding};

fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::parse();
    let (florence, image) = args.open()?;
    let photo = florence.encode(&image)?;
    let caption = match &args.text {
        Some(text) => text.clone(),
        None => photo.run(Caption)?.value.text.clone(),
    };
    println!("{caption}");
    let phrases = photo.run(PhraseGrounding(&caption))?;
    for phrase in phrases.value.iter() {
        println!("  {}", phrase.phrase);
        for region in &phrase.regions {
            println!(
                "    {:.2} {:?}",
                region.confidence.unwrap_or_default(),
                region.bbox
            );
        }
    }
    args.draw(&image, &phrases)
}
