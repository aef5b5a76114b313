//! `--export FORMAT=PATH`, and how exports are written.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::{Args, ValueEnum};

/// How exports are written.
#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// Name images in exports by their place in this folder; by default in the deepest one that holds all that are
    /// given.
    #[arg(long, value_name = "DIR", requires = "export")]
    pub(crate) images_root: Option<PathBuf>,
    /// The classes of yolo= and coco= by number, a name on each line or a data.yaml; other labels are left out and
    /// counted. By default classes are numbered as they come, after those of a data.yaml that is there.
    #[arg(long, value_name = "FILE", requires = "export")]
    pub(crate) classes: Option<PathBuf>,
    /// Write yolo= and voc= as a data set to train on, with the images in it.
    #[arg(long, value_enum, requires = "export")]
    pub(crate) dataset: Option<Images>,
    /// The share of a data set's images to validate with. Images that are in the data set stay where they are.
    #[arg(long, default_value_t = 0.1, value_name = "SHARE", requires = "dataset", value_parser = share)]
    pub(crate) val: f64,
    /// Which images these are: another number, other images.
    #[arg(long, default_value_t = 0, value_name = "N", requires = "dataset")]
    pub(crate) seed: u64,
}

/// How images get into a data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Images {
    /// By hard links; where these cannot be, by symbolic ones.
    Link,
    /// As copies.
    Copy,
}

fn share(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        _ => Err("expected a share from 0 to 1, such as 0.1".to_owned()),
    }
}

/// Where to, and as what: `FORMAT=PATH`.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) format: Format,
    pub(crate) path: PathBuf,
}

/// The kinds of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Coco,
    Yolo,
    Labelme,
    Voc,
    Hocr,
    Markdown,
    Text,
}

impl Format {
    /// Whether it is for pages of text.
    pub(crate) fn is_page(self) -> bool {
        matches!(self, Self::Hocr | Self::Markdown | Self::Text)
    }

    /// The ending of a file that is about one image.
    pub(crate) fn ending(self) -> &'static str {
        match self {
            Self::Coco | Self::Labelme => "json",
            Self::Yolo | Self::Text => "txt",
            Self::Voc => "xml",
            Self::Hocr => "hocr",
            Self::Markdown => "md",
        }
    }
}

/// Reads `FORMAT=PATH`; the path need not be UTF-8.
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
