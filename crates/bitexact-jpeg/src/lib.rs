//! A JPEG decoder whose pixels equal those of [libjpeg-turbo] as [Pillow]
//! calls it, bit for bit, for damaged files too.
//!
//! The JPEG standard leaves rounding to the decoder, and says little about
//! damaged files. Decoders therefore differ by a few levels, and by more after a
//! damaged spot. That matters to programs whose results must equal those of
//! Python code that opens images with Pillow, such as the preprocessing for
//! neural networks. If you only want to show an image, use a decoder with more
//! features.
//!
//! [libjpeg-turbo]: https://libjpeg-turbo.org
//! [Pillow]: https://python-pillow.org
//!
//! # Example
//!
//! ```
//! use bitexact_jpeg::{DecodeOptions, PixelLayout, decode};
//!
//! let file = std::fs::read("tests/data/jpeg/photo_50_2_0_33x17.jpg")?;
//! let image = decode(&file, &DecodeOptions::new())?;
//! assert_eq!((image.width, image.height), (33, 17));
//! assert_eq!(image.layout, PixelLayout::Rgb8);
//! assert_eq!(image.pixels.len(), 33 * 17 * 3);
//! assert!(image.damage.is_none());
//!
//! // The data cut off in the middle, and an end-of-image marker put behind it.
//! let mut cut = file[..file.len() - 100].to_vec();
//! cut.extend([0xff, 0xd9]);
//! let image = decode(&cut, &DecodeOptions::new())?;
//! assert_eq!(image.damage.unwrap().what, "the data ends early");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What it decodes
//!
//! Files of 8 bits a sample with one, three or four components: baseline,
//! extended sequential and progressive; Huffman coding and arithmetic coding;
//! all sampling factors that libjpeg takes; restart markers; JFIF and Adobe
//! color transforms (grayscale, YCbCr, RGB, CMYK, YCCK); motion JPEG, which
//! leaves out its Huffman tables.
//!
//! It does **not** decode lossless files, hierarchical files, files of 12 or 16
//! bits a sample, and files of two components. Pillow reads none of these but
//! lossless files. Like Pillow, it refuses arithmetic coding in files of more
//! than 64 KiB. It neither scales nor crops while decoding, and there is no
//! encoder.
//!
//! ICC profiles and the EXIF orientation are not applied: pixels come as they are
//! stored, and the EXIF and XMP data come with them, unparsed.
//!
//! # Damaged files
//!
//! Lost restart markers, impossible codes, missing scans and data that ends
//! early are recovered from as libjpeg-turbo does, with Pillow's way of handing
//! over a file in blocks of 64 KiB; the image then says so in
//! [`Decoded::damage`]. Files that Pillow refuses are refused. Where the
//! coefficients of a damaged file overflow 16 bits, the results are those of
//! libjpeg-turbo's vector code for x86-64.
//!
//! # How it was verified
//!
//! Against Pillow 13.0 with libjpeg-turbo 3.2, on x86-64, without a difference:
//!
//! - `tests/pixels.rs` compares whole files of all sampling ratios and sizes,
//!   by SHA-256 of their pixels.
//! - `tests/damage.rs` compares 600 damaged files that it makes from these by
//!   seed; Pillow's results are stored as checksums. 100,000 others were
//!   compared in the same way.
//! - `tools/reference/jpeg_damage.py` of the repository makes files of random
//!   kinds, damages them in 30 ways, and compares any number of them; 38,000
//!   were compared.
//! - `fuzz/` of the repository holds the fuzz target `jpeg`: no input may panic.
//!
//! # Limits
//!
//! A file is untrusted: [`DecodeOptions::max_pixels`] bounds the memory, which
//! is one to four bytes a pixel for the samples, as many for the image, and for
//! files of several scans two bytes a sample for the coefficients. Files with
//! more scans than their length can fill with data are refused, because a few
//! kilobytes could otherwise take minutes. The crate contains no unsafe code.
#![forbid(unsafe_code)]

mod annex_k;
mod arithmetic_bits;
mod arithmetic_scan;
mod bits;
mod block;
mod color;
mod damage;
mod dct;
mod decode;
mod decoded;
mod error;
mod frame;
mod huffman;
mod huffman_scan;
mod mcu;
mod metadata;
mod options;
mod output;
mod progress;
mod scan;
mod scan_decoder;
mod segments;
mod smoothing;
mod source;
mod tables;
mod upsample;
mod warnings;

pub use damage::Damage;
pub use decode::decode;
pub use decoded::{Decoded, PixelLayout};
pub use error::Error;
pub use options::DecodeOptions;
