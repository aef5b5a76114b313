//! Validation and clipping of shapes.

use crate::{ExportNote, ExportNoteKind, ImageRecord};
use florence_postprocess::{
    Annotation, BBox, Polygon, QuadBox, Rle, Shape, Size, decimal, outlines_area,
};

/// Smaller areas (square pixels) count as none: readers would round them to zero.
const LEAST_AREA: f64 = 1e-6;
/// Areas that take more steps than this are rasterized and counted instead.
const STEPS: usize = 1 << 24;
/// Polygons that cross more columns of pixels than this are not rasterized.
const COLUMNS: f64 = (1u64 << 22) as f64;

/// A valid annotation.
pub(super) struct Fitted<'a> {
    /// The index of the annotation in its image.
    pub(super) index: usize,
    pub(super) label: &'a str,
    /// A finite number.
    pub(super) score: Option<f32>,
    pub(super) shape: FittedShape,
}

/// A shape with an area, within its image.
pub(super) enum FittedShape {
    /// Ordered, with an area.
    Box(BBox),
    /// At least one polygon, of at least three points each, and the area of their union.
    Outlines(Vec<Polygon>, f64),
    /// At least one pixel.
    Mask(Rle),
}

impl FittedShape {
    pub(super) fn bbox(&self) -> BBox {
        match self {
            Self::Box(bbox) => *bbox,
            Self::Outlines(outlines, _) => outlines
                .iter()
                .filter_map(Polygon::to_bbox)
                .reduce(|all, bbox| all.hull(&bbox))
                .unwrap_or_default(),
            Self::Mask(rle) => rle.to_bbox().unwrap_or_default(),
        }
    }

    /// In square pixels, never 0.
    pub(super) fn area(&self) -> f64 {
        let readable = |area: f64| decimal(area as f32);
        match self {
            Self::Box(bbox) => readable(bbox.area_f64()),
            Self::Outlines(_, area) => readable(*area),
            Self::Mask(rle) => rle.area() as f64,
        }
    }

    /// The parts, each as one polygon.
    pub(super) fn polygons(&self) -> Vec<Polygon> {
        match self {
            Self::Box(bbox) => vec![QuadBox::from(*bbox).to_polygon()],
            Self::Outlines(outlines, _) => outlines.clone(),
            Self::Mask(rle) => {
                let contours = rle.contours();
                contours
                    .iter()
                    .map(|contour| contour.to_polygon())
                    .collect()
            }
        }
    }

    /// The rasterized shape; the reason where that would take too much memory.
    pub(super) fn rle(&self, size: Size) -> Result<Rle, ExportNoteKind> {
        match self {
            Self::Box(bbox) => {
                let is_high = bbox.height() >= size.height as f32;
                if !is_high && f64::from(bbox.width()) > COLUMNS / 2.0 {
                    return Err(ExportNoteKind::TooLarge);
                }
                Ok(Rle::from_bbox(bbox, size))
            }
            Self::Outlines(outlines, _) => draw(outlines, size),
            Self::Mask(rle) => Ok(rle.clone()),
        }
    }
}

/// The pixels inside any of some outlines, which lie within the image.
fn draw(outlines: &[Polygon], size: Size) -> Result<Rle, ExportNoteKind> {
    let edges = outlines.iter().flat_map(|outline| {
        let behind = outline.points.iter().cycle().skip(1);
        outline.points.iter().zip(behind)
    });
    let columns = edges.map(|(from, to)| f64::from(from.x - to.x).abs());
    if columns.sum::<f64>() > COLUMNS {
        return Err(ExportNoteKind::TooLarge);
    }
    Ok(Rle::from_polygons(outlines, size))
}

/// The valid annotations of an image, and notes on what was changed or left out.
pub(super) fn fit_all(image: &ImageRecord) -> (Vec<Fitted<'_>>, Vec<ExportNote>) {
    let (mut fitted, mut notes) = (Vec::new(), Vec::new());
    for (index, annotation) in image.annotations.iter().enumerate() {
        let Annotation {
            label,
            shape,
            score,
            ..
        } = annotation;
        let mut changes = Vec::new();
        match fit(shape, image.size, &mut changes) {
            Ok(shape) => {
                let known = score.filter(|score| score.is_finite());
                if known.is_none() && score.is_some() {
                    changes.push(ExportNoteKind::ScoreLeftOut);
                }
                fitted.push(Fitted {
                    index,
                    label,
                    score: known,
                    shape,
                });
            }
            Err(reason) => changes.push(reason),
        }
        let changes = changes.into_iter();
        notes.extend(changes.map(|kind| ExportNote::new(image, index, kind)));
    }
    (fitted, notes)
}

/// Leaves out the annotations whose label has no number, with a note for each.
pub(super) fn keep_numbered<'a>(
    image: &ImageRecord,
    fitted: Vec<Fitted<'a>>,
    notes: &mut Vec<ExportNote>,
    mut number: impl FnMut(&str) -> Option<usize>,
) -> Vec<(usize, Fitted<'a>)> {
    let mut kept = Vec::new();
    for found in fitted {
        if let Some(number) = number(found.label) {
            kept.push((number, found));
        } else {
            let kind = ExportNoteKind::UnknownLabel;
            notes.push(ExportNote::new(image, found.index, kind));
        }
    }
    kept
}

/// Notes in the order of the annotations; of one that is left out, only the reason.
pub(super) fn settled(mut notes: Vec<ExportNote>) -> Vec<ExportNote> {
    notes.sort_by_key(|note| note.annotation);
    let by_annotation = notes.chunk_by(|a, b| a.annotation == b.annotation);
    let settled = by_annotation.flat_map(|notes| {
        let reason = notes.iter().find(|note| note.kind.is_left_out());
        reason.map_or(notes, std::slice::from_ref)
    });
    settled.cloned().collect()
}

fn fit(
    shape: &Shape,
    size: Size,
    changes: &mut Vec<ExportNoteKind>,
) -> Result<FittedShape, ExportNoteKind> {
    match shape {
        Shape::Box(bbox) => fit_box(bbox, size, changes).map(FittedShape::Box),
        Shape::Quad(quad) => fit_polygons(&[quad.to_polygon()], size, changes),
        Shape::Polygons(polygons) => fit_polygons(polygons, size, changes),
        Shape::Mask(mask) if mask.size() != size => Err(ExportNoteKind::MaskSize {
            mask: mask.size(),
            image: size,
        }),
        Shape::Mask(mask) if mask.area() == 0 => Err(ExportNoteKind::NoArea),
        Shape::Mask(mask) => Ok(FittedShape::Mask(mask.clone())),
    }
}

fn fit_box(
    bbox: &BBox,
    size: Size,
    changes: &mut Vec<ExportNoteKind>,
) -> Result<BBox, ExportNoteKind> {
    if !bbox.to_array().iter().all(|edge| edge.is_finite()) {
        return Err(ExportNoteKind::NotFinite);
    }
    let bbox = bbox.ordered();
    if bbox.area_f64() < LEAST_AREA {
        return Err(ExportNoteKind::NoArea);
    }
    let inside = bbox
        .clip(&BBox::whole(size))
        .filter(|inside| inside.area_f64() >= LEAST_AREA)
        .ok_or(ExportNoteKind::Outside)?;
    if inside != bbox {
        changes.push(ExportNoteKind::Clipped);
    }
    // No negative zeros.
    Ok(BBox::from(inside.to_array().map(|edge| edge + 0.0)))
}

/// The parts within the image; the reason of the last part where there is none.
fn fit_polygons(
    polygons: &[Polygon],
    size: Size,
    changes: &mut Vec<ExportNoteKind>,
) -> Result<FittedShape, ExportNoteKind> {
    let region = BBox::whole(size);
    let (mut fitted, mut area) = (Vec::new(), 0.0f64);
    let (mut clipped, mut reason) = (false, ExportNoteKind::NoArea);
    for polygon in polygons {
        match fit_polygon(polygon, size) {
            Ok((inside, its_area)) => {
                let bbox = polygon.to_bbox();
                clipped |= bbox.is_some_and(|bbox| bbox.hull(&region) != region);
                fitted.push(inside);
                area = area.max(its_area);
            }
            Err(why) => reason = why,
        }
    }
    if fitted.is_empty() {
        return Err(reason);
    }
    if clipped {
        changes.push(ExportNoteKind::Clipped);
    }
    let parts = polygons.len() - fitted.len();
    if parts > 0 {
        changes.push(ExportNoteKind::PartsLeftOut { parts });
    }
    if fitted.len() > 1 {
        // Parts may overlap, and small ones have no pixel.
        area = area.max(measure(&fitted, size)?);
    }
    Ok(FittedShape::Outlines(fitted, area))
}

/// The part within the image, and its area.
fn fit_polygon(polygon: &Polygon, size: Size) -> Result<(Polygon, f64), ExportNoteKind> {
    if !polygon.points.iter().all(|point| point.is_finite()) {
        return Err(ExportNoteKind::NotFinite);
    }
    let inside = polygon.clip(&BBox::whole(size));
    let area = measure(std::slice::from_ref(&inside), size)?;
    let all = || outlines_area(std::slice::from_ref(polygon), STEPS);
    if area >= LEAST_AREA {
        Ok((inside, area))
    } else if all().is_none_or(|area| area >= LEAST_AREA) {
        Err(ExportNoteKind::Outside)
    } else {
        Err(ExportNoteKind::NoArea)
    }
}

/// The area of polygons within the image: exact, or in whole pixels where they cross too often.
fn measure(outlines: &[Polygon], size: Size) -> Result<f64, ExportNoteKind> {
    match outlines_area(outlines, STEPS) {
        Some(area) => Ok(area),
        None => Ok(draw(outlines, size)?.area() as f64),
    }
}
