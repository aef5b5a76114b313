//! The functions `florence`, `florence_text` and `florence_boxes`.

mod arguments;
mod image;
mod output;

use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use async_trait::async_trait;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{DataFusionError, Result, internal_err};
use datafusion::logical_expr::async_udf::{AsyncScalarUDF, AsyncScalarUDFImpl};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    TypeSignature, Volatility,
};
use florence_tasks::AnyOutput;
use futures::{StreamExt, TryStreamExt, stream};

use self::arguments::Arguments;
use self::image::Image;
use crate::counts;
use crate::engine::{AskError, Decoding, Engine, Request, Search, engine};
use crate::options::{FlorenceOptions, ReadFailure};
use crate::read::{ReadError, read};

/// The functions, for [`SessionContext::register_udf`](datafusion::prelude::SessionContext::register_udf)
/// or the registry of an executor; [`register`](crate::register) does this and the rest.
///
/// # Example
///
/// ```
/// let functions = florence_datafusion::functions();
/// let names: Vec<&str> = functions.iter().map(|function| function.name()).collect();
/// assert_eq!(names, ["florence", "florence_text", "florence_boxes"]);
/// ```
pub fn functions() -> Vec<Arc<ScalarUDF>> {
    let all = [Form::Line, Form::Text, Form::Boxes];
    let functions = all.map(|form| {
        let function = AsyncScalarUDF::new(Arc::new(FlorenceFunction::new(form)));
        Arc::new(function.into_scalar_udf())
    });
    functions.to_vec()
}

/// What a function makes of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Form {
    /// The line that `florence run --json` writes.
    Line,
    Text,
    Boxes,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct FlorenceFunction {
    form: Form,
    signature: Signature,
}

impl FlorenceFunction {
    fn new(form: Form) -> Self {
        // Types are checked by `Arguments`, which says what would be right. Equal images and questions
        // get equal answers as long as files do not change, so a query asks once.
        let signature = TypeSignature::OneOf(vec![TypeSignature::Any(2), TypeSignature::Any(3)]);
        Self {
            form,
            signature: Signature::new(signature, Volatility::Stable),
        }
    }
}

/// An answer, and the name of its image.
struct Answered<'a> {
    name: Option<&'a str>,
    request: Request,
    output: Arc<AnyOutput>,
}

/// The result for a row: nothing for NULL, and errors as values.
type Row<'a> = Option<Result<Answered<'a>, Failed<'a>>>;

/// Why a row has no answer.
struct Failed<'a> {
    name: Option<&'a str>,
    reason: String,
}

impl ScalarUDFImpl for FlorenceFunction {
    fn name(&self) -> &str {
        match self.form {
            Form::Line => "florence",
            Form::Text => "florence_text",
            Form::Boxes => "florence_boxes",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        arguments::check_types(self.name(), types)?;
        Ok(match self.form {
            Form::Line | Form::Text => DataType::Utf8,
            Form::Boxes => output::boxes_type(),
        })
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> Result<FieldRef> {
        let types = args
            .arg_fields
            .iter()
            .map(|field| field.data_type().clone());
        let returned = self.return_type(&types.collect::<Vec<_>>())?;
        // A typing error in a query of a million photos should not cost reading them.
        arguments::check_literals(self.name(), args.scalar_arguments)?;
        Ok(Arc::new(Field::new(self.name(), returned, true)))
    }

    fn invoke_with_args(&self, _: ScalarFunctionArgs) -> Result<ColumnarValue> {
        internal_err!("{} is called asynchronously", self.name())
    }
}

#[async_trait]
impl AsyncScalarUDFImpl for FlorenceFunction {
    async fn invoke_async_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let options = FlorenceOptions::of(&args.config_options);
        let arguments = Arguments::new(args)?;
        // As many rows as may be read and asked about at a time.
        let at_once = options.read_concurrency + 2 * options.batch;
        let rows = stream::iter(0..arguments.rows()).map(async |row| {
            let answered = answer(&arguments, row, &options).await;
            counts::ROWS.fetch_add(1, Ordering::Relaxed);
            answered
        });
        let rows: Vec<Row<'_>> = rows.buffered(at_once).try_collect().await?;
        Ok(ColumnarValue::Array(match self.form {
            Form::Line => output::lines(&rows)?,
            Form::Text => output::texts(&rows),
            Form::Boxes => output::boxes(&rows),
        }))
    }
}

/// The result for a row.
///
/// # Errors
///
/// Only what is no fault of the row: a model that cannot be loaded or fails, and a storage that fails
/// at every attempt.
async fn answer<'a>(
    arguments: &'a Arguments,
    row: usize,
    options: &FlorenceOptions,
) -> Result<Row<'a>> {
    let (Some(image), Some(task)) = (arguments.image(row), arguments.task(row)) else {
        return Ok(None);
    };
    let name = image.name();
    let failed = |reason: String| Ok(Some(Err(Failed { name, reason })));
    let request = match Request::new(task, arguments.input(row)) {
        Ok(request) => request,
        Err(wrong) => return failed(wrong.to_string()),
    };
    let engine = engine(options).await.map_err(|reason| {
        DataFusionError::Configuration(format!("florence.model = {}: {reason}", options.model))
    })?;
    let answered = match image {
        Image::Bytes(bytes) => ask(&engine, (name, bytes), &request, options).await,
        Image::File(path) => match read(path, options).await {
            Ok(file) => ask(&engine, (name, file), &request, options).await,
            Err(ReadError::Failed(error)) if options.read_failure == ReadFailure::Error => {
                return Err(ReadError::Failed(error).into());
            }
            Err(error) => return failed(error.to_string()),
        },
    };
    match answered {
        Ok(output) => Ok(Some(Ok(Answered {
            name,
            request,
            output,
        }))),
        Err(AskError::Image(reason)) => failed(reason),
        Err(AskError::Refused(reason)) => failed(match name {
            Some(name) => format!("{name}: {reason}"),
            None => reason,
        }),
        Err(AskError::Failed(reason)) => {
            Err(DataFusionError::Execution(format!("florence: {reason}")))
        }
    }
}

async fn ask(
    engine: &Engine,
    (name, bytes): (Option<&str>, impl AsRef<[u8]> + Send + 'static),
    request: &Request,
    options: &FlorenceOptions,
) -> Result<Arc<AnyOutput>, AskError> {
    let search = Search {
        num_beams: options.num_beams,
        max_new_tokens: options.max_new_tokens,
    };
    engine
        .ask(name, bytes, request.clone(), search, Decoding::of(options))
        .await
}
