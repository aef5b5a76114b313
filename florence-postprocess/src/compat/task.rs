//! The post-processing type of each task: a table that both references share.

/// The references' `TASK_ANSWER_POST_PROCESSING_TYPE`.
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

/// The type of a task token. Tokens that neither reference knows are plain text.
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
