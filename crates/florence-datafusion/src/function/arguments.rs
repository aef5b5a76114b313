//! The arguments of a call: image, task, and text or region.

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Float32Array, StringArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Field, Float32Type};
use datafusion::common::{DataFusionError, Result, ScalarValue, plan_err};
use datafusion::logical_expr::ScalarFunctionArgs;

use super::image::Image;
use crate::engine::{Input, Request};

/// Checks the types of the arguments of `function`.
pub(super) fn check_types(function: &str, types: &[DataType]) -> Result<()> {
    let (image, task, input) = match types {
        [image, task] => (image, task, &DataType::Null),
        [image, task, input] => (image, task, input),
        _ => {
            return plan_err!(
                "{function} takes an image, a task, and for some tasks a text or a region"
            );
        }
    };
    let image = value_type(image);
    if !(is_text(image) || is_binary(image) || *image == DataType::Null) {
        return plan_err!(
            "{function}: the image is {image}: expected BINARY, or a path or URL as VARCHAR"
        );
    }
    let task = value_type(task);
    if !(is_text(task) || *task == DataType::Null) {
        return plan_err!(
            "{function}: the task is {task}: expected a name such as '<OD>' as VARCHAR"
        );
    }
    let input = value_type(input);
    if !(is_text(input) || is_numbers(input) || *input == DataType::Null) {
        return plan_err!(
            "{function}: the third argument is {input}: expected a text, or a region: 'x1,y1,x2,y2' or an array of four numbers"
        );
    }
    Ok(())
}

/// Checks the arguments that are literals: all that can be known without the images.
pub(super) fn check_literals(function: &str, literals: &[Option<&ScalarValue>]) -> Result<()> {
    let Some(Some(Some(Some(task)))) = literals
        .get(1)
        .map(|task| task.map(ScalarValue::try_as_str))
    else {
        return Ok(());
    };
    let text = match literals.get(2) {
        None => Input::None,
        Some(Some(literal)) => match literal.try_as_str() {
            Some(Some(text)) => Input::Text(text),
            // A region or NULL.
            _ => return Ok(()),
        },
        Some(None) => return task_alone(function, task),
    };
    let wrong = Request::new(task, text).err();
    wrong.map_or(Ok(()), |wrong| plan_err!("{function}: {wrong}"))
}

fn task_alone(function: &str, task: &str) -> Result<()> {
    match task.parse::<florence_tasks::AnyTask>() {
        Ok(_) => Ok(()),
        Err(unknown) => plan_err!("{function}: {unknown}"),
    }
}

/// The arguments of all rows of a batch.
#[derive(Debug)]
pub(super) struct Arguments {
    images: ArrayRef,
    tasks: StringArray,
    texts: Option<StringArray>,
    regions: Option<ArrayRef>,
}

impl Arguments {
    pub(super) fn new(args: ScalarFunctionArgs) -> Result<Self> {
        let rows = args.number_rows;
        let arrays = args.args.iter().map(|argument| argument.to_array(rows));
        let mut arrays = arrays.collect::<Result<Vec<_>>>()?.into_iter();
        let missing = || DataFusionError::Internal("an argument is missing".to_owned());
        let images = arrays.next().ok_or_else(missing)?;
        let images = cast(&images, value_type(images.data_type()))?;
        let tasks = texts(&arrays.next().ok_or_else(missing)?)?;
        let input = arrays.next();
        let kind = input
            .as_ref()
            .map(|input| value_type(input.data_type()).clone());
        let (texts, regions) = match (input, kind) {
            (Some(input), Some(kind)) if is_text(&kind) => (Some(texts(&input)?), None),
            (Some(input), Some(kind)) if is_numbers(&kind) => (None, Some(regions(&input)?)),
            _ => (None, None),
        };
        Ok(Self {
            images,
            tasks,
            texts,
            regions,
        })
    }

    pub(super) fn rows(&self) -> usize {
        self.images.len()
    }

    pub(super) fn image(&self, row: usize) -> Option<Image<'_>> {
        Image::of(&self.images, row)
    }

    pub(super) fn task(&self, row: usize) -> Option<&str> {
        self.tasks.is_valid(row).then(|| self.tasks.value(row))
    }

    /// NULL is no input.
    pub(super) fn input(&self, row: usize) -> Input<'_> {
        if let Some(texts) = self.texts.as_ref().filter(|texts| texts.is_valid(row)) {
            return Input::Text(texts.value(row));
        }
        match self
            .regions
            .as_ref()
            .filter(|regions| regions.is_valid(row))
        {
            Some(regions) => Input::Region(region(&regions.as_list::<i32>().value(row))),
            None => Input::None,
        }
    }
}

/// What is no region becomes one that no image has.
fn region(numbers: &ArrayRef) -> [f32; 4] {
    let numbers: &Float32Array = numbers.as_primitive::<Float32Type>();
    let is_whole = numbers.len() == 4 && numbers.null_count() == 0;
    match numbers.values()[..] {
        [x1, y1, x2, y2] if is_whole => [x1, y1, x2, y2],
        _ => [f32::NAN; 4],
    }
}

fn texts(array: &ArrayRef) -> Result<StringArray> {
    Ok(cast(array, &DataType::Utf8)?.as_string::<i32>().clone())
}

fn regions(array: &ArrayRef) -> Result<ArrayRef> {
    let item = Field::new_list_field(DataType::Float32, true);
    Ok(cast(array, &DataType::List(item.into()))?)
}

/// The type of the values of a dictionary.
fn value_type(kind: &DataType) -> &DataType {
    match kind {
        DataType::Dictionary(_, values) => values,
        other => other,
    }
}

fn is_text(kind: &DataType) -> bool {
    matches!(
        kind,
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View
    )
}

fn is_binary(kind: &DataType) -> bool {
    matches!(
        kind,
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView
    )
}

fn is_numbers(kind: &DataType) -> bool {
    match kind {
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
            item.data_type().is_numeric()
        }
        _ => false,
    }
}
