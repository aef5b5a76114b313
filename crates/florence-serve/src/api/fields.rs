//! A JSON object of which known fields are read and others are ignored, as clients of these APIs
//! expect: they send options for models of other kinds.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::error::ApiError;

/// The fields of a body that were not taken yet.
#[derive(Debug)]
pub(super) struct Fields(Map<String, Value>);

impl Fields {
    /// # Errors
    ///
    /// When the bytes are not a JSON object.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, ApiError> {
        let fields = serde_json::from_slice(bytes);
        fields
            .map(Self)
            .map_err(|error| ApiError::bad_request(format_args!("the JSON body: {error}")))
    }

    /// A field, unless it is missing or null.
    ///
    /// # Errors
    ///
    /// When it has another type.
    pub(super) fn take<T: DeserializeOwned>(
        &mut self,
        name: &'static str,
    ) -> Result<Option<T>, ApiError> {
        match self.0.remove(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => serde_json::from_value(value).map(Some).map_err(|error| {
                ApiError::bad_request(format_args!("{name}: {error}")).in_field(name)
            }),
        }
    }

    /// Refuses a field that asks for something which is not offered. Null, `false` and what is empty
    /// ask for nothing.
    ///
    /// # Errors
    ///
    /// When it asks.
    pub(super) fn refuse(&self, name: &'static str, why: &str) -> Result<(), ApiError> {
        let asks = match self.0.get(name) {
            None | Some(Value::Null | Value::Bool(false)) => false,
            Some(Value::String(text)) => !text.is_empty(),
            Some(Value::Array(list)) => !list.is_empty(),
            Some(Value::Object(map)) => !map.is_empty(),
            Some(_) => true,
        };
        match asks {
            true => Err(ApiError::bad_request(format_args!("{name}: {why}")).in_field(name)),
            false => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_name_the_field() {
        let body = br#"{"n": "one", "stream": true, "user": null, "tools": [{}], "think": false}"#;
        let mut fields = Fields::read(body).unwrap();
        assert_eq!(fields.take("stream").unwrap(), Some(true));
        assert_eq!(fields.take::<String>("user").unwrap(), None);
        assert_eq!(fields.take::<String>("model").unwrap(), None);
        let error = fields.take::<u32>("n").unwrap_err();
        assert_eq!(error.param, Some("n"));
        assert!(error.message.starts_with("n: invalid type"), "{error}");
        assert!(fields.refuse("think", "no").is_ok());
        let error = fields.refuse("tools", "there are none").unwrap_err();
        assert_eq!(error.message, "tools: there are none");
        for body in ["", "[]", "1", "{", "{}x"] {
            assert!(Fields::read(body.as_bytes()).is_err(), "{body}");
        }
    }
}
