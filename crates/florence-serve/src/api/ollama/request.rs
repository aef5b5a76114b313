//! The bodies of `/api/generate` and `/api/chat`.

use serde::Deserialize;
use serde_json::Value;

use crate::api::chat::{Chat, Message, Photo};
use crate::api::fields::Fields;
use crate::error::ApiError;

/// A request for an answer.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) chat: Chat,
    pub(super) streams: bool,
    /// Whether nothing is asked: clients let a model be loaded so.
    pub(super) only_loads: bool,
}

const REFUSED: [(&str, &str); 6] = [
    ("tools", "this model calls no tools: leave it out"),
    ("think", "this model does not think: leave it out"),
    ("suffix", "this model inserts no text: leave it out"),
    ("raw", "this model has prompts of its own: leave it out"),
    (
        "logprobs",
        "not in this API (/v1/run gives confidences): leave it out",
    ),
    ("top_logprobs", "not in this API: leave it out"),
];

#[derive(Debug, Deserialize)]
struct Sent {
    role: String,
    #[serde(default)]
    content: Option<String>,
    #[serde(default)]
    images: Option<Vec<String>>,
}

#[derive(Debug, Default, Deserialize)]
struct Options {
    #[serde(default)]
    num_predict: Option<i64>,
}

impl Asked {
    /// The body of `/api/generate`.
    ///
    /// # Errors
    ///
    /// What is missing, wrong or not offered. Other fields have no effect.
    pub(super) fn generate(bytes: &[u8]) -> Result<Self, ApiError> {
        let mut fields = Fields::read(bytes)?;
        let prompt: String = fields.take("prompt")?.unwrap_or_default();
        let images: Vec<String> = fields.take("images")?.unwrap_or_default();
        let only_loads = prompt.is_empty() && images.is_empty();
        let message = message(prompt, images, "images");
        Self::read(fields, vec![message], only_loads)
    }

    /// The body of `/api/chat`.
    ///
    /// # Errors
    ///
    /// As for `/api/generate`.
    pub(super) fn chat(bytes: &[u8]) -> Result<Self, ApiError> {
        let mut fields = Fields::read(bytes)?;
        let sent: Vec<Value> = fields.take("messages")?.unwrap_or_default();
        let only_loads = sent.is_empty();
        Self::read(fields, messages(sent)?, only_loads)
    }

    fn read(
        mut fields: Fields,
        messages: Vec<Message>,
        only_loads: bool,
    ) -> Result<Self, ApiError> {
        for (name, why) in REFUSED {
            fields.refuse(name, why)?;
        }
        let as_json = match fields.take::<Value>("format")? {
            None => false,
            Some(Value::String(format)) if format.is_empty() => false,
            Some(Value::String(format)) if format == "json" => true,
            Some(_) => {
                let message = "format: expected \"json\", or leave it out: no schemas";
                return Err(ApiError::bad_request(message).in_field("format"));
            }
        };
        let options: Options = fields.take("options")?.unwrap_or_default();
        let model = fields
            .take("model")?
            .ok_or_else(|| ApiError::bad_request("missing field `model`").in_field("model"))?;
        Ok(Self {
            chat: Chat {
                messages,
                model,
                as_json,
                // Negative numbers mean no limit.
                max_tokens: options.num_predict.and_then(|tokens| match tokens {
                    1.. => u64::try_from(tokens).ok(),
                    _ => None,
                }),
            },
            streams: fields.take("stream")?.unwrap_or(true),
            only_loads,
        })
    }
}

/// The model that `/api/show` is asked about.
///
/// # Errors
///
/// When it is missing.
pub(super) fn model(bytes: &[u8]) -> Result<String, ApiError> {
    let mut fields = Fields::read(bytes)?;
    let model: Option<String> = fields.take("model")?;
    // What it was called before.
    let name: Option<String> = fields.take("name")?;
    let missing = || ApiError::bad_request("missing field `model`").in_field("model");
    model.or(name).ok_or_else(missing)
}

/// The messages of the user.
fn messages(sent: Vec<Value>) -> Result<Vec<Message>, ApiError> {
    let mut messages = Vec::new();
    for (at, sent) in sent.into_iter().enumerate() {
        let refused = |message: String| {
            ApiError::bad_request(format_args!("messages[{at}]{message}")).in_field("messages")
        };
        let sent: Sent =
            serde_json::from_value(sent).map_err(|error| refused(format!(": {error}")))?;
        match sent.role.as_str() {
            "user" => messages.push(message(
                sent.content.unwrap_or_default(),
                sent.images.unwrap_or_default(),
                &format!("messages[{at}].images"),
            )),
            // The model reads no instructions and remembers nothing.
            "system" | "assistant" | "tool" => (),
            _ => {
                return Err(refused(
                    ".role: expected user, system or assistant".to_owned(),
                ));
            }
        }
    }
    Ok(messages)
}

fn message(text: String, images: Vec<String>, place: &str) -> Message {
    let photos = images.into_iter().enumerate().map(|(index, base64)| Photo {
        place: format!("{place}[{index}]"),
        base64,
    });
    Message {
        text,
        photos: photos.collect(),
    }
}
