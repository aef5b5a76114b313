//! The configuration of a checkpoint: both published layouts in one struct.

mod generation;
mod input_size;
mod preparation;
pub(crate) mod read;
mod text;
mod vision;

use serde_json::{Map, Value};

pub use generation::{EarlyStopping, GenerationDefaults};
pub use input_size::InputSize;
pub use preparation::ImagePreparation;
pub use text::TextConfig;
pub use vision::{Activation, FeatureSource, VisionConfig};

use crate::checkpoint::quantized;
use crate::{Error, Result};
use read::Section;

/// The naming scheme of a `config.json`. It decides the defaults of absent keys and where
/// generation settings come from, nothing else; that of the tensors is detected separately
/// ([`Layout`](crate::Layout)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ConfigDialect {
    /// `dim_embed`, `image_pos_embed: {…}`: the files published by Microsoft
    /// and nearly all fine-tunes.
    Microsoft,
    /// `embed_dim`, `max_position_embeddings`: transformers' own class.
    Native,
}

/// Everything that the network needs to know before it reads a weight.
///
/// Read from untrusted files: every number is bounded, every contradiction is
/// an error that names its key.
///
/// # Example: the published Florence-2-base
///
/// ```
/// # let json = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/config/base/config.json"));
/// use florence_core::Config;
///
/// let config = Config::from_json(json, None, None)?;
/// assert_eq!(config.vision.embed_dim, [128, 256, 512, 1024]);
/// assert_eq!(config.text.d_model, 768);
/// assert_eq!(config.generation.num_beams, 3);
/// # Ok::<(), florence_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Config {
    /// The vision tower and its projector.
    pub vision: VisionConfig,
    /// The language model.
    pub text: TextConfig,
    /// How images are prepared.
    pub image: ImagePreparation,
    /// How answers are decoded by default.
    pub generation: GenerationDefaults,
    /// The naming scheme of the file.
    pub dialect: ConfigDialect,
    /// Warnings about irregularities in the files that could be resolved, one sentence each.
    pub warnings: Vec<String>,
}

impl Config {
    /// Reads `config.json` and, as far as there are any, the bytes of
    /// `preprocessor_config.json` (or a `processor_config.json` with an
    /// `image_processor` part) and `generation_config.json`.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`] for bytes that are not a
    /// JSON object, [`Error::Config`] for a value out of
    /// its range or outside its set, for lists of different lengths, heads that
    /// do not divide their width, a projection that does not fit the language
    /// model, or an image size whose feature map exceeds the position table.
    ///
    /// # Example: an unknown value is named
    ///
    /// ```
    /// use florence_core::Config;
    ///
    /// let config = br#"{"model_type": "florence2", "vision_config": {"window_size": 0}, "text_config": {}}"#;
    /// let error = Config::from_json(config, None, None).unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "config.json: `vision_config.window_size` is 0, expected whole numbers from 1 to 1024",
    /// );
    /// ```
    pub fn from_json(
        config: &[u8],
        preprocessor_config: Option<&[u8]>,
        generation_config: Option<&[u8]>,
    ) -> Result<Self> {
        Self::read(config, preprocessor_config, generation_config, None)
    }

    /// As [`Config::from_json`], for images of another size than the file says.
    pub(crate) fn read(
        config: &[u8],
        preprocessor_config: Option<&[u8]>,
        generation_config: Option<&[u8]>,
        image_size: Option<InputSize>,
    ) -> Result<Self> {
        let mut warnings = Vec::new();
        let map = Self::identify(config)?;
        let root = Section::new("config.json", &map);
        let required = |key: &str| {
            root.section(key)?
                .ok_or_else(|| root.refuse(key, "an object"))
        };
        let vision_section = required("vision_config")?;
        let text_section = required("text_config")?;
        let dialect = dialect(&root, &vision_section, &text_section);

        let vision = VisionConfig::read(&vision_section, dialect)?;
        let mut text = TextConfig::read(&text_section, dialect)?;
        text.tied &= root.bool("tie_word_embeddings", true)?;
        if vision.projection_dim != text.d_model {
            return Err(vision_section.refuse(
                "projection_dim",
                format!("{}, the value of text_config.d_model", text.d_model),
            ));
        }

        let preprocessor = preprocessor_config
            .map(|bytes| read::parse_object("preprocessor_config.json", bytes))
            .transpose()?;
        // The nested form is what transformers calls processor_config.json.
        let nested = preprocessor
            .as_ref()
            .is_some_and(|map| map.contains_key("image_processor"));
        let file = if nested {
            "processor_config.json"
        } else {
            "preprocessor_config.json"
        };
        let image = match &preprocessor {
            Some(map) => ImagePreparation::read(&Section::new(file, map), &mut warnings)?,
            None => ImagePreparation::default(),
        };

        let generation_file = generation_config
            .map(|bytes| read::parse_object("generation_config.json", bytes))
            .transpose()?;
        let generation = GenerationDefaults::read(
            &text_section,
            generation_file
                .as_ref()
                .map(|map| Section::new("generation_config.json", map))
                .as_ref(),
            &text,
            dialect,
            &mut warnings,
        )?;

        let config = Config {
            vision,
            text,
            image,
            generation,
            dialect,
            warnings,
        };
        if let Some(size) = image_size {
            return config.with_image_size(size);
        }
        config.check_size(preprocessor.as_ref())?;
        Ok(config)
    }

    /// Parses `config.json` just far enough to know that it is of a Florence-2 with readable
    /// weights.
    pub(crate) fn identify(config: &[u8]) -> Result<Map<String, Value>> {
        const FILE: &str = "config.json";
        let map = read::parse_object(FILE, config)?;
        if map.contains_key("peft_type") {
            return Err(Error::malformed(
                FILE,
                "this is the configuration of an adapter (`peft_type`), not of a model",
            ));
        }
        Section::new(FILE, &map).one_of("model_type", "florence2", &["florence2"])?;
        quantized::refuse_config(FILE, &map)?;
        Ok(map)
    }

    /// The same configuration for images that are resized to another size.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] for a size that the position tables do not cover.
    ///
    /// # Example
    ///
    /// ```
    /// # let json = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/config/base/config.json"));
    /// use florence_core::{Config, InputSize};
    ///
    /// let config = Config::from_json(json, None, None)?.with_image_size(InputSize::square(64))?;
    /// assert_eq!(config.image.resize, Some(InputSize::square(64)));
    ///
    /// let error = config.with_image_size(InputSize::square(2000)).unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "argument `image_size` is 2000x2000, expected a size whose last feature map has 1 to 50 positions a \
    ///      side (2000x2000 pixels give 63 × 63)",
    /// );
    /// # Ok::<(), florence_core::Error>(())
    /// ```
    pub fn with_image_size(mut self, size: InputSize) -> Result<Self> {
        self.image.resize = Some(size);
        self.image.check()?;
        match self.fit(size) {
            Ok(_) => Ok(self),
            Err(expected) => Err(Error::argument("image_size", size, expected)),
        }
    }

    /// Number of visual tokens of an image as the network sees it: for every [`FeatureSource`], 1 or
    /// the number of positions of the last feature map. `None` for a size that the position tables do
    /// not cover.
    ///
    /// # Example
    ///
    /// ```
    /// # let json = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/config/base/config.json"));
    /// use florence_core::{Config, InputSize};
    ///
    /// let config = Config::from_json(json, None, None)?;
    /// assert_eq!(config.visual_tokens(InputSize::square(768)), Some(577));
    /// assert_eq!(config.visual_tokens(InputSize::square(64)), Some(5));
    /// assert_eq!(config.visual_tokens(InputSize::square(4000)), None);
    /// # Ok::<(), florence_core::Error>(())
    /// ```
    pub fn visual_tokens(&self, size: InputSize) -> Option<usize> {
        self.fit(size).ok()
    }

    /// As [`Config::visual_tokens`], or what size would be right, and what this one gives.
    fn fit(&self, size: InputSize) -> std::result::Result<usize, String> {
        let last = |side| self.vision.map_sides(side)?.last().copied();
        let map = last(size.width).zip(last(size.height));
        let rows = self.vision.max_position_embeddings;
        let on_table = 1..=rows;
        let Some((width, height)) =
            map.filter(|(width, height)| on_table.contains(width) && on_table.contains(height))
        else {
            let found = map.map_or_else(|| "none".to_owned(), |(w, h)| format!("{w} × {h}"));
            return Err(format!(
                "a size whose last feature map has 1 to {rows} positions a side ({size} pixels give {found})"
            ));
        };
        let sources = self.vision.image_feature_source.iter();
        let tokens = sources.map(|source| match source {
            FeatureSource::SpatialAvgPool => 1,
            FeatureSource::TemporalAvgPool | FeatureSource::LastFrame => width * height,
        });
        let tokens = tokens.sum();
        let positions = self.text.max_position_embeddings;
        if tokens >= positions {
            return Err(format!(
                "a size with fewer visual tokens than the {positions} positions of \
                 text_config.max_position_embeddings ({size} pixels give {tokens})"
            ));
        }
        Ok(tokens)
    }

    /// Checks that the network can take an image of a size, in its original pixels: one that is not
    /// resized may be too large, or too small.
    ///
    /// # Errors
    ///
    /// [`Error::Image`], which says what the network can take.
    ///
    /// # Example
    ///
    /// ```
    /// # let json = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/config/base/config.json"));
    /// use florence_core::{Config, InputSize};
    ///
    /// let as_it_is = br#"{"do_resize": false, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]}"#;
    /// let config = Config::from_json(json, Some(as_it_is), None)?;
    /// assert!(config.check_image(InputSize { width: 640, height: 480 }).is_ok());
    /// let error = config.check_image(InputSize { width: 6400, height: 480 }).unwrap_err();
    /// assert!(error.to_string().contains("6400x480 pixels give 200 × 15"));
    /// # Ok::<(), florence_core::Error>(())
    /// ```
    pub fn check_image(&self, size: InputSize) -> Result<()> {
        let fit = self.fit(self.image.input_size(size));
        fit.map(drop).map_err(|expected| Error::Image {
            path: None,
            reason: format!(
                "not resized, as \"do_resize\" of the checkpoint says; expected {expected}; or set an image size"
            ),
        })
    }

    /// The configured size must give a map that the position tables cover and that leaves the
    /// encoder room for a prompt.
    fn check_size(&self, preprocessor: Option<&Map<String, Value>>) -> Result<()> {
        const FILE: &str = "preprocessor_config.json";
        let Some(size) = self.image.resize else {
            return Ok(());
        };
        let Err(expected) = self.fit(size) else {
            return Ok(());
        };
        Err(match preprocessor {
            Some(map) => Section::new(FILE, map).refuse("size", expected),
            None => Error::malformed(
                FILE,
                format!(
                    "absent, and the {size} pixels of the published checkpoints do not suit config.json; \
                     expected the file, whose `size` gives {expected}; or set an image size (`--image-size`, \
                     `CheckpointOptions::image_size`)"
                ),
            ),
        })
    }
}

fn dialect(root: &Section<'_>, vision: &Section<'_>, text: &Section<'_>) -> ConfigDialect {
    let says = |s: &Section<'_>, key: &str, values: &[&str]| {
        s.value(key)
            .and_then(Value::as_str)
            .is_some_and(|v| values.contains(&v))
    };
    if vision.has("dim_embed") {
        return ConfigDialect::Microsoft;
    }
    let native = vision.has("embed_dim")
        || says(vision, "model_type", &["florence_vision"])
        || says(text, "model_type", &["bart"]);
    if native && !root.has("auto_map") {
        ConfigDialect::Native
    } else {
        ConfigDialect::Microsoft
    }
}
