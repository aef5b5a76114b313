//! The evaluation set; `florence-nano/eval/README.md` describes it.

use std::error::Error;
use std::path::Path;

use florence_tasks::{BBox, Point, Polygon, QuadBox};
use serde::Deserialize;

/// `scenes.json`.
#[derive(Debug, Deserialize)]
pub(crate) struct Set {
    pub(crate) scenes: Vec<Scene>,
}

/// A scene, its truth and its questions.
#[derive(Debug, Deserialize)]
pub(crate) struct Scene {
    pub(crate) file: String,
    pub(crate) seed: u64,
    pub(crate) texts: Vec<serde::de::IgnoredAny>,
    pub(crate) objects: Vec<Object>,
    pub(crate) questions: Vec<Question>,
}

/// A shape.
#[derive(Debug, Deserialize)]
pub(crate) struct Object {
    pub(crate) size: String,
    pub(crate) color: String,
    pub(crate) shape: String,
    /// x, y, x, y, … in pixels, as it was drawn.
    pub(crate) outline: Vec<f32>,
}

/// A question and its true answer; boxes and quads in pixels.
#[derive(Debug, Deserialize)]
pub(crate) struct Question {
    pub(crate) task: String,
    pub(crate) text: Option<String>,
    pub(crate) region: Option<[f32; 4]>,
    pub(crate) answer: String,
    #[serde(default)]
    pub(crate) labels: Vec<String>,
    #[serde(default)]
    pub(crate) bboxes: Vec<[f32; 4]>,
    #[serde(default)]
    pub(crate) quads: Vec<[f32; 8]>,
    pub(crate) object: Option<usize>,
}

impl Set {
    /// Reads the set in `dir`.
    pub(crate) fn read(dir: &Path) -> Result<Self, Box<dyn Error>> {
        Ok(serde_json::from_slice(&std::fs::read(
            dir.join("scenes.json"),
        )?)?)
    }
}

impl Object {
    pub(crate) fn polygon(&self) -> Polygon {
        Polygon {
            points: points(&self.outline),
        }
    }
}

impl Question {
    /// The true boxes with their labels.
    pub(crate) fn labeled(&self) -> Vec<(String, BBox)> {
        self.labels
            .iter()
            .cloned()
            .zip(self.bboxes.iter().map(|&b| bbox(b)))
            .collect()
    }

    pub(crate) fn region(&self) -> Option<BBox> {
        self.region.map(bbox)
    }

    /// The true quads as boxes without labels: text is measured apart.
    pub(crate) fn quad_boxes(&self) -> Vec<(String, BBox)> {
        let quad = |q: &[f32; 8]| {
            let [a, b, c, d] = [0, 2, 4, 6].map(|i| Point {
                x: q[i],
                y: q[i + 1],
            });
            QuadBox {
                points: [a, b, c, d],
            }
        };
        self.quads
            .iter()
            .map(|q| (String::new(), quad(q).to_bbox()))
            .collect()
    }
}

fn bbox([x1, y1, x2, y2]: [f32; 4]) -> BBox {
    BBox { x1, y1, x2, y2 }
}

fn points(flat: &[f32]) -> Vec<Point> {
    flat.chunks_exact(2)
        .map(|p| Point { x: p[0], y: p[1] })
        .collect()
}
