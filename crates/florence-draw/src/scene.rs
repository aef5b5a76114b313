//! The layout that raster and SVG output share.

use std::iter;

use florence_postprocess::{BBox, Point, Polygon, QuadBox, Shape, Size};
use image::Rgb;

use crate::caption::caption;
use crate::mark::{Mark, Marks};
use crate::place::{Obstacle, Tag, place};
use crate::{Style, color_of, font, ink_on};

/// Marks that get labels; more would cover the image.
const MOST_LABELS: usize = 500;
/// Points of all polygons together, and of one; polygons with more are thinned.
const MOST_CORNERS: usize = 1_000_000;
const MOST_CORNERS_OF_ONE: usize = 1024;
/// Maximum filled area in image areas. Beyond that only outlines are drawn.
const MOST_FILLED: f32 = 32.0;
/// Maximum area of the squares around polygons and quads, in image areas. Beyond that the largest, at the
/// bottom, are left out.
const MOST_DRAWN: f32 = 400.0;
/// The opacity of the halo, the lines beside an outline.
pub(super) const HALO_OPACITY: f32 = 0.5;
/// The height of a label, and the space beside its text, in font sizes.
const LABEL_HEIGHT: f32 = 1.35;
const PADDING: f32 = 0.3;

/// Marks laid out for an image of some size: everything that is drawn, with its position and color.
/// All coordinates are finite and in or next to the image, whatever the marks' coordinates were.
///
/// # Example
///
/// ```
/// use florence_draw::{Mark, Scene, Style, color_of};
/// use florence_postprocess::{BBox, Size};
///
/// let car = Mark::new(BBox::new(100.0, 100.0, 300.0, 200.0)).with_label("car").with_confidence(0.9);
/// let scene = Scene::new(Size::new(640, 480), &car, &Style::default());
/// assert_eq!(scene.figures().len(), 1);
/// assert_eq!(scene.labels()[0].text, "car 0.90");
/// assert_eq!(scene.labels()[0].color, color_of("car"));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Scene {
    size: Size,
    stroke: f32,
    font_size: f32,
    opacity: f32,
    figures: Vec<Figure>,
    labels: Vec<Label>,
}

/// A shape to draw, with its color.
///
/// # Example
///
/// ```
/// use florence_draw::{FigureShape, Mark, Scene, Style};
/// use florence_postprocess::{BBox, Size};
///
/// let car = Mark::new(BBox::new(100.0, 100.0, 300.0, 200.0));
/// let scene = Scene::new(Size::new(640, 480), &car, &Style::default());
/// let figure = &scene.figures()[0];
/// assert_eq!(figure.shape, FigureShape::Box(BBox::new(100.0, 100.0, 300.0, 200.0)));
/// assert!(!figure.filled);
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Figure {
    /// The center line of its outline.
    pub shape: FigureShape,
    /// Whether it is filled.
    pub filled: bool,
    /// Its color.
    pub color: Rgb<u8>,
    /// Its full label in one line, and its confidence.
    pub title: String,
}

/// The center line of an outline, in pixels of the image.
///
/// # Example
///
/// ```
/// use florence_draw::{FigureShape, Mark, Scene, Style};
/// use florence_postprocess::{QuadBox, Size};
///
/// let quad = QuadBox::from([10.0, 10.0, 50.0, 15.0, 50.0, 30.0, 10.0, 25.0]);
/// let scene = Scene::new(Size::new(640, 480), &Mark::new(quad), &Style::default());
/// assert_eq!(scene.figures()[0].shape, FigureShape::Polygons(vec![quad.to_polygon()]));
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum FigureShape {
    /// An axis-aligned box, moved so that its outline is inside the image.
    Box(BBox),
    /// Closed polygons, clipped far outside of the image.
    Polygons(Vec<Polygon>),
}

/// A label to draw: one line of text on a background.
///
/// # Example
///
/// ```
/// use florence_draw::{Mark, Scene, Style};
/// use florence_postprocess::{BBox, Size};
///
/// let car = Mark::new(BBox::new(100.0, 100.0, 300.0, 200.0)).with_label("car");
/// let scene = Scene::new(Size::new(640, 480), &car, &Style::default());
/// let label = &scene.labels()[0];
/// assert!(label.bounds.contains(label.origin));
/// assert!(label.width < label.bounds.width());
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Label {
    /// The background, in whole pixels and inside the image.
    pub bounds: BBox,
    /// The text as shown.
    pub text: String,
    /// The left end of the baseline.
    pub origin: Point,
    /// The width of the text in pixels.
    pub width: f32,
    /// The color of the background.
    pub color: Rgb<u8>,
    /// The color of the text.
    pub ink: Rgb<u8>,
}

impl Scene {
    /// Lays out marks for an image of this size.
    ///
    /// Shapes that are not finite or lie outside of the image are left out. There are limits: the
    /// first 500 marks get labels, polygons are thinned to 1,024 points each and a million in all, the
    /// largest are not filled where fills add up to more than 32 times the image's area, and not drawn
    /// where there are hundreds of its size.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_draw::{Scene, Style};
    /// use florence_postprocess::{Answer, Size};
    ///
    /// let nothing = Answer::Boxes(Vec::new());
    /// assert!(Scene::new(Size::new(640, 480), &nothing, &Style::default()).figures().is_empty());
    /// ```
    pub fn new<M: Marks + ?Sized>(size: Size, marks: &M, style: &Style) -> Self {
        let mut scene = Self {
            size,
            stroke: style.stroke_on(size),
            font_size: style.font_size_on(size),
            opacity: style.opacity(),
            figures: Vec::new(),
            labels: Vec::new(),
        };
        if size.width == 0 || size.height == 0 {
            return scene;
        }
        let marks: Vec<Mark> = marks.marks().into_iter().map(outlined).collect();
        let outlines: usize = marks.iter().map(|mark| outlines(&mark.shape)).sum();
        let corners = (MOST_CORNERS / outlines.max(1)).clamp(8, MOST_CORNERS_OF_ONE);
        let drawn: Vec<(&Mark, FigureShape)> = marks
            .iter()
            .filter_map(|mark| Some((mark, scene.contour(&mark.shape, corners)?)))
            .collect();

        scene.labels = scene.lay_labels(&drawn[..drawn.len().min(MOST_LABELS)], style);
        let figures = drawn.into_iter().map(|(mark, contour)| Figure {
            shape: contour,
            filled: matches!(mark.shape, Shape::Polygons(_)),
            color: color_of(&mark.label),
            title: caption(&mark.label, mark.confidence, f32::INFINITY),
        });
        scene.figures = figures.collect();
        scene.stack();
        scene
    }

    /// The size of the image.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_draw::{Mark, Scene, Style};
    /// use florence_postprocess::Size;
    ///
    /// let scene = Scene::new(Size::new(640, 480), &[] as &[Mark], &Style::default());
    /// assert_eq!(scene.size(), Size::new(640, 480));
    /// ```
    pub fn size(&self) -> Size {
        self.size
    }

    /// The width of outlines in pixels.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_draw::{Mark, Scene, Style};
    /// use florence_postprocess::Size;
    ///
    /// let nothing: &[Mark] = &[];
    /// let small = Scene::new(Size::new(64, 64), nothing, &Style::default());
    /// let large = Scene::new(Size::new(4000, 3000), nothing, &Style::default());
    /// assert!(small.stroke() < large.stroke());
    /// ```
    pub fn stroke(&self) -> f32 {
        self.stroke
    }

    /// The font size in pixels.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_draw::{Mark, Scene, Style};
    /// use florence_postprocess::Size;
    ///
    /// let style = Style::new().with_font_size(20.0);
    /// let scene = Scene::new(Size::new(640, 480), &[] as &[Mark], &style);
    /// assert_eq!(scene.font_size(), 20.0);
    /// ```
    pub fn font_size(&self) -> f32 {
        self.font_size
    }

    /// The opacity of filled figures, from 0 to 1.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_draw::{Mark, Scene, Style};
    /// use florence_postprocess::Size;
    ///
    /// let style = Style::new().with_opacity(7.0);
    /// assert_eq!(Scene::new(Size::new(640, 480), &[] as &[Mark], &style).opacity(), 1.0);
    /// ```
    pub fn opacity(&self) -> f32 {
        self.opacity
    }

    /// The shapes, large ones first: the order in which they are drawn.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_draw::{Mark, Scene, Style};
    /// use florence_postprocess::{BBox, Size};
    ///
    /// let small = Mark::new(BBox::new(10.0, 10.0, 20.0, 20.0)).with_label("small");
    /// let large = Mark::new(BBox::new(0.0, 0.0, 300.0, 200.0)).with_label("large");
    /// let scene = Scene::new(Size::new(640, 480), &[small, large], &Style::default());
    /// assert_eq!(scene.figures()[0].title, "large");
    /// ```
    pub fn figures(&self) -> &[Figure] {
        &self.figures
    }

    /// The labels, in the order of the marks.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_draw::{Mark, Scene, Style};
    /// use florence_postprocess::{BBox, Size};
    ///
    /// let car = Mark::new(BBox::new(100.0, 100.0, 300.0, 200.0)).with_label("car");
    /// let style = Style::new().with_labels(false);
    /// assert!(Scene::new(Size::new(640, 480), &car, &style).labels().is_empty());
    /// ```
    pub fn labels(&self) -> &[Label] {
        &self.labels
    }

    /// The width of the halo: thin lines on both sides of an outline, white beside dark colors, black
    /// beside light ones.
    pub(super) fn halo(&self) -> f32 {
        (self.stroke / 4.0).round().max(1.0)
    }

    /// The center line of a shape's outline, if any of it is visible.
    fn contour(&self, shape: &Shape, corners: usize) -> Option<FigureShape> {
        let picture = BBox::whole(self.size);
        let contour = match shape {
            Shape::Box(bbox) if bbox.to_array().iter().any(|edge| edge.is_nan()) => return None,
            Shape::Box(bbox) => {
                let bbox = bbox.ordered();
                bbox.intersection(&picture)?;
                let half = self.stroke / 2.0;
                let within = |edge: f32, length: u32| edge.min(length as f32 - half).max(half);
                let [x1, x2] = [bbox.x1, bbox.x2].map(|x| within(x, self.size.width));
                let [y1, y2] = [bbox.y1, bbox.y2].map(|y| within(y, self.size.height));
                return Some(FigureShape::Box(BBox { x1, y1, x2, y2 }));
            }
            Shape::Quad(QuadBox { points }) => vec![self.polygon(points, corners)],
            Shape::Polygons(polygons) => polygons
                .iter()
                .map(|polygon| self.polygon(&polygon.points, corners))
                .collect(),
            _ => return None,
        };
        let seen = |polygon: &Polygon| polygon.to_bbox()?.intersection(&picture);
        let polygons: Vec<Polygon> = contour.into_iter().filter(|p| seen(p).is_some()).collect();
        (!polygons.is_empty()).then_some(FigureShape::Polygons(polygons))
    }

    /// A polygon thinned and clipped.
    fn polygon(&self, points: &[Point], corners: usize) -> Polygon {
        let reach = 2.0 * self.stroke + 2.0;
        let frame = BBox {
            x1: -reach,
            y1: -reach,
            x2: self.size.width as f32 + reach,
            y2: self.size.height as f32 + reach,
        };
        let step = points.len().div_ceil(corners).max(1);
        let points: Vec<Point> = points.iter().step_by(step).copied().collect();
        let polygon = Polygon {
            points: Polygon { points }.clip(&frame).points,
        };
        match polygon.to_bbox() {
            // A single point would not be visible.
            Some(bbox) if bbox.width() < 1.0 && bbox.height() < 1.0 => {
                let Point { x, y } = bbox.center();
                let off = self.stroke;
                QuadBox::from([x, y - off, x + off, y, x, y + off, x - off, y]).to_polygon()
            }
            _ => polygon,
        }
    }

    fn lay_labels(&self, drawn: &[(&Mark, FigureShape)], style: &Style) -> Vec<Label> {
        let (width, height) = (self.size.width as f32, self.size.height as f32);
        let em = self.font_size;
        let label_height = (em * LABEL_HEIGHT).round();
        if label_height > height {
            return Vec::new();
        }
        let widest = (width * 0.45).clamp(em * 12.0, em * 40.0).min(width);
        let room = widest / em - 2.0 * PADDING;

        let mut texts = Vec::new();
        let mut tags = Vec::new();
        for (shape, (mark, contour)) in drawn.iter().enumerate() {
            let name = if style.shows_labels() {
                &mark.label
            } else {
                ""
            };
            let confidence = mark.confidence.filter(|_| style.shows_confidences());
            let text = caption(name, confidence, room);
            if text.is_empty() {
                continue;
            }
            tags.push(Tag {
                shape,
                top: top(&mark.shape, contour),
                width: ((font::width(&text) + 2.0 * PADDING) * em)
                    .ceil()
                    .min(width),
                height: label_height,
            });
            texts.push(text);
        }
        let obstacles: Vec<Obstacle> = drawn
            .iter()
            .map(|(_, contour)| self.obstacle(contour))
            .collect();
        let places = place(&tags, &obstacles, self.size);
        let placed = tags.iter().zip(places).zip(texts);
        placed
            .map(|((tag, bounds), text)| {
                let color = color_of(&drawn[tag.shape].0.label);
                let baseline = (label_height + font::CAPITAL * em) / 2.0;
                Label {
                    origin: Point {
                        x: bounds.x1 + PADDING * em,
                        y: bounds.y1 + baseline.floor(),
                    },
                    width: font::width(&text) * em,
                    bounds,
                    text,
                    color,
                    ink: ink_on(color),
                }
            })
            .collect()
    }

    /// The box around an outline as it is drawn.
    fn obstacle(&self, contour: &FigureShape) -> Obstacle {
        let half = self.stroke / 2.0;
        let BBox { x1, y1, x2, y2 } = contour.to_bbox();
        let drawn = BBox::new(x1 - half, y1 - half, x2 + half, y2 + half);
        Obstacle {
            bbox: drawn.clamp(self.size),
            is_box: matches!(contour, FigureShape::Box(_)),
        }
    }

    /// Sorts figures from large to small, and enforces the limits.
    fn stack(&mut self) {
        let area = |figure: &Figure| figure.shape.to_bbox().clamp(self.size).area();
        self.figures.sort_by(|a, b| area(b).total_cmp(&area(a)));
        let picture = BBox::whole(self.size).area();
        let (mut filled, mut drawn) = (0.0, 0.0);
        for mut figure in std::mem::take(&mut self.figures).into_iter().rev() {
            let bbox = figure.shape.to_bbox().clamp(self.size);
            if figure.filled {
                filled += bbox.area();
                figure.filled = filled <= MOST_FILLED * picture;
            }
            if let FigureShape::Polygons(_) = figure.shape {
                drawn += bbox.width().max(bbox.height()).powi(2);
                if drawn > MOST_DRAWN * picture {
                    continue;
                }
            }
            self.figures.push(figure);
        }
        self.figures.reverse();
    }
}

/// The mark with a mask replaced by its contours.
fn outlined(mark: Mark) -> Mark {
    match mark.shape {
        Shape::Mask(mask) => {
            let pieces = mask.contours().into_iter();
            let outlines = pieces.flat_map(|piece| iter::once(piece.outer).chain(piece.holes));
            Mark {
                shape: Shape::Polygons(outlines.collect()),
                ..mark
            }
        }
        _ => mark,
    }
}

/// The number of closed lines.
fn outlines(shape: &Shape) -> usize {
    match shape {
        Shape::Polygons(polygons) => polygons.len(),
        _ => 1,
    }
}

impl FigureShape {
    /// The box around the center line.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_draw::FigureShape;
    /// use florence_postprocess::BBox;
    ///
    /// let bbox = BBox::new(1.0, 2.0, 3.0, 4.0);
    /// assert_eq!(FigureShape::Box(bbox).to_bbox(), bbox);
    /// ```
    pub fn to_bbox(&self) -> BBox {
        match self {
            FigureShape::Box(bbox) => *bbox,
            FigureShape::Polygons(polygons) => polygons
                .iter()
                .filter_map(Polygon::to_bbox)
                .reduce(|all, bbox| all.hull(&bbox))
                .unwrap_or_default(),
        }
    }
}

/// The topmost point of a filled shape.
fn top(shape: &Shape, contour: &FigureShape) -> Option<Point> {
    match (shape, contour) {
        (Shape::Polygons(_), FigureShape::Polygons(polygons)) => {
            let corners = polygons.iter().flat_map(|polygon| &polygon.points);
            corners.min_by(|a, b| a.y.total_cmp(&b.y)).copied()
        }
        _ => None,
    }
}
