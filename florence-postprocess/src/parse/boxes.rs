//! Boxes, phrases and quads.

use super::Log;
use super::events::{Location, events};
use super::groups::{Group, groups};
use crate::answer::{Detection, GroundedPhrase, Region, TextRegion};
use crate::confidence::confidence;
use crate::diagnostic::DiagnosticKind;
use crate::geometry::QuadBox;
use crate::phrases::is_skipped_phrase;
use crate::quantizer::{BINS, CoordinateQuantizer};
use crate::token::Token;

/// `label <loc>×4 <loc>×4 … label …`, one detection for each box.
pub(super) fn detections(
    tokens: &[Token<'_>],
    quantizer: &CoordinateQuantizer,
    log: &mut Log,
) -> Vec<Detection> {
    let mut detections = Vec::new();
    for group in groups(events(tokens, &[], log)) {
        check_label(&group, log);
        detections.extend(group_detections(&group, quantizer, log));
    }
    detections
}

/// The boxes of one label.
pub(super) fn group_detections(
    group: &Group,
    quantizer: &CoordinateQuantizer,
    log: &mut Log,
) -> Vec<Detection> {
    regions(group, quantizer, log)
        .into_iter()
        .map(
            |Region {
                 bbox,
                 confidence,
                 bins,
             }| Detection {
                label: group.text(),
                bbox,
                confidence,
                label_confidence: group.label_confidence(),
                bins,
            },
        )
        .collect()
}

/// `<loc>×4 <loc>×4 …`; text is diagnosed.
pub(super) fn proposals(
    tokens: &[Token<'_>],
    quantizer: &CoordinateQuantizer,
    log: &mut Log,
) -> Vec<Region> {
    let mut all = Vec::new();
    for group in groups(events(tokens, &[], log)) {
        if let Some(label) = &group.label {
            log.add(
                label.token,
                DiagnosticKind::UnexpectedText {
                    text: label.text.clone(),
                },
            );
        }
        all.extend(regions(&group, quantizer, log));
    }
    all
}

/// Like detections, but each phrase stays together, and stays even without a box.
pub(super) fn phrases(
    tokens: &[Token<'_>],
    quantizer: &CoordinateQuantizer,
    log: &mut Log,
) -> Vec<GroundedPhrase> {
    let mut phrases = Vec::new();
    for group in groups(events(tokens, &[], log)) {
        check_label(&group, log);
        let regions = regions(&group, quantizer, log);
        if group.label.is_none() && regions.is_empty() {
            continue;
        }
        let phrase = group.text();
        phrases.push(GroundedPhrase {
            skipped_by_reference: is_skipped_phrase(&phrase),
            phrase,
            regions,
            confidence: group.label_confidence(),
        });
    }
    phrases
}

/// `text <loc>×8 text <loc>×8 …`.
pub(super) fn quads(
    tokens: &[Token<'_>],
    quantizer: &CoordinateQuantizer,
    log: &mut Log,
) -> Vec<TextRegion> {
    let mut quads = Vec::new();
    for group in groups(events(tokens, &[], log)) {
        check_label(&group, log);
        for run in &group.runs {
            let (whole, rest) = run.as_chunks::<8>();
            for quad in whole {
                let point = |index: usize| {
                    quantizer.dequantize([in_range(quad[index]), in_range(quad[index + 1])])
                };
                quads.push(TextRegion {
                    text: group.text(),
                    quad: QuadBox {
                        points: [point(0), point(2), point(4), point(6)],
                    },
                    confidence: mean(quad),
                    text_confidence: group.label_confidence(),
                    bins: quad.map(|location| location.bin),
                });
            }
            if let Some(first) = rest.first() {
                let kind = DiagnosticKind::IncompleteQuad {
                    text: group.text(),
                    bins: bins(rest),
                };
                log.add(first.token, kind);
            }
        }
    }
    quads
}

/// The boxes of one label; what is left of a group of four is diagnosed.
fn regions(group: &Group, quantizer: &CoordinateQuantizer, log: &mut Log) -> Vec<Region> {
    let mut regions = Vec::new();
    for run in &group.runs {
        let (whole, rest) = run.as_chunks::<4>();
        regions.extend(whole.iter().map(|corners| region(corners, quantizer, log)));
        if let Some(first) = rest.first() {
            let kind = DiagnosticKind::IncompleteBox {
                label: group.text(),
                bins: bins(rest),
            };
            log.add(first.token, kind);
        }
    }
    regions
}

fn region(corners: &[Location; 4], quantizer: &CoordinateQuantizer, log: &mut Log) -> Region {
    let bins = corners.map(|location| location.bin);
    let bbox = quantizer.dequantize_box(corners.map(in_range));
    if !bbox.is_ordered() {
        log.add(corners[0].token, DiagnosticKind::InvertedCorners { bins });
    }
    Region {
        bbox: bbox.ordered(),
        confidence: mean(corners),
        bins,
    }
}

fn check_label(group: &Group, log: &mut Log) {
    match (&group.label, group.runs.first()) {
        (Some(label), None) => {
            let kind = DiagnosticKind::LabelWithoutRegion {
                label: label.text.clone(),
            };
            log.add(label.token, kind);
        }
        (None, Some(run)) => log.add(run[0].token, DiagnosticKind::RegionWithoutLabel),
        _ => {}
    }
}

/// The bin for geometry: 999 at most.
pub(super) fn in_range(location: Location) -> u16 {
    location.bin.min(BINS - 1)
}

pub(super) fn bins(locations: &[Location]) -> Vec<u16> {
    locations.iter().map(|location| location.bin).collect()
}

pub(super) fn mean<'a>(locations: impl IntoIterator<Item = &'a Location>) -> Option<f32> {
    confidence(locations.into_iter().map(|location| location.logprob))
}
