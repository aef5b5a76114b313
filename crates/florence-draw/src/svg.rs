//! SVG output.

use std::fmt::{self, Display, Formatter, Write};
use std::io::Cursor;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use florence_postprocess::{Polygon, xml};
use image::codecs::jpeg::JpegEncoder;
use image::{ImageFormat, ImageResult, Rgb};

use crate::scene::{Figure, FigureShape, HALO_OPACITY, Label, Scene};
use crate::{Photo, ink_on};

/// Labels are measured with the first; `textLength` makes others fit.
const FONTS: &str = "'DejaVu Sans Condensed','DejaVu Sans',Verdana,sans-serif";

/// Of embedded photos.
const JPEG_QUALITY: u8 = 90;

/// A photo as a `data:` URL, for documents of one file.
///
/// # Errors
///
/// When the photo cannot be encoded in this format: it has no pixels, or is too large.
///
/// # Example
///
/// ```
/// use florence_draw::data_uri;
/// use image::{ImageFormat, RgbImage};
///
/// let uri = data_uri(&RgbImage::new(4, 4), ImageFormat::Png)?;
/// assert!(uri.starts_with("data:image/png;base64,iVBOR"));
/// # Ok::<(), image::ImageError>(())
/// ```
pub fn data_uri<P: Photo + ?Sized>(photo: &P, format: ImageFormat) -> ImageResult<String> {
    let photo = photo.rgb();
    let mut file = Cursor::new(Vec::new());
    if format == ImageFormat::Jpeg {
        photo.write_with_encoder(JpegEncoder::new_with_quality(&mut file, JPEG_QUALITY))?;
    } else {
        photo.write_to(&mut file, format)?;
    }
    let mut uri = format!("data:{};base64,", format.to_mime_type());
    STANDARD.encode_string(file.into_inner(), &mut uri);
    Ok(uri)
}

impl Scene {
    /// The scene as an SVG document, over the photo if one is given: its URL, or the photo itself as a
    /// [`data_uri`].
    ///
    /// # Example
    ///
    /// ```
    /// use florence_draw::{Mark, Scene, Style};
    /// use florence_postprocess::{BBox, Size};
    ///
    /// let car = Mark::new(BBox::new(100.0, 100.0, 300.0, 200.0)).with_label("car & <van>");
    /// let svg = Scene::new(Size::new(640, 480), &car, &Style::default()).to_svg(None);
    /// assert!(svg.contains(">car &amp; &lt;van&gt;</text>"));
    /// ```
    pub fn to_svg(&self, photo: Option<&str>) -> String {
        let mut svg = String::new();
        // Writing to a string does not fail.
        let _ = write(&mut svg, self, photo);
        svg
    }
}

fn write(svg: &mut String, scene: &Scene, photo: Option<&str>) -> fmt::Result {
    let (width, height) = (scene.size().width, scene.size().height);
    writeln!(
        svg,
        r#"<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}">"#
    )?;
    if let Some(photo) = photo {
        let (photo, _) = xml::escaped(photo);
        writeln!(
            svg,
            r#"<image href="{photo}" width="{width}" height="{height}" preserveAspectRatio="none"/>"#
        )?;
    }
    writeln!(
        svg,
        r#"<g fill-rule="evenodd" fill-opacity="{}">"#,
        Short(scene.opacity())
    )?;
    for figure in scene.figures().iter().filter(|figure| figure.filled) {
        if let FigureShape::Polygons(polygons) = &figure.shape {
            let (path, color) = (Course(polygons), Hex(figure.color));
            writeln!(svg, r#"<path d="{path}" fill="{color}"/>"#)?;
        }
    }
    writeln!(
        svg,
        "</g>\n<g fill=\"none\" stroke-linejoin=\"round\" stroke-width=\"{}\">",
        Short(scene.stroke())
    )?;
    for figure in scene.figures() {
        halo(svg, figure, scene)?;
        outline(svg, figure)?;
    }
    writeln!(
        svg,
        "</g>\n<g font-family=\"{FONTS}\" font-weight=\"bold\" font-size=\"{}\">",
        Short(scene.font_size())
    )?;
    for label in scene.labels() {
        write_label(svg, label)?;
    }
    writeln!(svg, "</g>\n</svg>")
}

/// The halo: a wider line below the outline.
fn halo(svg: &mut String, figure: &Figure, scene: &Scene) -> fmt::Result {
    let width = Short(scene.stroke() + 2.0 * scene.halo());
    let (ink, opacity) = (Hex(ink_on(figure.color)), Short(HALO_OPACITY));
    let course = Outline(&figure.shape);
    writeln!(
        svg,
        r#"<{course} stroke="{ink}" stroke-opacity="{opacity}" stroke-width="{width}"/>"#
    )
}

fn outline(svg: &mut String, figure: &Figure) -> fmt::Result {
    let (course, color) = (Outline(&figure.shape), Hex(figure.color));
    write!(svg, r#"<{course} stroke="{color}""#)?;
    if figure.title.is_empty() {
        return writeln!(svg, "/>");
    }
    let tag = match figure.shape {
        FigureShape::Box(_) => "rect",
        FigureShape::Polygons(_) => "path",
    };
    let (title, _) = xml::escaped(&figure.title);
    writeln!(svg, "><title>{title}</title></{tag}>")
}

/// The start of an element: its name and geometry.
struct Outline<'a>(&'a FigureShape);

impl Display for Outline<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            FigureShape::Box(bbox) => {
                let [x, y, width, height] = bbox.to_xywh().map(Short);
                write!(
                    f,
                    r#"rect x="{x}" y="{y}" width="{width}" height="{height}" stroke-linejoin="miter""#
                )
            }
            FigureShape::Polygons(polygons) => write!(f, r#"path d="{}""#, Course(polygons)),
        }
    }
}

fn write_label(svg: &mut String, label: &Label) -> fmt::Result {
    let [x, y, width, height] = label.bounds.to_xywh().map(Short);
    writeln!(
        svg,
        r#"<rect x="{x}" y="{y}" width="{width}" height="{height}" fill="{}"/>"#,
        Hex(label.color)
    )?;
    writeln!(
        svg,
        r#"<text x="{}" y="{}" textLength="{}" lengthAdjust="spacingAndGlyphs" fill="{}">{}</text>"#,
        Short(label.origin.x),
        Short(label.origin.y),
        Short(label.width),
        Hex(label.ink),
        xml::escaped(&label.text).0
    )
}

/// A number with two decimals at most.
struct Short(f32);

impl Display for Short {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let number = format!("{:.2}", self.0);
        let short = number.trim_end_matches('0').trim_end_matches('.');
        f.write_str(if short == "-0" { "0" } else { short })
    }
}

struct Hex(Rgb<u8>);

impl Display for Hex {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Rgb([r, g, b]) = self.0;
        write!(f, "#{r:02x}{g:02x}{b:02x}")
    }
}

/// Closed polygons as path data.
struct Course<'a>(&'a [Polygon]);

impl Display for Course<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for polygon in self.0 {
            for (at, point) in polygon.points.iter().enumerate() {
                let command = if at == 0 { 'M' } else { 'L' };
                write!(f, "{command}{} {}", Short(point.x), Short(point.y))?;
            }
            f.write_char('Z')?;
        }
        Ok(())
    }
}
