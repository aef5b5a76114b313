//! Three captions of an image that is encoded once.
//!
//! ```sh
//! cargo run --release -p florence-examples --example caption -- photo.jpg
//! ```

use std::error::Error;

use clap::Parser;
use florence_examples::Args;
use florence_tasks::{Caption, DetailedCaption, MoreDetailedCaption};

fn main() -> Result<(), Box<dyn Error>> {
    let (florence, image) = Args::parse().open()?;
    let photo = florence.encode(&image)?;
    println!("{}", photo.run(Caption)?.value.text);
    println!("{}", photo.run(DetailedCaption)?.value.text);
    println!("{}", photo.run(MoreDetailedCaption)?.value.text);
    Ok(())
}
