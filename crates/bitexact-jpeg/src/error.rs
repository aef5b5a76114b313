//! Why a file is refused: where libjpeg stops with an error, and where Pillow
//! does before it.

/// libjpeg's `JPEG_MAX_DIMENSION`.
pub(crate) const MAX_SIDE: u32 = 65_500;

/// Why a file cannot be decoded.
///
/// A new version may refuse with another variant, or with a new one; match
/// those that you handle.
///
/// # Example
///
/// ```
/// use bitexact_jpeg::{DecodeOptions, Error, decode};
///
/// let file = std::fs::read("tests/data/jpeg/noise_2.jpg")?;
/// let refused = decode(&file[..file.len() / 2], &DecodeOptions::new()).unwrap_err();
/// assert_eq!(refused, Error::CutOff);
/// assert_eq!(refused.to_string(), "truncated JPEG: no end-of-image marker");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file ends within its headers or its data.
    #[error("truncated JPEG: no end-of-image marker")]
    CutOff,
    /// A marker that is none of JPEG's, or that may not come here: its second
    /// byte.
    #[error("damaged JPEG: an unknown marker, ff{0:02x}")]
    Marker(u8),
    /// A kind of coding that is not decoded, by the second byte of the marker of
    /// its frame header: lossless or hierarchical.
    #[error("unsupported JPEG: {}; save it as baseline or progressive", coding(*.0))]
    Kind(u8),
    /// Samples of another number of bits than 8.
    #[error("unsupported JPEG: {0} bits in each channel, expected 8")]
    Precision(u8),
    /// Another number of components than 1, 3 or 4.
    #[error("unsupported JPEG: {0} components, expected 1, 3 or 4")]
    Components(u8),
    /// A side of 0 or of more than 65,500 pixels.
    #[error("unsupported JPEG: {width} × {height} pixels, expected sides of 1 to {MAX_SIDE}")]
    Size {
        /// The width in pixels.
        width: u32,
        /// The height in pixels.
        height: u32,
    },
    /// More pixels than [`DecodeOptions::max_pixels`](crate::DecodeOptions::max_pixels).
    #[error("JPEG of {width} × {height} pixels, expected 1 to {allowed} in all")]
    TooManyPixels {
        /// The width in pixels.
        width: u32,
        /// The height in pixels.
        height: u32,
        /// The most pixels that the options allow.
        allowed: u64,
    },
    /// Sampling factors that the standard does not allow, or that do not divide
    /// the largest of the file, which libjpeg does not upsample.
    #[error("unsupported JPEG: sampling factors that are not 1 to 4 or do not divide the largest")]
    Sampling,
    /// An MCU of more than ten blocks.
    #[error("damaged JPEG: more than ten blocks in a unit of a scan")]
    McuTooLarge,
    /// A start-of-image marker after the first.
    #[error("damaged JPEG: a second image starts inside of it")]
    SecondStart,
    /// A frame header after the first.
    #[error("damaged JPEG: two frame headers")]
    SecondFrame,
    /// A scan before the frame header.
    #[error("damaged JPEG: a scan without a frame header before it")]
    NoFrame,
    /// The file does not begin as a JPEG, or has no scan.
    #[error("damaged JPEG: it ends before its first scan")]
    NoScan,
    /// A scan after the only scan of a sequential file.
    #[error("damaged JPEG: a scan after the only one")]
    SecondScan,
    /// More scans than this number, which is more than any encoder writes.
    #[error("JPEG of more than {0} scans")]
    TooManyScans(usize),
    /// Scans of so little data for so many blocks that decoding them would only
    /// take time.
    #[error("damaged JPEG: more scans than its amount of data allows")]
    ScansWithoutData,
    /// A marker segment of a wrong length or with a wrong value: the second byte
    /// of its marker.
    #[error("damaged JPEG: the segment ff{0:02x} is of a wrong length or value")]
    Segment(u8),
    /// A scan with a component that the frame does not have, or twice: the
    /// identifier of the component.
    #[error("damaged JPEG: a scan has the unknown or repeated component {0}")]
    ScanComponent(u8),
    /// A progressive scan with a spectral selection or a successive
    /// approximation that cannot be.
    #[error("damaged JPEG: a scan with impossible parameters")]
    ScanParameters,
    /// A Huffman table that is no prefix code.
    #[error("damaged JPEG: an impossible Huffman table")]
    HuffmanTable,
    /// A scan with a Huffman table that was not defined: its number.
    #[error("damaged JPEG: the Huffman table {0} is missing")]
    NoHuffmanTable(u8),
    /// A component with a quantization table that was not defined: its number.
    #[error("damaged JPEG: the quantization table {0} is missing")]
    NoQuantization(u8),
    /// DC coefficients whose sum overflows 32 bits.
    #[error("damaged JPEG: DC coefficients overflow")]
    Overflow,
    /// Arithmetic coding in a scan that goes beyond what Pillow hands over at
    /// once.
    #[error(
        "unsupported JPEG: arithmetic coding in a file of more than 64 KiB; save it as baseline"
    )]
    ArithmeticTooLong,
}

/// The name of a coding that is not decoded.
fn coding(marker: u8) -> &'static str {
    match marker {
        0xc3 => "lossless coding",
        0xcb => "lossless arithmetic coding",
        0xc8 => "a JPEG extension",
        _ => "hierarchical coding",
    }
}

/// What ends a step of reading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stop {
    /// More of the file is needed first.
    NeedsData,
    Error(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Stop::Error(error)
    }
}

impl From<Stop> for Error {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::NeedsData => Error::CutOff,
            Stop::Error(error) => error,
        }
    }
}
