//! Photos in base64, alone or in a data URL.

use ::base64::Engine;
use ::base64::alphabet::STANDARD;
use ::base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::error::ApiError;

/// Padding may be missing.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The bytes of a photo; `field` is what errors call it.
///
/// # Errors
///
/// When it is not base64.
pub(super) fn decode(field: &str, photo: &str) -> Result<Vec<u8>, ApiError> {
    // A data URL, as browsers make it.
    let photo = photo.strip_prefix("data:").map_or(photo, |data| {
        data.split_once(',').map_or("", |(_, data)| data)
    });
    let decoded = if photo.contains(['\r', '\n']) {
        BASE64.decode(photo.replace(['\r', '\n'], ""))
    } else {
        BASE64.decode(photo)
    };
    decoded.map_err(|error| ApiError::bad_request(format_args!("{field} is not base64: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_lines_and_data_urls_are_read() {
        for photo in [
            "Zm94",
            "Zm94\n",
            "Zm\r\n94",
            "data:image/png;base64,Zm94",
            "data:,Zm94",
        ] {
            assert_eq!(decode("image", photo).unwrap(), b"fox", "{photo}");
        }
        assert_eq!(decode("image", "Zm8").unwrap(), b"fo");
        assert_eq!(decode("image", "data:none").unwrap(), b"");
        for photo in ["?", "Zm 94", "Z", "Zm8=Zm8="] {
            let message = decode("images[0]", photo).unwrap_err().message;
            assert!(message.starts_with("images[0] is not base64"), "{message}");
        }
    }
}
