//! Arguments of `--export`: `FORMAT=PATH` and its options.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::{Args, ValueEnum};

/// Options of `--export`.
#[derive(Debug, Args)]
#[command(next_help_heading = "Results")]
pub(crate) struct ExportArgs {
    /// Name images by their path relative to this folder.
    ///
    /// Default: the deepest folder that contains all images.
    #[arg(long, value_name = "DIR")]
    pub(crate) images_root: Option<PathBuf>,
    /// Write yolo= and voc= as a training data set that includes the images.
    #[arg(long, value_enum, requires = "export")]
    pub(crate) dataset: Option<Images>,
    /// Fraction of images in the validation split.
    ///
    /// Images already in the data set keep their split.
    #[arg(long, default_value_t = 0.1, value_name = "SHARE", requires = "dataset", value_parser = share)]
    pub(crate) val: f64,
    /// Seed of the train/validation split.
    #[arg(long, default_value_t = 0, value_name = "N", requires = "dataset")]
    pub(crate) seed: u64,
}

/// How images are put into a data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Images {
    /// Hard links; symbolic links where those are not possible.
    Link,
    /// Copies.
    Copy,
}

fn share(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        _ => Err("expected a fraction from 0 to 1, such as 0.1".to_owned()),
    }
}

/// A target: `FORMAT=PATH`.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) format: Format,
    pub(crate) path: PathBuf,
}

/// Export formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Coco,
    Yolo,
    Labelme,
    Voc,
    Hocr,
    Markdown,
    Text,
    Masks,
}

impl Format {
    /// Whether it is a document format.
    pub(crate) fn is_page(self) -> bool {
        matches!(self, Self::Hocr | Self::Markdown | Self::Text)
    }

    /// The file extension of an annotation file of one image, of masks that of the union.
    pub(crate) fn ending(self) -> &'static str {
        match self {
            Self::Coco | Self::Labelme => "json",
            Self::Yolo | Self::Text => "txt",
            Self::Voc => "xml",
            Self::Hocr => "hocr",
            Self::Markdown => "md",
            Self::Masks => "mask.png",
        }
    }
}

/// Parses `FORMAT=PATH`; the path need not be UTF-8.
pub(crate) fn target() -> impl TypedValueParser<Value = Target> {
    OsStringValueParser::new().try_map(|text| read(&text))
}

fn read(text: &OsStr) -> Result<Target, String> {
    let expected = || {
        let formats = Format::value_variants().iter();
        let formats = formats.filter_map(|format| format.to_possible_value());
        let formats: Vec<_> = formats.map(|format| format.get_name().to_owned()).collect();
        format!("expected FORMAT=PATH, FORMAT one of {}", formats.join(", "))
    };
    let (format, path) = split(text).ok_or_else(expected)?;
    let format = Format::from_str(&format, true).map_err(|_| expected())?;
    if path.is_empty() {
        return Err(expected());
    }
    let path = PathBuf::from(path);
    Ok(Target { format, path })
}

#[cfg(unix)]
fn split(text: &OsStr) -> Option<(String, OsString)> {
    use std::os::unix::ffi::OsStrExt;
    let bytes = text.as_bytes();
    let at = bytes.iter().position(|byte| *byte == b'=')?;
    let format = str::from_utf8(&bytes[..at]).ok()?;
    Some((
        format.to_owned(),
        OsStr::from_bytes(&bytes[at + 1..]).to_owned(),
    ))
}

#[cfg(not(unix))]
fn split(text: &OsStr) -> Option<(String, OsString)> {
    let (format, path) = text.to_str()?.split_once('=')?;
    Some((format.to_owned(), path.into()))
}
