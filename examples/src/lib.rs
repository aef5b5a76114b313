//! Command line shared by the examples.
#![forbid(unsafe_code)]

use std::error::Error;
use std::path::{Path, PathBuf};

use clap::Parser;
use florence_core::image::{ImageFile, ImageOptions};
use florence_tasks::Florence;
use florence_tasks::draw::{self, Marks, Style};
use image::DynamicImage;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The default image.
pub const SCENE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/scene.png");

/// The arguments of every example.
#[derive(Debug, Parser)]
pub struct Args {
    /// The model: `nano`, a checkpoint folder, or a checkpoint to download,
    /// such as `microsoft/Florence-2-base-ft`.
    #[arg(long, default_value = "nano")]
    pub model: String,
    /// Output of examples that draw: an image or an `.svg` file.
    #[arg(long, default_value = "annotated.png")]
    pub output: PathBuf,
    /// The image.
    #[arg(default_value = SCENE)]
    pub image: PathBuf,
    /// Text input, for examples that take one.
    pub text: Option<String>,
}

impl Args {
    /// Loads the model and the image.
    ///
    /// # Errors
    ///
    /// When one of them cannot be read.
    pub fn open(&self) -> Result<(Florence, DynamicImage), Box<dyn Error>> {
        let florence = match self.model.as_str() {
            "nano" => Florence::nano()?,
            folder if Path::new(folder).is_dir() => Florence::from_dir(folder)?,
            name => Florence::from_hub(name)?,
        };
        let file = ImageFile::open(&self.image, &ImageOptions::default())?;
        for note in &file.notes {
            eprintln!("{}: {note}", self.image.display());
        }
        Ok((florence, file.image))
    }

    /// Writes the image with an answer drawn on it to `--output`.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub fn draw<M: Marks>(&self, image: &DynamicImage, answer: &M) -> Result<(), Box<dyn Error>> {
        draw::save(&self.output, &image.to_rgb8(), answer, &Style::default())?;
        println!("{}", self.output.display());
        Ok(())
    }
}
