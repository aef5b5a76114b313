//! hOCR output.

use std::f32::consts::FRAC_PI_4;
use std::fmt::Write;

use crate::page::{Line, Page, Span};
use florence_postprocess::xml::escaped;
use florence_postprocess::{BBox, Point, QuadBox, Size};

impl Page {
    /// The page as [hOCR](https://kba.github.io/hocr-spec/1.2/), the XHTML exchange format of OCR
    /// programs: `ocr_page`, `ocr_carea` for blocks, `ocr_par`, `ocr_line` with `baseline` (or
    /// `textangle` where the line does not run to the right) and `x_size`, `ocrx_word` with
    /// `x_wconf` where the confidence is known.
    ///
    /// `image` is the name of the image's file, omitted if empty. Boxes are whole pixels within the
    /// image. A region of several words is split as if all characters were equally wide, since the
    /// model does not locate words. Characters that XML cannot represent become U+FFFD.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_layout::Page;
    /// use florence_postprocess::{QuadBox, Size, TextRegion};
    ///
    /// let quad = QuadBox::from([10.0, 10.0, 90.0, 10.0, 90.0, 30.0, 10.0, 30.0]);
    /// let sign = TextRegion::new("R&B club", quad).with_text_confidence(0.93);
    /// let hocr = Page::from_regions(&[sign], Size::new(100, 50)).to_hocr("sign.png");
    /// assert!(hocr.contains(r#"title="image &quot;sign.png&quot;; bbox 0 0 100 50; ppageno 0""#));
    /// assert!(hocr.contains(r#"title="bbox 10 10 90 30; baseline 0 0; x_size 20""#));
    /// assert!(hocr.contains(r#"title="bbox 10 10 40 30; x_wconf 93">R&amp;B</span>"#));
    /// assert!(hocr.contains(r#"title="bbox 50 10 90 30; x_wconf 93">club</span>"#));
    /// ```
    pub fn to_hocr(&self, image: &str) -> String {
        self.to_hocr_with(image, &[])
    }

    /// [`to_hocr`](Page::to_hocr) with additional `meta` elements: names and contents.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_layout::Page;
    /// use florence_postprocess::Size;
    ///
    /// let page = Page::from_regions(&[], Size::new(480, 640));
    /// let metadata = [("exif-orientation".to_owned(), "6".to_owned())];
    /// let hocr = page.to_hocr_with("page.jpg", &metadata);
    /// assert!(hocr.contains(r#"<meta name="exif-orientation" content="6"/>"#));
    /// assert!(hocr.contains("bbox 0 0 480 640"));
    /// ```
    pub fn to_hocr_with(&self, image: &str, meta: &[(String, String)]) -> String {
        let mut writer = Writer::new(self.size);
        writer.head(image, meta);
        writer.page(self, image);
        writer.hocr
    }
}

const HEAD: &str = concat!(
    r#"<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd">
<html xmlns="http://www.w3.org/1999/xhtml">
 <head>
  <title>"#,
    "\u{0}",
    r#"</title>
  <meta http-equiv="Content-Type" content="text/html; charset=utf-8"/>
  <meta name="ocr-system" content="florence-layout "#,
    env!("CARGO_PKG_VERSION"),
    r#""/>
  <meta name="ocr-capabilities" content="ocr_page ocr_carea ocr_par ocr_line ocrx_word ocrp_wconf"/>
"#
);

struct Writer {
    hocr: String,
    size: Size,
    lines: usize,
    words: usize,
}

impl Writer {
    fn new(size: Size) -> Self {
        Self {
            hocr: String::new(),
            size,
            lines: 0,
            words: 0,
        }
    }

    /// Adds text; a `String` takes any.
    fn put(&mut self, text: std::fmt::Arguments<'_>) {
        self.hocr.write_fmt(text).unwrap_or_default();
    }

    fn head(&mut self, image: &str, meta: &[(String, String)]) {
        self.hocr = HEAD.replace('\u{0}', &escaped(image).0);
        for (name, content) in meta {
            let [(name, _), (content, _)] = [name, content].map(|text| escaped(text));
            self.put(format_args!(
                "  <meta name=\"{name}\" content=\"{content}\"/>\n"
            ));
        }
        self.put(format_args!(" </head>\n <body>\n"));
    }

    fn page(&mut self, page: &Page, image: &str) {
        let Size { width, height } = page.size;
        let image = match escaped(&image.replace('"', "'")) {
            (name, _) if name.is_empty() => name,
            (name, _) => format!("image &quot;{name}&quot;; "),
        };
        self.put(format_args!(
            "  <div class=\"ocr_page\" id=\"page_1\" title=\"{image}bbox 0 0 {width} {height}; ppageno 0\">\n"
        ));
        let mut paragraphs = 0;
        for (at, block) in page.blocks.iter().enumerate() {
            let bbox = self.bbox(&block.bbox);
            self.put(format_args!(
                "   <div class=\"ocr_carea\" id=\"block_1_{}\" title=\"{bbox}\">\n",
                at + 1
            ));
            for paragraph in &block.paragraphs {
                paragraphs += 1;
                let bbox = self.bbox(&paragraph.bbox);
                self.put(format_args!(
                    "    <p class=\"ocr_par\" id=\"par_1_{paragraphs}\" title=\"{bbox}\">\n"
                ));
                for line in &paragraph.lines {
                    self.line(line);
                }
                self.put(format_args!("    </p>\n"));
            }
            self.put(format_args!("   </div>\n"));
        }
        self.put(format_args!("  </div>\n </body>\n</html>\n"));
    }

    fn line(&mut self, line: &Line) {
        self.lines += 1;
        let bbox = line.to_bbox();
        let (edges, number) = (self.bbox(&bbox), self.lines);
        let [left, _, _, bottom] = self.edges(&bbox);
        let direction = direction(&line.quad, Point::new(left, bottom));
        let size = rounded(line.height, 1.0);
        self.put(format_args!(
            "     <span class=\"ocr_line\" id=\"line_1_{number}\" title=\"{edges}; {direction}; x_size {size}\">\n"
        ));
        for span in &line.spans {
            self.words(span, &bbox);
        }
        self.put(format_args!("     </span>\n"));
    }

    fn words(&mut self, span: &Span, line: &BBox) {
        let all = span.text.chars().count().max(1) as f32;
        let confidence = match span.confidence {
            Some(share) if share.is_finite() => {
                format!("; x_wconf {}", rounded(share.clamp(0.0, 1.0) * 100.0, 1.0))
            }
            _ => String::new(),
        };
        let mut start = None;
        let ended = span.text.chars().chain([' ']).enumerate();
        let mut word = String::new();
        for (at, c) in ended {
            if !c.is_whitespace() {
                start.get_or_insert(at);
                word.push(c);
                continue;
            }
            let Some(start) = start.take() else {
                continue;
            };
            self.words += 1;
            let quad = between(&span.quad, start as f32 / all, at as f32 / all);
            let quad = quad.to_bbox();
            let within = quad.intersection(line).unwrap_or(quad);
            let (bbox, number) = (self.bbox(&within), self.words);
            let (text, _) = escaped(&std::mem::take(&mut word));
            self.put(format_args!(
                "      <span class=\"ocrx_word\" id=\"word_1_{number}\" title=\"{bbox}{confidence}\">{text}</span>\n"
            ));
        }
    }

    /// Whole pixels within the image: left, top, right, bottom.
    fn edges(&self, bbox: &BBox) -> [f32; 4] {
        let within = |edge: f32, end: u32| {
            let edge = if edge.is_nan() { 0.0 } else { edge };
            // Adding 0 makes −0 a 0.
            edge.clamp(0.0, end as f32) + 0.0
        };
        [
            within(bbox.x1.floor(), self.size.width),
            within(bbox.y1.floor(), self.size.height),
            within(bbox.x2.ceil(), self.size.width),
            within(bbox.y2.ceil(), self.size.height),
        ]
    }

    fn bbox(&self, bbox: &BBox) -> String {
        let [x1, y1, x2, y2] = self.edges(bbox);
        format!("bbox {x1} {y1} {x2} {y2}")
    }
}

/// The baseline of a line that runs to the right, from the bottom left of its box; the angle of
/// others, counterclockwise as hOCR has it.
fn direction(quad: &QuadBox, bottom_left: Point) -> String {
    let angle = quad.angle();
    if !angle.is_finite() {
        return "baseline 0 0".to_owned();
    }
    if angle.abs() > FRAC_PI_4 {
        let degrees = (-angle.to_degrees()).rem_euclid(360.0);
        return format!("textangle {}", rounded(degrees, 100.0) % 360.0);
    }
    let [.., end, start] = quad.points;
    let slope = (end.y - start.y) / (end.x - start.x);
    let slope = if slope.is_finite() { slope } else { 0.0 };
    let offset = start.y + slope * (bottom_left.x - start.x) - bottom_left.y;
    let (slope, offset) = (rounded(slope, 1000.0), rounded(offset, 1.0));
    format!("baseline {slope} {offset}")
}

/// 0 where the value is not finite; adding 0 makes −0 a 0.
fn rounded(value: f32, steps: f32) -> f32 {
    let rounded = (value * steps).round() / steps + 0.0;
    if rounded.is_finite() { rounded } else { 0.0 }
}

/// The part of a quad between two shares of its length.
fn between(quad: &QuadBox, from: f32, to: f32) -> QuadBox {
    let [a, b, c, d] = quad.points;
    QuadBox {
        points: [
            a.lerp(b, from),
            a.lerp(b, to),
            d.lerp(c, to),
            d.lerp(c, from),
        ],
    }
}
