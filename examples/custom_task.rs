//! A question that is none of the fifteen: a marker or a free prompt, as
//! fine-tunes have them, with the form that its answer is to be read in.
//!
//! ```sh
//! cargo run --release -p florence-examples --example custom_task -- photo.jpg "<GENERATE_TAGS>" --model my-finetune
//! ```

use std::error::Error;

use clap::Parser;
use florence_examples::Args;
use florence_tasks::{AnswerForm, Custom, Prompt};

fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::parse();
    let (florence, image) = args.open()?;
    let photo = florence.encode(&image)?;
    match &args.text {
        Some(marker) => println!("{:?}", photo.run(Custom::marker(marker))?.value),
        // The nano model knows no further markers: a prompt of its own wording is a free prompt too.
        None => {
            let prompt = Prompt::new().text("Locate the objects with category name in the image.");
            println!(
                "{:#?}",
                photo
                    .run(Custom::prompt(prompt).answer(AnswerForm::Boxes))?
                    .value
            );
        }
    }
    Ok(())
}
