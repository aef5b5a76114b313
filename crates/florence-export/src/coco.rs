//! COCO annotation files.

use std::io::{self, Write};

use crate::fit::{Fitted, FittedShape, fit_all, keep_numbered, settled};
use crate::json::{Json, object};
use crate::{Categories, ExportCounts, ExportNote, ExportNoteKind, ImageRecord};
use florence_postprocess::{Polygon, Rle, Size, decimal};

/// The encoding of `segmentation` in COCO annotations.
///
/// # Example
///
/// ```
/// use florence_export::CocoSegmentation;
///
/// assert_ne!(CocoSegmentation::Polygons, CocoSegmentation::Counts);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum CocoSegmentation {
    /// A list of `[x, y, x, y, …]`, one for each part; boxes as their four corners. Holes of masks
    /// are joined to the outline.
    #[default]
    Polygons,
    /// Run lengths as a list of counts.
    Counts,
    /// Run lengths as compressed text.
    CompressedCounts,
}

/// Writes a COCO annotation file image by image: `annotations` as they come, then `images` and
/// `categories`, whose names are kept in memory.
///
/// Images and annotations are numbered from 1; category ids are one more than the numbers of
/// [`Categories`]. Every annotation has `bbox`, `area`, `segmentation` and `iscrowd` 0, and `score`
/// where known. Images that are not stored upright have `exif_orientation` and `"frame": "upright"`,
/// those whose name is not UTF-8 `file_name_bytes` in base64. The area of polygons that cross
/// themselves many thousand times is counted in whole pixels.
///
/// # Example
///
/// ```
/// use florence_export::{CocoSegmentation, CocoWriter, ImageRecord};
/// use florence_postprocess::{Annotation, BBox, Size};
///
/// let mut image = ImageRecord::new("street.jpg", Size::new(640, 480));
/// image.annotations.push(Annotation::new("car", BBox::new(34.5, 160.0, 36.5, 162.0)));
/// let mut writer = CocoWriter::new(Vec::new(), CocoSegmentation::Polygons)?;
/// writer.write_image(&image)?;
/// let json = String::from_utf8(writer.finish()?).unwrap();
/// assert_eq!(json, r#"{"annotations":[
/// {"id":1,"image_id":1,"category_id":1,"bbox":[34.5,160.0,2.0,2.0],"area":4.0,"segmentation":[[34.5,160.0,36.5,160.0,36.5,162.0,34.5,162.0]],"iscrowd":0}
/// ],"images":[
/// {"id":1,"file_name":"street.jpg","width":640,"height":480}
/// ],"categories":[
/// {"id":1,"name":"car","supercategory":""}
/// ]}
/// "#);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct CocoWriter<W: Write> {
    out: W,
    segmentation: CocoSegmentation,
    categories: Categories,
    /// The images so far, as lines of JSON.
    images: Vec<String>,
    annotations: u64,
    counts: ExportCounts,
}

impl<W: Write> CocoWriter<W> {
    /// A file with the labels as its categories.
    ///
    /// # Errors
    ///
    /// Those of the writer.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_export::{CocoSegmentation, CocoWriter};
    ///
    /// let writer = CocoWriter::new(Vec::new(), CocoSegmentation::CompressedCounts)?;
    /// assert!(writer.categories().names().is_empty());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn new(out: W, segmentation: CocoSegmentation) -> io::Result<Self> {
        Self::with_categories(out, segmentation, Categories::open())
    }

    /// A file with these categories.
    ///
    /// # Errors
    ///
    /// Those of the writer.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_export::{Categories, CocoSegmentation, CocoWriter};
    ///
    /// let known = Categories::closed(["car", "door"]);
    /// let writer = CocoWriter::with_categories(Vec::new(), CocoSegmentation::Polygons, known)?;
    /// assert_eq!(writer.categories().names(), ["car", "door"]);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn with_categories(
        mut out: W,
        segmentation: CocoSegmentation,
        categories: Categories,
    ) -> io::Result<Self> {
        out.write_all(b"{\"annotations\":[")?;
        Ok(Self {
            out,
            segmentation,
            categories,
            images: Vec::new(),
            annotations: 0,
            counts: ExportCounts::default(),
        })
    }

    /// Adds an image and its annotations. An image without pixels has no annotations.
    ///
    /// # Errors
    ///
    /// Those of the writer.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::Size;
    /// use florence_export::{CocoSegmentation, CocoWriter, ImageRecord};
    ///
    /// let mut writer = CocoWriter::new(Vec::new(), CocoSegmentation::Polygons)?;
    /// let notes = writer.write_image(&ImageRecord::new("empty.jpg", Size::new(640, 480)))?;
    /// assert!(notes.is_empty());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn write_image(&mut self, image: &ImageRecord) -> io::Result<Vec<ExportNote>> {
        let image_id = self.images.len() + 1;
        let (fitted, mut notes) = fit_all(image);
        let number = |label: &str| self.categories.number(label);
        for (category, found) in keep_numbered(image, fitted, &mut notes, number) {
            let mut note = |kind| notes.push(ExportNote::new(image, found.index, kind));
            let written = self.segmentation.write(&found.shape, image.size, &mut note);
            let segmentation = match written {
                Ok(segmentation) => segmentation,
                Err(reason) => {
                    note(reason);
                    continue;
                }
            };
            let start = if self.annotations == 0 { "\n" } else { ",\n" };
            self.annotations += 1;
            let mut annotation = object([
                ("id", self.annotations.into()),
                ("image_id", image_id.into()),
                ("category_id", (category + 1).into()),
                ("bbox", xywh(&found).into()),
                ("area", found.shape.area().into()),
                ("segmentation", segmentation),
                ("iscrowd", 0u8.into()),
            ]);
            if let Some(score) = found.score {
                annotation.push("score", decimal(score));
            }
            write!(self.out, "{start}{annotation}")?;
        }
        let mut line = object([
            ("id", image_id.into()),
            ("file_name", image.file_name.as_str().into()),
            ("width", image.size.width.into()),
            ("height", image.size.height.into()),
        ]);
        for (key, value) in image.remarks() {
            line.push(key, value);
        }
        self.images.push(line.to_string());
        let notes = settled(notes);
        self.counts.add(&image.annotations, &notes);
        Ok(notes)
    }

    /// The categories so far.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_export::{CocoSegmentation, CocoWriter};
    ///
    /// let writer = CocoWriter::new(Vec::new(), CocoSegmentation::Polygons)?;
    /// assert!(writer.categories().names().is_empty());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn categories(&self) -> &Categories {
        &self.categories
    }

    /// How much was written and left out so far.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_export::{CocoSegmentation, CocoWriter};
    ///
    /// let writer = CocoWriter::new(Vec::new(), CocoSegmentation::Polygons)?;
    /// assert_eq!(writer.counts().images, 0);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn counts(&self) -> ExportCounts {
        self.counts
    }

    /// Writes images and categories and completes the file, which is not JSON before.
    ///
    /// # Errors
    ///
    /// Those of the writer.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_export::{CocoSegmentation, CocoWriter};
    ///
    /// let json = CocoWriter::new(Vec::new(), CocoSegmentation::Polygons)?.finish()?;
    /// assert_eq!(json, b"{\"annotations\":[\n],\"images\":[\n\n],\"categories\":[\n\n]}\n");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn finish(mut self) -> io::Result<W> {
        let names = self.categories.names().iter().enumerate();
        let categories = names.map(|(number, name)| {
            let id = (number + 1).into();
            let name = name.as_str().into();
            object([("id", id), ("name", name), ("supercategory", "".into())]).to_string()
        });
        let categories: Vec<String> = categories.collect();
        write!(
            self.out,
            "\n],\"images\":[\n{}\n],\"categories\":[\n{}\n]}}\n",
            self.images.join(",\n"),
            categories.join(",\n"),
        )?;
        self.out.flush()?;
        Ok(self.out)
    }
}

impl CocoSegmentation {
    fn write(
        self,
        shape: &FittedShape,
        size: Size,
        note: &mut impl FnMut(ExportNoteKind),
    ) -> Result<Json, ExportNoteKind> {
        if self == Self::Polygons {
            return Ok(shape.polygons().iter().map(flat).map(Json::from).collect());
        }
        let rle = shape.rle(size)?;
        if rle.area() == 0 {
            note(ExportNoteKind::NoPixel);
        }
        Ok(match self {
            Self::Counts => {
                let size = [size.height, size.width].into();
                object([("size", size), ("counts", rle.counts().to_vec().into())])
            }
            _ => compressed(&rle),
        })
    }
}

/// `{"size": [height, width], "counts": "…"}`.
pub(super) fn compressed(rle: &Rle) -> Json {
    let size = [rle.size().height, rle.size().width].into();
    object([("size", size), ("counts", rle.to_compressed().into())])
}

/// `[x, y, width, height]`.
pub(super) fn xywh(found: &Fitted<'_>) -> [f64; 4] {
    found.shape.bbox().to_xywh().map(decimal)
}

fn flat(polygon: &Polygon) -> Vec<f64> {
    let points = polygon.points.iter();
    points
        .flat_map(|point| [decimal(point.x), decimal(point.y)])
        .collect()
}
