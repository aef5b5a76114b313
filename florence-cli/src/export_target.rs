//! `--export FORMAT=PATH`.

use std::path::PathBuf;

use clap::ValueEnum;

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

/// Reads `FORMAT=PATH`.
pub(crate) fn target(text: &str) -> Result<Target, String> {
    let expected = || {
        let formats = Format::value_variants().iter();
        let formats = formats.filter_map(|format| format.to_possible_value());
        let formats: Vec<_> = formats.map(|format| format.get_name().to_owned()).collect();
        format!("expected FORMAT=PATH, FORMAT one of {}", formats.join(", "))
    };
    let (format, path) = text.split_once('=').ok_or_else(expected)?;
    let format = Format::from_str(format, true).map_err(|_| expected())?;
    if path.is_empty() {
        return Err(expected());
    }
    let path = PathBuf::from(path);
    Ok(Target { format, path })
}
