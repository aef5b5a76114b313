//! Draws [Florence-2](https://arxiv.org/abs/2311.06242) answers on images: boxes, quads, polygons and
//! labels, as pixels or SVG.
//!
//! [`annotate`] returns an annotated copy of an image, [`overlay`] the drawing alone on a transparent
//! one, [`to_svg`] an SVG document; [`save`] writes a file. All lay out one [`Scene`] first, so that they agree on every line and label;
//! other renderers can read it too.
//!
//! What can be drawn implements [`Marks`]: answers and their parts, lists of those, and a [`Mark`] of
//! your own. [`Style`] has the options.
//!
//! - **Labels** stay inside the image and avoid each other, then shapes. Long ones end in `…`. The text
//!   is white or black ([`ink_on`]), whichever contrasts more.
//! - **Colors** depend on the label only: [`color_of`] is the same in every image. A thin white or black
//!   halo separates outlines from the background.
//! - **Sizes** follow the image's unless the [`Style`] sets them.
//!
//! The embedded font, DejaVu Sans Condensed Bold, has Latin, Greek, Cyrillic, Armenian and Georgian
//! letters, punctuation, arrows and common signs. In pixels any other character is an empty box; SVG
//! holds the text itself.
//!
//! # Example
//!
//! ```
//! use florence_draw::{Style, annotate, to_svg};
//! use florence_postprocess::{AnswerForm, Size, parse_text};
//!
//! let answer = "</s><s>car<loc_54><loc_375><loc_906><loc_707></s>";
//! let parsed = parse_text(AnswerForm::Boxes, answer, Size::new(640, 480));
//!
//! let photo = image::RgbImage::new(640, 480);
//! let picture = annotate(&photo, &parsed, &Style::default());
//! assert_ne!(picture, photo);
//!
//! let svg = to_svg(&parsed, Size::new(640, 480), &Style::default(), None);
//! assert!(svg.contains(">car</text>"));
//! ```
//!
//! # Features
//!
//! - `serde`: `Serialize` and `Deserialize` for [`Mark`] and [`Style`]. Off by default.

#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod caption;
mod color;
mod font;
mod mark;
mod photo;
mod place;
mod raster;
mod scene;
mod style;
mod svg;

pub use color::{color_of, ink_on};
pub use mark::{Mark, Marks};
pub use photo::Photo;
pub use scene::{Figure, FigureShape, Label, Scene};
pub use style::Style;
pub use svg::data_uri;

use std::io::Cursor;
use std::path::Path;

use florence_postprocess::Size;
use image::{ImageFormat, ImageResult, RgbImage, RgbaImage};

/// Draws marks and their labels on a copy of an image. Coordinates are pixels of this image.
///
/// # Example
///
/// ```
/// use florence_postprocess::BBox;
/// use florence_draw::{Mark, Style, annotate, color_of};
///
/// let photo = image::RgbImage::new(640, 480);
/// let mark = Mark::new(BBox::new(100.0, 100.0, 300.0, 200.0)).with_label("car");
/// let picture = annotate(&photo, &mark, &Style::default());
/// assert_eq!(*picture.get_pixel(300, 150), color_of("car"));
/// assert_eq!(picture.get_pixel(200, 150), photo.get_pixel(200, 150));
/// ```
pub fn annotate<P: Photo + ?Sized, M: Marks + ?Sized>(
    photo: &P,
    marks: &M,
    style: &Style,
) -> RgbImage {
    let mut image = photo.rgb().into_owned();
    Scene::new(Size::from(image.dimensions()), marks, style).draw_on(&mut image);
    image
}

/// Marks and their labels alone, on a transparent image of this size, to be put over the photo. The
/// same as [`Scene::to_overlay`].
///
/// # Panics
///
/// Where the memory of the image cannot be allocated, like any vector.
///
/// # Example
///
/// ```
/// use florence_draw::{Mark, Style, overlay};
/// use florence_postprocess::{BBox, Size};
///
/// let mark = Mark::new(BBox::new(100.0, 100.0, 300.0, 200.0)).with_label("car");
/// let layer = overlay(&mark, Size::new(640, 480), &Style::default());
/// assert_eq!(layer.dimensions(), (640, 480));
/// assert_eq!(layer.get_pixel(300, 150).0[3], 255);
/// assert_eq!(layer.get_pixel(200, 150).0[3], 0);
/// ```
pub fn overlay<M: Marks + ?Sized>(marks: &M, size: Size, style: &Style) -> RgbaImage {
    Scene::new(size, marks, style).to_overlay()
}

/// Marks and their labels as an SVG document of the image's size, over the photo if one is given: its
/// URL, or the photo itself as a [`data_uri`].
///
/// # Example
///
/// ```
/// use florence_draw::{Mark, Style, to_svg};
/// use florence_postprocess::{BBox, Size};
///
/// let mark = Mark::new(BBox::new(100.0, 100.0, 300.0, 200.0)).with_label("car");
/// let svg = to_svg(&mark, Size::new(640, 480), &Style::default(), Some("photo.jpg"));
/// assert!(svg.starts_with("<svg "));
/// assert!(svg.contains(r#"<rect x="100" y="100" width="200" height="100""#));
/// ```
pub fn to_svg<M: Marks + ?Sized>(
    marks: &M,
    size: Size,
    style: &Style,
    photo: Option<&str>,
) -> String {
    Scene::new(size, marks, style).to_svg(photo)
}

/// Writes an annotated image to a file: as an SVG document with the photo embedded if the name ends in
/// `.svg`, otherwise as an image in the format of the extension.
///
/// # Errors
///
/// When the extension is unknown, the file cannot be written, or the format cannot encode the image.
///
/// # Example
///
/// ```
/// use florence_draw::{Mark, Style, save};
/// use florence_postprocess::BBox;
///
/// # let folder = tempfile::tempdir()?;
/// # let (png, svg) = (folder.path().join("annotated.png"), folder.path().join("annotated.svg"));
/// let photo = image::DynamicImage::new_rgb8(640, 480); // or image::open("photo.jpg")?
/// let mark = Mark::new(BBox::new(100.0, 100.0, 300.0, 200.0)).with_label("car");
/// save(&png, &photo, &mark, &Style::default())?;
/// save(&svg, &photo, &mark, &Style::default())?;
/// assert_ne!(image::open(&png)?, photo);
/// assert!(std::fs::read_to_string(&svg)?.contains(">car</text>"));
/// # Ok::<(), image::ImageError>(())
/// ```
pub fn save<P: Photo + ?Sized, M: Marks + ?Sized>(
    path: impl AsRef<Path>,
    photo: &P,
    marks: &M,
    style: &Style,
) -> ImageResult<()> {
    let (path, photo) = (path.as_ref(), photo.rgb());
    let ending = path.extension().unwrap_or_default();
    let file = if ending.eq_ignore_ascii_case("svg") {
        let inside = data_uri(&*photo, embedded_format(&photo))?;
        let size = Size::from(photo.dimensions());
        to_svg(marks, size, style, Some(&inside)).into_bytes()
    } else {
        let format = ImageFormat::from_path(path)?;
        let mut file = Cursor::new(Vec::new());
        annotate(&*photo, marks, style).write_to(&mut file, format)?;
        file.into_inner()
    };
    // Only now: an error above leaves an existing file alone.
    Ok(std::fs::write(path, file)?)
}

/// JPEG, unless the photo is too large for it.
fn embedded_format(photo: &RgbImage) -> ImageFormat {
    if photo.width().max(photo.height()) > u32::from(u16::MAX) {
        ImageFormat::Png
    } else {
        ImageFormat::Jpeg
    }
}

/// The examples of the README, as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
