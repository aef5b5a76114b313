//! How files are decoded.

/// How a file is decoded.
///
/// # Example
///
/// ```
/// use bitexact_jpeg::{DecodeOptions, Error, decode};
///
/// let file = std::fs::read("tests/data/jpeg/photo_50_2_0_33x17.jpg")?;
/// let thumbnails = DecodeOptions::new().max_pixels(500);
/// let refused = decode(&file, &thumbnails).unwrap_err();
/// assert!(matches!(refused, Error::TooManyPixels { width: 33, height: 17, .. }));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecodeOptions {
    pub(crate) max_pixels: u64,
    pub(crate) keep_inks: bool,
}

impl DecodeOptions {
    /// The defaults: at most 256,000,000 pixels, inks converted to RGB.
    ///
    /// # Example
    ///
    /// ```
    /// use bitexact_jpeg::DecodeOptions;
    ///
    /// assert_eq!(DecodeOptions::new(), DecodeOptions::default());
    /// assert_eq!(DecodeOptions::new().max_pixels(256_000_000), DecodeOptions::new());
    /// ```
    pub const fn new() -> Self {
        DecodeOptions {
            max_pixels: 256_000_000,
            keep_inks: false,
        }
    }

    /// Refuses images of more than `pixels` pixels, before they are decoded.
    ///
    /// # Example
    ///
    /// ```
    /// use bitexact_jpeg::{DecodeOptions, decode};
    ///
    /// let file = std::fs::read("tests/data/jpeg/photo_50_2_0_33x17.jpg")?;
    /// assert!(decode(&file, &DecodeOptions::new().max_pixels(33 * 17)).is_ok());
    /// assert!(decode(&file, &DecodeOptions::new().max_pixels(33 * 17 - 1)).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub const fn max_pixels(mut self, pixels: u64) -> Self {
        self.max_pixels = pixels;
        self
    }

    /// Whether files of four components come with these components as they are
    /// stored, instead of converted to RGB as Pillow converts them. Other files
    /// are not affected.
    ///
    /// # Example
    ///
    /// ```
    /// use bitexact_jpeg::{DecodeOptions, PixelLayout, decode};
    ///
    /// let file = std::fs::read("tests/data/jpeg_kinds/cmyk.jpg")?;
    /// assert_eq!(decode(&file, &DecodeOptions::new())?.layout, PixelLayout::Rgb8);
    ///
    /// let inks = decode(&file, &DecodeOptions::new().keep_inks(true))?;
    /// assert_eq!(inks.layout, PixelLayout::Cmyk8);
    /// assert_eq!(inks.pixels.len(), 45 * 38 * 4);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub const fn keep_inks(mut self, keep: bool) -> Self {
        self.keep_inks = keep;
        self
    }
}

impl Default for DecodeOptions {
    fn default() -> Self {
        Self::new()
    }
}
