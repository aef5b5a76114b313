//! Reading of untrusted image files: bounded, and complete or refused.

use std::path::Path;

use image::DynamicImage;
use image::metadata::Orientation;

use super::decoded::{Damage, Decoded, Refusal};
use super::format::Format;
use super::note::ImageNote;
use super::png;
use super::resize::MAX_SOURCE_SIDE;
use crate::{Error, Result};

/// Options for reading image files.
///
/// # Example: turn photos upright
///
/// ```
/// use florence_core::image::ImageOptions;
///
/// let options = ImageOptions::new().apply_exif_orientation(true);
/// assert_eq!(options.get_max_pixels(), 256_000_000);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageOptions {
    apply_exif_orientation: bool,
    max_pixels: u64,
}

impl Default for ImageOptions {
    fn default() -> Self {
        ImageOptions {
            apply_exif_orientation: false,
            max_pixels: 256_000_000,
        }
    }
}

impl ImageOptions {
    /// The defaults.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_core::image::ImageOptions;
    ///
    /// assert!(!ImageOptions::new().get_apply_exif_orientation());
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether to rotate and mirror the image as its EXIF orientation says. Off by default, as in the
    /// reference; boxes then refer to the pixels as stored.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_core::image::ImageOptions;
    ///
    /// assert!(ImageOptions::new().apply_exif_orientation(true).get_apply_exif_orientation());
    /// ```
    #[must_use]
    pub fn apply_exif_orientation(mut self, apply: bool) -> Self {
        self.apply_exif_orientation = apply;
        self
    }

    /// See [`apply_exif_orientation`](Self::apply_exif_orientation).
    pub fn get_apply_exif_orientation(&self) -> bool {
        self.apply_exif_orientation
    }

    /// Images of more pixels are refused before they are decoded. The default, 256,000,000, leaves
    /// room for the largest photos that phones take (200 megapixels); Pillow refuses more than
    /// 178,956,970. Beside the file itself, reading takes 3 bytes a pixel for a PNG of 8-bit RGB and
    /// 4.5 for a JPEG of one scan in 4:2:0 (measured at 108 and 200 megapixels), and about 15 at most,
    /// for a TIFF of six samples of 16 bits in one strip; tiles of a TIFF that are larger than the
    /// picture may add 64 MiB.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_core::image::ImageOptions;
    ///
    /// assert_eq!(ImageOptions::new().max_pixels(1_000_000).get_max_pixels(), 1_000_000);
    /// ```
    #[must_use]
    pub fn max_pixels(mut self, max_pixels: u64) -> Self {
        self.max_pixels = max_pixels;
        self
    }

    /// See [`max_pixels`](Self::max_pixels).
    pub fn get_max_pixels(&self) -> u64 {
        self.max_pixels
    }
}

/// A decoded image file: its pixels and the notes about it.
///
/// Damaged files are read as far as the reference's decoders read them, with a [note](ImageNote);
/// [`load_image`] and [`decode`] refuse them.
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
    /// Notes about the file: damage, and its stored orientation.
    pub notes: Vec<ImageNote>,
}

impl ImageFile {
    /// Reads an image file of any format that this crate was built with: PNG
    /// and JPEG, and BMP, GIF, TIFF and WebP with the features of these names.
    /// Of several frames or pages the first is read. A TIFF comes upright,
    /// whatever the options say, because the reference's decoder turns it.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] when the file cannot be read, [`Error::ImageTooLarge`] when it
    /// has more pixels than allowed, [`Error::Image`] when it is no image, of an
    /// unknown format, or damaged beyond what the reference's decoders make of it.
    ///
    /// # Example
    ///
    /// See [`ImageFile`].
    pub fn open(path: impl AsRef<Path>, options: &ImageOptions) -> Result<Self> {
        let path = path.as_ref();
        let bytes = std::fs::read(path).map_err(|e| Error::io(path, e))?;
        Self::decode(&bytes, options).map_err(|error| error.about_image(path))
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

    /// The pixels of an undamaged file.
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

/// Reads an undamaged image file: [`ImageFile::open`] without notes, and with an error for a
/// damaged file.
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
    file.undamaged().map_err(|error| error.about_image(path))
}

/// Decodes an undamaged image file in memory; see [`load_image`].
///
/// # Errors
///
/// [`Error::Image`], as for [`load_image`].
///
/// # Example: not an image
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
    if bytes.is_empty() {
        return Err(refuse("an empty file"));
    }
    let readable = Format::readable();
    let Some(format) = Format::of(bytes) else {
        return Err(refuse(format!(
            "not an image, or of an unknown format; expected {readable}"
        )));
    };
    let read = match format {
        Format::Png => png::read(bytes, max_pixels),
        Format::Jpeg => super::jpeg::read(bytes, max_pixels),
        #[cfg(feature = "webp")]
        Format::WebP => super::webp::read(bytes, max_pixels),
        #[cfg(feature = "gif")]
        Format::Gif => super::gif::read(bytes, max_pixels),
        #[cfg(feature = "bmp")]
        Format::Bmp => super::bmp::read(bytes, max_pixels),
        #[cfg(feature = "tiff")]
        Format::Tiff => super::tiff::read(bytes, max_pixels),
        Format::Other(_, help) => Err(Refusal::Unsupported(help.to_owned())),
        Format::NoPixels(name, help) => {
            return Err(refuse(format!(
                "not an image of pixels but {name} ({help}); expected {readable}"
            )));
        }
        #[allow(unreachable_patterns)]
        other => Err(Refusal::Unsupported(format!(
            "built without its feature `{}`",
            other.name().to_lowercase()
        ))),
    };
    let name = format.name();
    read.map_err(|refusal| {
        refuse(match refusal {
            Refusal::Size { width, height } => {
                return Error::ImageTooLarge {
                    path: None,
                    format: name,
                    width,
                    height,
                    max_pixels,
                };
            }
            Refusal::Side { width, height } => format!(
                "{name} of {width} × {height} pixels, expected sides of 1 to {MAX_SOURCE_SIDE}"
            ),
            Refusal::Whole(reason) => reason,
            Refusal::Broken(what) => format!("{name} that is damaged or cut off: {what}"),
            Refusal::Unsupported(what) => {
                format!("{name} that this program cannot read ({what}); expected {readable}")
            }
        })
    })
}

fn refuse(reason: impl Into<String>) -> Error {
    Error::Image {
        path: None,
        reason: reason.into(),
    }
}
