//! The body of a chat completion.

use serde::Deserialize;
use serde_json::Value;

use crate::api::chat::{Chat, Message, Photo};
use crate::api::fields::Fields;
use crate::error::ApiError;

/// A request for a completion.
#[derive(Debug)]
pub(super) struct Completion {
    pub(super) chat: Chat,
    pub(super) streams: bool,
    /// Whether a stream ends with the token counts.
    pub(super) includes_usage: bool,
}

/// What a model that answers one question about one photo does not have, and why.
const REFUSED: [(&str, &str); 6] = [
    ("tools", "this model calls no tools: leave it out"),
    ("functions", "this model calls no functions: leave it out"),
    ("audio", "this model answers with text: leave it out"),
    (
        "logprobs",
        "not in this API (/v1/run gives confidences): leave it out",
    ),
    ("top_logprobs", "not in this API: leave it out"),
    (
        "web_search_options",
        "this model searches nothing: leave it out",
    ),
];

#[derive(Debug, Deserialize)]
struct Sent {
    role: String,
    #[serde(default)]
    content: Option<Content>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "expected a string or a list of content parts")]
enum Content {
    Text(String),
    Parts(Vec<Part>),
}

#[derive(Debug, Deserialize)]
struct Part {
    #[serde(rename = "type")]
    kind: String,
    text: Option<String>,
    image_url: Option<ImageUrl>,
}

#[derive(Debug, Deserialize)]
#[serde(
    untagged,
    expecting = "image_url: expected {\"url\": \"data:image/…;base64,…\"}"
)]
enum ImageUrl {
    Object { url: String },
    Url(String),
}

#[derive(Debug, Default, Deserialize)]
struct StreamOptions {
    #[serde(default)]
    include_usage: Option<bool>,
}

#[derive(Debug, Deserialize)]
struct Format {
    #[serde(rename = "type")]
    kind: String,
}

impl Completion {
    /// # Errors
    ///
    /// What is missing, wrong or not offered. Other fields have no effect.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, ApiError> {
        let mut fields = Fields::read(bytes)?;
        for (name, why) in REFUSED {
            fields.refuse(name, why)?;
        }
        if let Some(n) = fields.take::<u64>("n")?
            && n != 1
        {
            return Err(ApiError::bad_request(format_args!("n is {n}, expected 1")).in_field("n"));
        }
        let as_json = match fields.take::<Format>("response_format")? {
            None => false,
            Some(format) => match format.kind.as_str() {
                "text" => false,
                "json_object" => true,
                _ => {
                    let message = "response_format: expected the type text or json_object";
                    return Err(ApiError::bad_request(message).in_field("response_format"));
                }
            },
        };
        let limits = ["max_completion_tokens", "max_tokens"].map(|name| tokens(&mut fields, name));
        let [completion, all] = limits;
        let options: Option<StreamOptions> = fields.take("stream_options")?;
        let model = fields.take("model")?.ok_or_else(|| missing("model"))?;
        let sent: Vec<Value> = fields
            .take("messages")?
            .ok_or_else(|| missing("messages"))?;
        let streams = fields.take("stream")?.unwrap_or_default();
        Ok(Self {
            chat: Chat {
                messages: messages(sent)?,
                model,
                as_json,
                max_tokens: completion?.or(all?),
            },
            streams,
            includes_usage: options.unwrap_or_default().include_usage == Some(true),
        })
    }
}

fn missing(name: &'static str) -> ApiError {
    ApiError::bad_request(format_args!("missing field `{name}`")).in_field(name)
}

fn tokens(fields: &mut Fields, name: &'static str) -> Result<Option<u64>, ApiError> {
    match fields.take(name)? {
        Some(0) => Err(
            ApiError::bad_request(format_args!("{name} is 0, expected 1 or more")).in_field(name),
        ),
        tokens => Ok(tokens),
    }
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
            "user" => messages.push(message(at, sent.content).map_err(refused)?),
            // The model reads no instructions and remembers nothing.
            "system" | "developer" | "assistant" | "tool" | "function" => (),
            _ => {
                return Err(refused(
                    ".role: expected user, system, developer or assistant".into(),
                ));
            }
        }
    }
    Ok(messages)
}

/// A message of the user, or what is wrong at which place in it.
fn message(at: usize, content: Option<Content>) -> Result<Message, String> {
    let parts = match content {
        None => return Err(".content: expected a string or a list of content parts".to_owned()),
        Some(Content::Text(text)) => {
            let photos = Vec::new();
            return Ok(Message { text, photos });
        }
        Some(Content::Parts(parts)) => parts,
    };
    let (mut texts, mut photos) = (Vec::new(), Vec::new());
    for (index, part) in parts.into_iter().enumerate() {
        let place = format!(".content[{index}]");
        match (part.kind.as_str(), part.text, part.image_url) {
            ("text", Some(text), _) => texts.push(text),
            ("text", None, _) => return Err(format!("{place}: missing field `text`")),
            ("image_url", _, Some(ImageUrl::Object { url } | ImageUrl::Url(url))) => {
                if !is_data_url(&url) {
                    return Err(format!(
                        "{place}.image_url: expected data:image/…;base64,…: the server fetches nothing"
                    ));
                }
                photos.push(Photo {
                    place: format!("messages[{at}]{place}.image_url"),
                    base64: url,
                });
            }
            ("image_url", _, None) => return Err(format!("{place}: missing field `image_url`")),
            _ => return Err(format!("{place}.type: expected text or image_url")),
        }
    }
    let text = texts.join("\n");
    Ok(Message { text, photos })
}

fn is_data_url(url: &str) -> bool {
    let kind = url
        .strip_prefix("data:")
        .and_then(|data| data.split_once(','));
    kind.is_some_and(|(kind, _)| kind.ends_with(";base64"))
}
