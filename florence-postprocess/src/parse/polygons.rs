//! Polygons, and boxes beside them.

use super::Log;
use super::boxes::{bins, group_detections, in_range, mean};
use super::events::{Event, Location, events};
use super::groups::Group;
use super::run::Run;
use crate::answer::{Found, Instance, Outline};
use crate::diagnostic::DiagnosticKind;
use crate::geometry::Polygon;
use crate::quantizer::CoordinateQuantizer;
use crate::token::Token;

const MARKERS: [&str; 3] = ["<poly>", "</poly>", "<sep>"];

/// The meaning of locations outside of `<poly>` … `</poly>`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Bare {
    /// A polygon, as in answers to a referring expression.
    Outline,
    /// Boxes, as in open-vocabulary answers.
    Boxes,
}

/// `<poly>…</poly>` or bare locations, polygons separated by `<sep>`; labels are optional.
pub(super) fn instances(
    tokens: &[Token<'_>],
    quantizer: &CoordinateQuantizer,
    log: &mut Log,
) -> Vec<Instance> {
    read(tokens, Bare::Outline, quantizer, log).instances
}

/// `label <loc>×4 …` and `label <poly>…</poly>`, mixed.
pub(super) fn found(tokens: &[Token<'_>], quantizer: &CoordinateQuantizer, log: &mut Log) -> Found {
    read(tokens, Bare::Boxes, quantizer, log)
}

fn read(tokens: &[Token<'_>], bare: Bare, quantizer: &CoordinateQuantizer, log: &mut Log) -> Found {
    let events = events(tokens, &MARKERS, log);
    let mut reader = Reader {
        bare,
        quantizer,
        log,
        label: Group {
            label: None,
            runs: Vec::new(),
        },
        label_is_used: true,
        open: None,
        found: Found::default(),
    };
    for event in events {
        match event {
            Event::Text(run) => reader.text(run),
            Event::Locations(run) => reader.locations(run),
            Event::Marker { name, token } => reader.marker(name, token),
        }
    }
    reader.close();
    reader.drop_label();
    reader.found
}

struct Reader<'a> {
    bare: Bare,
    quantizer: &'a CoordinateQuantizer,
    log: &'a mut Log,
    /// The label in force.
    label: Group,
    label_is_used: bool,
    /// The instance that is being read.
    open: Option<Open>,
    found: Found,
}

struct Open {
    /// Whether it began with `<poly>`, and the token where it began.
    enclosed: bool,
    token: usize,
    outlines: Vec<Vec<Location>>,
    /// Whether a `<sep>` is allowed here: after locations.
    may_part: bool,
}

impl Reader<'_> {
    fn text(&mut self, run: Run) {
        self.close();
        self.drop_label();
        self.label = Group {
            label: Some(run),
            runs: Vec::new(),
        };
        self.label_is_used = false;
    }

    fn locations(&mut self, run: Vec<Location>) {
        match &mut self.open {
            Some(open) => {
                open.outlines.push(run);
                open.may_part = true;
            }
            None if self.bare == Bare::Outline => {
                let token = run[0].token;
                let outlines = vec![run];
                self.open = Some(Open {
                    enclosed: false,
                    token,
                    outlines,
                    may_part: true,
                });
            }
            None => {
                self.use_label(run[0].token);
                self.label.runs = vec![run];
                let detections = group_detections(&self.label, self.quantizer, self.log);
                self.found.detections.extend(detections);
            }
        }
    }

    fn marker(&mut self, name: &str, token: usize) {
        match (name, &mut self.open) {
            ("<poly>", _) => {
                self.close();
                let outlines = Vec::new();
                self.open = Some(Open {
                    enclosed: true,
                    token,
                    outlines,
                    may_part: false,
                });
            }
            ("</poly>", Some(open)) if open.enclosed => {
                if let Some(open) = self.open.take() {
                    self.instance(open);
                }
            }
            ("<sep>", Some(open)) if open.may_part => open.may_part = false,
            _ => {
                let kind = DiagnosticKind::UnexpectedMarker {
                    marker: name.to_owned(),
                };
                self.log.add(token, kind);
                if name == "</poly>" {
                    self.close();
                }
            }
        }
    }

    /// Ends the instance that is being read, if any, where something else begins.
    fn close(&mut self) {
        if let Some(open) = self.open.take() {
            if open.enclosed {
                self.log.add(open.token, DiagnosticKind::UnclosedPolygon);
            }
            self.instance(open);
        }
    }

    fn instance(&mut self, open: Open) {
        self.use_label(open.token);
        let confidence = mean(open.outlines.iter().flatten());
        let outlines: Vec<Outline> = open
            .outlines
            .iter()
            .filter_map(|run| self.outline(run))
            .collect();
        if outlines.is_empty() {
            let kind = DiagnosticKind::EmptyInstance {
                label: self.label.text(),
            };
            self.log.add(open.token, kind);
            return;
        }
        self.found.instances.push(Instance {
            label: self.label.text(),
            outlines,
            confidence,
            label_confidence: self.label.label_confidence(),
        });
    }

    fn outline(&mut self, run: &[Location]) -> Option<Outline> {
        let (pairs, rest) = run.as_chunks::<2>();
        if let [last] = rest {
            self.log
                .add(last.token, DiagnosticKind::OddCoordinate { bin: last.bin });
        }
        let points: Vec<_> = pairs
            .iter()
            .map(|pair| self.quantizer.dequantize(pair.map(in_range)))
            .collect();
        if points.is_empty() {
            return None;
        }
        if points.len() < 3 {
            let kind = DiagnosticKind::DegeneratePolygon {
                points: points.len(),
            };
            self.log.add(run[0].token, kind);
        }
        Some(Outline {
            polygon: Polygon { points },
            confidence: mean(run),
            bins: bins(run),
        })
    }

    fn use_label(&mut self, token: usize) {
        self.label_is_used = true;
        if self.label.label.is_none() && self.bare == Bare::Boxes {
            self.log.add(token, DiagnosticKind::RegionWithoutLabel);
        }
    }

    /// Diagnoses a label that nothing followed.
    fn drop_label(&mut self) {
        if let (false, Some(run)) = (self.label_is_used, &self.label.label) {
            let kind = DiagnosticKind::LabelWithoutRegion {
                label: run.text.clone(),
            };
            self.log.add(run.token, kind);
        }
    }
}
