//! Why a file is refused: where libjpeg stops with an error, and where Pillow
//! does before it.

use std::fmt;

use super::super::decoded::Refusal;

/// libjpeg's `JPEG_MAX_DIMENSION`.
pub(super) const MAX_SIDE: u32 = 65_500;

/// What stops the reading of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Fault {
    CutOff,
    Marker(u8),
    Kind(u8),
    Precision(u8),
    Components(u8),
    Size {
        width: u32,
        height: u32,
    },
    TooManyPixels {
        width: u32,
        height: u32,
        allowed: u64,
    },
    Sampling,
    UnitTooLarge,
    SecondStart,
    SecondFrame,
    NoFrame,
    NoScan,
    SecondScan,
    TooManyScans(usize),
    ScansWithoutData,
    Segment(u8),
    ScanComponent(u8),
    ScanParameters,
    HuffmanTable,
    NoHuffmanTable(u8),
    NoQuantization(u8),
    Overflow,
    ArithmeticTooLong,
}

/// What ends a step of reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// More of the file is needed first.
    Starved,
    Fault(Fault),
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Stop::Fault(fault)
    }
}

impl From<Stop> for Fault {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Starved => Fault::CutOff,
            Stop::Fault(fault) => fault,
        }
    }
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::TooManyPixels { width, height, .. } => Refusal::Size {
                width: width.into(),
                height: height.into(),
            },
            fault => Refusal::Whole(fault.to_string()),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DAMAGED: &str = "JPEG that is damaged";
        const UNREAD: &str = "JPEG that this program cannot read";
        match *self {
            Self::CutOff => write!(f, "JPEG that is cut off: no end-of-image marker"),
            Self::Marker(code) => write!(f, "{DAMAGED}: an unknown marker, ff{code:02x}"),
            Self::Kind(code) => write!(
                f,
                "{UNREAD}: {}; save it as baseline or progressive",
                match code {
                    0xc3 => "lossless coding",
                    0xcb => "lossless arithmetic coding",
                    0xc8 => "a JPEG extension",
                    _ => "hierarchical coding",
                }
            ),
            Self::Precision(bits) => {
                write!(f, "{UNREAD}: {bits} bits in each channel, expected 8")
            }
            Self::Components(count) => {
                write!(f, "{UNREAD}: {count} components, expected 1, 3 or 4")
            }
            Self::Size { width, height } => write!(
                f,
                "{UNREAD}: {width} × {height} pixels, expected sides of 1 to {}",
                MAX_SIDE
            ),
            Self::TooManyPixels {
                width,
                height,
                allowed,
            } => write!(
                f,
                "JPEG of {width} × {height} pixels, expected 1 to {allowed} in all"
            ),
            Self::Sampling => write!(
                f,
                "{UNREAD}: sampling factors that are not 1 to 4 or do not divide the largest"
            ),
            Self::UnitTooLarge => {
                write!(f, "{DAMAGED}: more than ten blocks in a unit of a scan")
            }
            Self::SecondStart => write!(f, "{DAMAGED}: a second image starts inside of it"),
            Self::SecondFrame => write!(f, "{DAMAGED}: two frame headers"),
            Self::NoFrame => write!(f, "{DAMAGED}: a scan without a frame header before it"),
            Self::NoScan => write!(f, "{DAMAGED}: it ends before its first scan"),
            Self::SecondScan => write!(f, "{DAMAGED}: a scan after the only one"),
            Self::TooManyScans(allowed) => write!(f, "JPEG of more than {allowed} scans"),
            Self::ScansWithoutData => write!(
                f,
                "{DAMAGED}: its scans go over the picture more often than the file has data for"
            ),
            Self::Segment(code) => {
                write!(
                    f,
                    "{DAMAGED}: the segment ff{code:02x} is of a wrong length or value"
                )
            }
            Self::ScanComponent(id) => {
                write!(f, "{DAMAGED}: a scan names the component {id} wrongly")
            }
            Self::ScanParameters => write!(f, "{DAMAGED}: a scan with impossible parameters"),
            Self::HuffmanTable => write!(f, "{DAMAGED}: an impossible Huffman table"),
            Self::NoHuffmanTable(number) => {
                write!(f, "{DAMAGED}: the Huffman table {number} is missing")
            }
            Self::NoQuantization(number) => {
                write!(f, "{DAMAGED}: the quantization table {number} is missing")
            }
            Self::Overflow => write!(f, "{DAMAGED}: coefficients out of all bounds"),
            Self::ArithmeticTooLong => write!(
                f,
                "{UNREAD}: arithmetic coding in a file of more than 64 KiB; save it as baseline"
            ),
        }
    }
}
