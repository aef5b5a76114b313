//! Image preparation, from `preprocessor_config.json`.

use super::InputSize;
use super::read::Section;
use crate::{Error, Result};

/// Color statistics of ImageNet, which all published Florence-2 files state.
const IMAGENET_MEAN: [f64; 3] = [0.485, 0.456, 0.406];
const IMAGENET_STD: [f64; 3] = [0.229, 0.224, 0.225];

/// `CLIPImageProcessor`'s defaults for a file that leaves the keys out.
const CLIP_MEAN: [f64; 3] = [0.481_454_66, 0.457_827_5, 0.408_210_73];
const CLIP_STD: [f64; 3] = [0.268_629_54, 0.261_302_58, 0.275_777_11];

/// The preparation of an image for the network: resize with Pillow's bicubic filter, multiply by
/// `rescale`, subtract `mean`, divide by `std`.
///
/// # Example: the published preparation
///
/// ```
/// use florence_core::{ImagePreparation, InputSize};
///
/// let preparation = ImagePreparation::default();
/// assert_eq!(preparation.resize, Some(InputSize::square(768)));
/// assert_eq!(preparation.mean, [0.485, 0.456, 0.406]);
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ImagePreparation {
    /// The size that images are resized to; the aspect ratio is not kept. `None`: each image keeps
    /// its own size (`"do_resize": false`).
    pub resize: Option<InputSize>,
    /// Per-channel mean (red, green, blue), subtracted after rescaling.
    pub mean: [f64; 3],
    /// Per-channel standard deviation, divided by after the subtraction.
    pub std: [f64; 3],
    /// Factor from bytes to the scale of `mean` and `std`: 1/255.
    pub rescale: f64,
}

impl Default for ImagePreparation {
    fn default() -> Self {
        ImagePreparation {
            resize: Some(Self::PUBLISHED),
            mean: IMAGENET_MEAN,
            std: IMAGENET_STD,
            rescale: 1.0 / 255.0,
        }
    }
}

impl ImagePreparation {
    /// The largest accepted side, in pixels: a larger one is taken for corruption.
    pub const MAX_SIDE: usize = 4096;

    /// The size that all published checkpoints state.
    pub(crate) const PUBLISHED: InputSize = InputSize::square(768);

    pub(super) fn read(file: &Section<'_>, warnings: &mut Vec<String>) -> Result<Self> {
        // Processors saved by recent versions of transformers nest the image part.
        let nested = file.section("image_processor")?;
        let s = nested.as_ref().unwrap_or(file);
        if let Some(filter) = s.value("resample")
            && filter.as_u64() != Some(3)
        {
            return Err(s.refuse("resample", "3 (bicubic)"));
        }
        let resize = if s.bool("do_resize", true)? {
            let size = size(s, "size")?
                .ok_or_else(|| s.refuse("size", "an object with \"height\" and \"width\""))?;
            Some(size)
        } else {
            None
        };
        if s.bool("do_center_crop", false)?
            && let Some(crop) = size(s, "crop_size")?
            && Some(crop) != resize
        {
            let expected = match resize {
                Some(size) => format!(
                    "{} × {} (height × width), the same as `size`",
                    size.height, size.width
                ),
                None => "no cropping beside \"do_resize\": false".to_owned(),
            };
            return Err(s.refuse("crop_size", expected));
        }
        let normalize = s.bool("do_normalize", true)?;
        let rescale = s.bool("do_rescale", true)?;
        if normalize && !(s.has("image_mean") && s.has("image_std")) {
            warnings.push(
                "image preparation: no `image_mean` or `image_std`, CLIP's are used as in \
                 the reference; published Florence-2 files state ImageNet's"
                    .to_owned(),
            );
        }
        Ok(ImagePreparation {
            resize,
            mean: if normalize {
                s.rgb("image_mean", CLIP_MEAN, -1e6..=1e6)?
            } else {
                [0.0; 3]
            },
            std: if normalize {
                s.rgb("image_std", CLIP_STD, 1e-6..=1e6)?
            } else {
                [1.0; 3]
            },
            rescale: if rescale {
                s.float("rescale_factor", 1.0 / 255.0, 1e-9..=1e3)?
            } else {
                1.0
            },
        })
    }

    /// The size that the network sees of an image of a size.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_core::{ImagePreparation, InputSize};
    ///
    /// let mut preparation = ImagePreparation::default();
    /// let photo = InputSize { width: 640, height: 480 };
    /// assert_eq!(preparation.input_size(photo), InputSize::square(768));
    /// preparation.resize = None;
    /// assert_eq!(preparation.input_size(photo), photo);
    /// ```
    pub fn input_size(&self, image: InputSize) -> InputSize {
        self.resize.unwrap_or(image)
    }

    /// Refuses values that [`ImagePreparation::read`] would not have produced: the fields are
    /// public.
    pub(crate) fn check(&self) -> Result<()> {
        if let Some(size) = self.resize
            && !size.is_plausible()
        {
            return Err(Error::argument(
                "preparation.resize",
                size,
                format!("sides of 1 to {} pixels", Self::MAX_SIDE),
            ));
        }
        let finite = self.mean.iter().chain(&self.std).all(|x| x.is_finite());
        if !finite || self.std.contains(&0.0) || !self.rescale.is_finite() {
            return Err(Error::argument(
                "preparation",
                format!("{self:?}"),
                "finite numbers and no zero in `std`",
            ));
        }
        Ok(())
    }
}

/// The size in a `{"height", "width"}` object. A bare number or `"shortest_edge"` keeps the aspect
/// ratio, so that every image would have another size.
fn size(s: &Section<'_>, key: &str) -> Result<Option<InputSize>> {
    let expected = format!(
        "an object with \"height\" and \"width\" of 1 to {} pixels",
        ImagePreparation::MAX_SIDE
    );
    if s.has(key) && !s.value(key).is_some_and(serde_json::Value::is_object) {
        return Err(s.refuse(key, expected));
    }
    let Some(size) = s.section(key)? else {
        return Ok(None);
    };
    let range = 1..=ImagePreparation::MAX_SIDE;
    let height = size.maybe_usize("height", range.clone())?;
    let width = size.maybe_usize("width", range)?;
    match (height, width) {
        (Some(height), Some(width)) => Ok(Some(InputSize { width, height })),
        _ => Err(s.refuse(key, expected)),
    }
}
