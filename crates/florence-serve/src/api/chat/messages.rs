//! Messages of a chat, and the question that they end with.

use crate::error::ApiError;

/// A message of the user; those of others are not read.
#[derive(Debug)]
pub(in crate::api) struct Message {
    pub(in crate::api) text: String,
    pub(in crate::api) photos: Vec<Photo>,
}

/// A photo in base64, and what errors call it.
#[derive(Debug)]
pub(in crate::api) struct Photo {
    pub(in crate::api) place: String,
    pub(in crate::api) base64: String,
}

/// The text of the last message, and the photo of the last message that has one.
///
/// # Errors
///
/// When there is no message or no photo, or the last photos are several.
pub(super) fn last(messages: Vec<Message>) -> Result<(String, Photo), ApiError> {
    let mut photos = Vec::new();
    let mut text = None;
    for mut message in messages {
        if !message.photos.is_empty() {
            photos = std::mem::take(&mut message.photos);
        }
        text = Some(message.text);
    }
    let refused = |message: &str| ApiError::bad_request(message).in_field("messages");
    let text = text.ok_or_else(|| refused("messages: expected one whose role is user"))?;
    match (photos.pop(), photos.len()) {
        (Some(photo), 0) => Ok((text, photo)),
        (Some(photo), more) => Err(refused(&format!(
            "{}: {} photos in one message, expected one",
            photo.place,
            more + 1
        ))),
        (None, _) => Err(refused(
            "no photo: expected one in a message of the user (image_url with a data URL, or images \
             in base64)",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(text: &str, photos: &[&str]) -> Message {
        let photos = photos.iter().map(|photo| Photo {
            place: format!("images[{photo}]"),
            base64: (*photo).to_owned(),
        });
        Message {
            text: text.to_owned(),
            photos: photos.collect(),
        }
    }

    #[test]
    fn a_follow_up_is_about_the_last_photo() {
        let chat = vec![
            message("od", &["1", "2"]),
            message("ocr", &["3"]),
            message("caption", &[]),
        ];
        let (text, photo) = last(chat).unwrap();
        assert_eq!((text.as_str(), photo.base64.as_str()), ("caption", "3"));
    }

    #[test]
    fn none_and_several_are_refused() {
        for (chat, what) in [
            (vec![], "role is user"),
            (vec![message("od", &[])], "no photo"),
            (vec![message("od", &["1", "2"])], "images[2]: 2 photos"),
        ] {
            let error = last(chat).unwrap_err();
            assert!(error.message.contains(what), "{error}");
            assert_eq!(error.param, Some("messages"));
        }
    }
}
