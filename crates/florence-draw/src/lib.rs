//! Answers drawn on pictures: boxes, quads, outlines and their labels, as pixels or as SVG.
//!
//! [`annotate`] gives a copy of the picture with everything on it, [`to_svg`] the same as text. Both
//! lay out one [`Scene`] first, so they agree on every line and label; whoever needs another form can
//! read the scene too.
//!
//! What has a place can be drawn: anything that implements [`Marks`], which answers and their parts
//! do, or a [`Mark`] of your own.
//!
//! - **Labels** stay inside the picture and avoid each other, then what they would hide. They are cut
//!   with `…` where they are long, and are white or black, whichever contrasts more with their
//!   background.
//! - **Colours** belong to names: a label has the same colour in every picture ([`color_of`]). Thin lines of
//!   white or black let outlines stand out from what is behind them.
//! - **Sizes** follow the picture's, unless the [`Style`] says otherwise.
//!
//! The font that comes with it, DejaVu Sans Condensed Bold, has Latin, Greek, Cyrillic, Armenian and
//! Georgian letters, punctuation, arrows and common signs. In pixels, anything else is an empty box for
//! each character; SVG holds the text itself.
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

#![forbid(unsafe_code)]

mod caption;
mod color;
mod font;
mod mark;
mod place;
mod raster;
mod scene;
mod style;
mod svg;

pub use color::{color_of, ink_on};
pub use mark::{Mark, Marks};
pub use scene::{Contour, Figure, Label, Scene};
pub use style::Style;
pub use svg::data_uri;

use std::io::Cursor;
use std::path::Path;

use florence_postprocess::Size;
use image::{ImageFormat, ImageResult, RgbImage};

/// A copy of a picture with marks and their labels on it. Coordinates are pixels of this picture.
///
/// # Example
///
/// ```
/// use florence_postprocess::BBox;
/// use florence_draw::{Mark, Style, annotate, color_of};
///
/// let photo = image::RgbImage::new(640, 480);
/// let mark = Mark::new(BBox::new(100.0, 100.0, 300.0, 200.0)).label("car");
/// let picture = annotate(&photo, &mark, &Style::default());
/// assert_eq!(*picture.get_pixel(300, 150), color_of("car"));
/// assert_eq!(picture.get_pixel(200, 150), photo.get_pixel(200, 150));
/// ```
pub fn annotate<M: Marks + ?Sized>(photo: &RgbImage, marks: &M, style: &Style) -> RgbImage {
    let mut picture = photo.clone();
    Scene::new(Size::from(photo.dimensions()), marks, style).draw_on(&mut picture);
    picture
}

/// Marks and their labels as an SVG document of the picture's size, over the photo if one is given:
/// its address, or the photo itself as a [`data_uri`].
///
/// # Example
///
/// ```
/// use florence_draw::{Mark, Style, to_svg};
/// use florence_postprocess::{BBox, Size};
///
/// let mark = Mark::new(BBox::new(100.0, 100.0, 300.0, 200.0)).label("car");
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

/// Writes a picture with marks and their labels on it to a file: as one SVG document with the photo
/// inside if its name ends in `.svg`, otherwise as an image of the format that the name says.
///
/// # Errors
///
/// When the name has no known ending, the file cannot be written, or the format cannot hold the
/// picture.
///
/// # Example
///
/// ```no_run
/// use florence_postprocess::BBox;
/// use florence_draw::{Mark, Style, save};
///
/// let photo = image::open("photo.jpg")?.into_rgb8();
/// let mark = Mark::new(BBox::new(100.0, 100.0, 300.0, 200.0)).label("car");
/// save("annotated.png", &photo, &mark, &Style::default())?;
/// save("annotated.svg", &photo, &mark, &Style::default())?;
/// # Ok::<(), image::ImageError>(())
/// ```
pub fn save<M: Marks + ?Sized>(
    path: impl AsRef<Path>,
    photo: &RgbImage,
    marks: &M,
    style: &Style,
) -> ImageResult<()> {
    let path = path.as_ref();
    let ending = path.extension().unwrap_or_default();
    let file = if ending.eq_ignore_ascii_case("svg") {
        let inside = data_uri(photo, format_within(photo))?;
        let size = Size::from(photo.dimensions());
        to_svg(marks, size, style, Some(&inside)).into_bytes()
    } else {
        let format = ImageFormat::from_path(path)?;
        let mut file = Cursor::new(Vec::new());
        annotate(photo, marks, style).write_to(&mut file, format)?;
        file.into_inner()
    };
    // Only now: what has no such form leaves the file that was there.
    Ok(std::fs::write(path, file)?)
}

/// JPEG, unless it cannot hold a photo of this size.
fn format_within(photo: &RgbImage) -> ImageFormat {
    if photo.width().max(photo.height()) > u32::from(u16::MAX) {
        ImageFormat::Png
    } else {
        ImageFormat::Jpeg
    }
}
