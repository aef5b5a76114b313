//! Which task is read in which way: a table that both references share.

/// How the answer of a task is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    PureText,
    Ocr,
    DescriptionWithBoxes,
    PhraseGrounding,
    Polygons,
    DescriptionWithBoxesOrPolygons,
    Boxes,
}

/// The reading of a task marker. Markers that neither reference knows are plain text.
pub(super) fn reading(task: &str) -> Reading {
    match task {
        "<OCR_WITH_REGION>" => Reading::Ocr,
        "<OD>" | "<DENSE_REGION_CAPTION>" => Reading::DescriptionWithBoxes,
        "<CAPTION_TO_PHRASE_GROUNDING>" => Reading::PhraseGrounding,
        "<REFERRING_EXPRESSION_SEGMENTATION>" | "<REGION_TO_SEGMENTATION>" => Reading::Polygons,
        "<OPEN_VOCABULARY_DETECTION>" => Reading::DescriptionWithBoxesOrPolygons,
        "<REGION_PROPOSAL>" => Reading::Boxes,
        _ => Reading::PureText,
    }
}
