//! Answers as columns.

use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, Float32Builder, ListBuilder, StringArray, StringBuilder, StructBuilder,
};
use datafusion::arrow::datatypes::{DataType, Field, Fields};
use datafusion::common::{DataFusionError, Result};
use florence_tasks::{AnswerLine, AnyOutput, ErrorLine};
use serde::Serialize;

use super::Row;

/// What a line begins with; nothing for an image without a name.
#[derive(Serialize)]
struct Name<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    image: Option<&'a str>,
}

/// The lines that `florence run --json` writes, without times and device.
pub(super) fn lines(rows: &[Row<'_>]) -> Result<ArrayRef> {
    let lines = rows.iter().map(|row| row.as_ref().map(line).transpose());
    let lines = lines.collect::<Result<StringArray, serde_json::Error>>();
    let lines = lines.map_err(|error| DataFusionError::Execution(error.to_string()))?;
    Ok(Arc::new(lines))
}

fn line(row: &Result<super::Answered<'_>, super::Failed<'_>>) -> serde_json::Result<String> {
    match row {
        Ok(answered) => {
            let name = Name {
                image: answered.name,
            };
            let line = AnswerLine::new(name, &answered.output);
            let request = &answered.request;
            serde_json::to_string(&line.question(request.text.as_deref(), request.region))
        }
        Err(failed) => {
            let name = Name { image: failed.name };
            serde_json::to_string(&ErrorLine::new(name, failed.reason.as_str()))
        }
    }
}

/// Captions and transcriptions; NULL for answers of another form and for errors.
pub(super) fn texts(rows: &[Row<'_>]) -> ArrayRef {
    let texts = rows.iter().map(|row| match row {
        Some(Ok(answered)) => text(&answered.output),
        _ => None,
    });
    Arc::new(texts.collect::<StringArray>())
}

fn text(output: &AnyOutput) -> Option<String> {
    let regions = output.text_regions();
    match output.text() {
        Some(text) => Some(text.to_owned()),
        None if regions.is_empty() => None,
        None => {
            let lines: Vec<&str> = regions.iter().map(|region| region.text.as_str()).collect();
            Some(lines.join("\n"))
        }
    }
}

/// A list of structs.
pub(super) fn boxes_type() -> DataType {
    DataType::List(Field::new_list_field(DataType::Struct(fields()), true).into())
}

fn fields() -> Fields {
    let number = |name: &str, nullable| Field::new(name, DataType::Float32, nullable);
    Fields::from(vec![
        Field::new("label", DataType::Utf8, false),
        number("confidence", true),
        number("x1", false),
        number("y1", false),
        number("x2", false),
        number("y2", false),
    ])
}

/// Everything with a place in the image; an empty list for an answer without, NULL for an error.
pub(super) fn boxes(rows: &[Row<'_>]) -> ArrayRef {
    let mut lists = ListBuilder::new(StructBuilder::from_fields(fields(), 0));
    for row in rows {
        let Some(Ok(answered)) = row else {
            lists.append_null();
            continue;
        };
        for annotation in answered.output.annotations() {
            let Some(bbox) = annotation.shape.to_bbox() else {
                continue;
            };
            let structs = lists.values();
            if let Some(labels) = structs.field_builder::<StringBuilder>(0) {
                labels.append_value(&annotation.label);
            }
            let numbers = [
                annotation.score,
                Some(bbox.x1),
                Some(bbox.y1),
                Some(bbox.x2),
                Some(bbox.y2),
            ];
            for (field, number) in (1..).zip(numbers) {
                if let Some(column) = structs.field_builder::<Float32Builder>(field) {
                    column.append_option(number);
                }
            }
            structs.append(true);
        }
        lists.append(true);
    }
    Arc::new(lists.finish())
}
