//! Reading image files, which are untrusted: bounded, and complete or refused.

use std::io::Cursor;
use std::path::Path;

use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits};

use super::decoded::{Damage, Decoded};
use super::note::ImageNote;
use crate::{Error, Result};

/// How image files are read.
///
/// # Example: turn photos the way the camera was held
///
/// ```
/// use florence_core::image::ImageOptions;
///
/// let mut options = ImageOptions::default();
/// assert!(!options.apply_exif_orientation);
/// options.apply_exif_orientation = true;
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ImageOptions {
    /// Whether to turn and mirror the image as its EXIF orientation says. The
    /// reference does not, so neither does the default; boxes then refer to
    /// the pixels as stored.
    pub apply_exif_orientation: bool,
    /// Images of more pixels are refused before they are decoded. The default,
    /// 89,478,485, is where Pillow warns of decompression bombs. Reading an
    /// image takes 16 bytes a pixel and 64 MiB at most.
    pub max_pixels: u64,
}

/// Bytes that a file may take before its size in pixels is known, and beside
/// its pixels: colour profiles and other metadata, which may be compressed.
const METADATA: u64 = 64 << 20;

/// The formats that this crate asks the `image` crate for.
const READABLE: &str = if cfg!(feature = "webp") {
    "PNG, JPEG or WebP"
} else {
    "PNG or JPEG"
};

impl Default for ImageOptions {
    fn default() -> Self {
        ImageOptions {
            apply_exif_orientation: false,
            max_pixels: 89_478_485,
        }
    }
}

/// An image file that was read: its pixels, and what there is to say about it.
///
/// Files that are damaged are read as far as the reference's decoders read
/// them, with a [note](ImageNote) about it; [`load_image`] and [`decode`] refuse
/// them.
///
/// # Example
///
/// ```
/// use florence_core::image::{ImageFile, ImageOptions};
///
/// # let street = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/modes/rgba8.png");
/// let file = ImageFile::open(street, &ImageOptions::default())?;
/// assert_eq!((file.image.width(), file.image.height()), (13, 9));
/// assert!(file.notes.is_empty());
/// # Ok::<(), florence_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ImageFile {
    /// The pixels.
    pub image: DynamicImage,
    /// What there is to say about the file: damage, and the way it is stored.
    pub notes: Vec<ImageNote>,
}

impl ImageFile {
    /// Reads an image file of any format that this crate was built with: PNG
    /// and JPEG, and more with its features.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] when the file cannot be read, [`Error::Image`] when it is no
    /// image, of an unknown format, larger than allowed, or damaged beyond what
    /// the reference's decoders make of it.
    ///
    /// # Example
    ///
    /// See [`ImageFile`].
    pub fn open(path: impl AsRef<Path>, options: &ImageOptions) -> Result<Self> {
        let path = path.as_ref();
        let bytes = std::fs::read(path).map_err(|e| Error::io(path, e))?;
        Self::decode(&bytes, options).map_err(|error| about(path, error))
    }

    /// Decodes an image file in memory; see [`ImageFile::open`].
    ///
    /// # Errors
    ///
    /// [`Error::Image`], as for [`ImageFile::open`].
    ///
    /// # Example: a file that is no image
    ///
    /// ```
    /// use florence_core::image::ImageFile;
    ///
    /// let error = ImageFile::decode(b"GIF8", &Default::default()).unwrap_err();
    /// assert!(error.to_string().starts_with("image: "), "{error}");
    /// ```
    pub fn decode(bytes: &[u8], options: &ImageOptions) -> Result<Self> {
        read(bytes, options)
    }

    /// The pixels of a file that is whole.
    fn undamaged(self) -> Result<DynamicImage> {
        match self.notes.into_iter().find_map(|note| match note {
            ImageNote::Damaged { what, .. } => Some(what),
            _ => None,
        }) {
            Some(what) => Err(refuse(format!("damaged: {what}"))),
            None => Ok(self.image),
        }
    }
}

/// Reads an image file that is whole: [`ImageFile::open`] without notes, and
/// with an error for a file that is damaged.
///
/// # Errors
///
/// As for [`ImageFile::open`], and [`Error::Image`] when the file is damaged.
///
/// # Example
///
/// ```
/// use florence_core::image::{load_image, ImageOptions};
///
/// # let street = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/modes/rgba8.png");
/// let image = load_image(street, &ImageOptions::default())?;
/// assert_eq!((image.width(), image.height()), (13, 9));
/// # Ok::<(), florence_core::Error>(())
/// ```
pub fn load_image(path: impl AsRef<Path>, options: &ImageOptions) -> Result<DynamicImage> {
    let path = path.as_ref();
    let file = ImageFile::open(path, options)?;
    file.undamaged().map_err(|error| about(path, error))
}

/// Decodes an image file in memory that is whole; see [`load_image`].
///
/// # Errors
///
/// [`Error::Image`], as for [`load_image`].
///
/// # Example: what is no image says so
///
/// ```
/// let error = florence_core::image::decode(b"GIF8", &Default::default()).unwrap_err();
/// assert!(error.to_string().starts_with("image: "), "{error}");
/// ```
pub fn decode(bytes: &[u8], options: &ImageOptions) -> Result<DynamicImage> {
    ImageFile::decode(bytes, options)?.undamaged()
}

fn read(bytes: &[u8], options: &ImageOptions) -> Result<ImageFile> {
    let Decoded {
        mut image,
        orientation,
        damage,
    } = decoded(bytes, options.max_pixels)?;
    let mut notes = Vec::new();
    if let Some(Damage { what, from_row }) = damage {
        notes.push(ImageNote::Damaged { what, from_row });
    }
    if options.apply_exif_orientation {
        image.apply_orientation(orientation);
    } else if orientation != Orientation::NoTransforms {
        let exif_orientation = orientation.to_exif();
        notes.push(ImageNote::StoredTurned { exif_orientation });
    }
    Ok(ImageFile { image, notes })
}

fn decoded(bytes: &[u8], max_pixels: u64) -> Result<Decoded> {
    let reader = ImageReader::new(Cursor::new(bytes))
        .with_guessed_format()
        .map_err(|e| refuse(e.to_string()))?;
    let Some(format) = reader.format() else {
        return Err(refuse(if bytes.is_empty() {
            "an empty file".to_owned()
        } else {
            format!("not an image, or of an unknown format; expected {READABLE}")
        }));
    };
    if format == ImageFormat::Jpeg {
        return super::jpeg::read(bytes, max_pixels).map_err(refuse);
    }
    let name = format!("{format:?}").to_uppercase();
    let broken = |error: ImageError| match error {
        ImageError::Unsupported(e) => refuse(format!(
            "{name} that this program cannot read ({e}); expected {READABLE}"
        )),
        ImageError::Limits(e) => refuse(format!("{name} that is too large: {e}")),
        other => refuse(format!("{name} that is damaged or cut off: {other}")),
    };
    let mut reader = reader;
    reader.limits(at_most(METADATA));
    let mut decoder = reader.into_decoder().map_err(&broken)?;
    let (width, height) = decoder.dimensions();
    let pixels = u64::from(width) * u64::from(height);
    if pixels == 0 || pixels > max_pixels {
        return Err(refuse(format!(
            "{name} of {width} × {height} pixels, expected 1 to {max_pixels} in all"
        )));
    }
    // Four channels of 16 bits, twice: as they are stored and as they are turned.
    decoder
        .set_limits(at_most(pixels.saturating_mul(16).saturating_add(METADATA)))
        .map_err(&broken)?;
    let orientation = decoder.orientation().map_err(&broken)?;
    let mut image = DynamicImage::from_decoder(decoder).map_err(&broken)?;
    if format == ImageFormat::Png
        && is_grey16_png(bytes)
        && let DynamicImage::ImageLumaA16(grey) = &image
    {
        // A transparent grey level is no alpha channel: Pillow reads grey.
        let samples = grey.chunks_exact(2).map(|p| p[0]).collect();
        if let Some(grey) = image::ImageBuffer::from_raw(width, height, samples) {
            image = DynamicImage::ImageLuma16(grey);
        }
    }
    Ok(Decoded {
        image,
        orientation,
        damage: None,
    })
}

/// Whether the header of a PNG says 16 bits (byte 24) of grey (byte 25 zero).
fn is_grey16_png(bytes: &[u8]) -> bool {
    bytes.get(24..26) == Some(&[16, 0])
}

fn about(path: &Path, error: Error) -> Error {
    match error {
        Error::Image { reason, .. } => Error::Image {
            path: Some(path.to_owned()),
            reason,
        },
        other => other,
    }
}

fn refuse(reason: impl Into<String>) -> Error {
    Error::Image {
        path: None,
        reason: reason.into(),
    }
}

fn at_most(bytes: u64) -> Limits {
    let mut limits = Limits::default();
    limits.max_alloc = Some(bytes);
    limits
}
