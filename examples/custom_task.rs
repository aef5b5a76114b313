//! A custom task of a fine-tune: a task token or a free prompt, with the
//! answer format to parse.
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
        // The demo model knows no further task tokens: the wording of one of its prompts serves as a free prompt.
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
