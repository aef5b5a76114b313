//! Checks a caption, yours or the model's: which of its phrases the image supports. Drawn on a copy of
//! the image, with a question mark at unsupported ones.
//!
//! ```sh
//! cargo run --release -p florence-examples --example check_caption -- photo.jpg "a red car and a dog"
//! ```

use std::error::Error;

use clap::Parser;
use florence_examples::Args;
use florence_tasks::{CaptionLength, CheckCaption};

fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::parse();
    let (florence, image) = args.open()?;
    let photo = florence.encode(&image)?;
    let checked = match &args.text {
        Some(caption) => photo.cascade(CheckCaption::new(caption))?,
        None => photo.caption_checked(CaptionLength::Sentence)?,
    };
    println!("{}", checked.value.caption.text);
    for phrase in &checked.value.phrases {
        println!("  {:.2} {}", phrase.support, phrase.phrase);
    }
    for warning in &checked.value.warnings {
        println!("{warning}");
    }
    args.draw(&image, &checked.value)
}
