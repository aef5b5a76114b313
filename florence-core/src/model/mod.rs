//! The whole network: vision tower, projector, encoder, decoder and head.

mod choice;
mod generate;
mod score;
mod sharing;
mod warm_up;

use std::sync::Arc;

use candle_core::Tensor;

use crate::backend::cpu::{Isa, in_pool};
use crate::backend::{Candle, Cpu};
use crate::checkpoint::{Checkpoint, Files, Layout};
use crate::config::{Config, InputSize};
use crate::device::Device;
use crate::error::{Error, Result};
use crate::generate::GenerationConfig;
use crate::network::Network;
use crate::precision::{LoadOptions, Precision};
use crate::probe::{Observer, Probe};
use crate::tokenizer::Tokenizer;
use choice::{Choice, choose};

/// A Florence-2 network with its tokenizer, ready to run.
///
/// Cloning is cheap: clones share the weights. Everything takes `&self`; the state of a generation
/// lives in its call, so that any number of threads may use one model at once.
///
/// # Threads
///
/// All parallel work runs in the rayon pool of the caller. There is one setting:
/// the size of that pool. For a whole process it is the environment variable
/// `RAYON_NUM_THREADS`, by default the number of cores; within a program it is a
/// pool of one's own, whose `install` the calls are made in:
///
/// ```
/// use florence_core::{Checkpoint, Florence2, GenerationConfig};
/// use florence_core::candle::{DType, Device, Tensor};
///
/// let florence = Florence2::load(Checkpoint::from_dir("tests/goldens/plain")?)?;
/// let two = rayon::ThreadPoolBuilder::new().num_threads(2).build()?;
/// let answers = two.install(|| {
///     let pixels = Tensor::zeros((1, 3, 96, 96), DType::F32, &Device::Cpu)?;
///     let features = florence.encode_pixels(&pixels)?;
///     let prompt = florence.tokenizer().encode("Hi?")?;
///     florence.generate(&features, &[prompt], &florence.generation_config())
/// })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Calls that run at once in one pool share its threads, so that there are never more than cores;
/// calls in pools of their own do not wait for each other. Either way each gives the answer that it
/// gives alone. While a single answer is generated, idle threads of the pool busy-wait, and yield
/// the core to other threads; [`LoadOptions::busy_wait`] switches that off.
///
/// # Instruction sets
///
/// Kernels are chosen by what the CPU has, see [`Florence2::instruction_set`]. The environment
/// variable `FLORENCE_MAX_ISA` (`portable`, `avx2`, `avx512`, `amx`) limits them, to compare, or to
/// get the bits of another machine.
#[derive(Debug, Clone)]
pub struct Florence2 {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    config: Config,
    tokenizer: Tokenizer,
    /// The files that its weights were read from.
    files: Files,
    layout: Layout,
    parameters: usize,
    device: Device,
    precision: Precision,
    /// Whether idle threads busy-wait while an answer is generated.
    busy_wait: bool,
    warnings: Vec<String>,
    network: Loaded,
}

/// The network on the backend that was chosen for it.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "there is one, behind an `Arc`")]
enum Loaded {
    Kernels(Network<Cpu>),
    Candle(Network<Candle>),
}

/// Dispatches to the network of the chosen backend.
macro_rules! on {
    ($loaded:expr, $network:ident => $result:expr) => {
        match $loaded {
            $crate::model::Loaded::Kernels($network) => $result,
            $crate::model::Loaded::Candle($network) => $result,
        }
    };
}
use on;

impl Florence2 {
    /// Builds the network from an opened checkpoint.
    ///
    /// # Errors
    ///
    /// When a tensor is missing, has another shape than the configuration says
    /// or is stored in an unsupported type, or an adapter does not fit; the message names it.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_core::{Checkpoint, Florence2};
    ///
    /// let florence = Florence2::load(Checkpoint::from_dir("tests/goldens/plain")?)?;
    /// # Ok::<(), florence_core::Error>(())
    /// ```
    pub fn load(checkpoint: Checkpoint) -> Result<Self> {
        Self::load_with(checkpoint, &LoadOptions::default())
    }

    /// As [`Florence2::load`], with options.
    ///
    /// # Errors
    ///
    /// As [`Florence2::load`].
    ///
    /// # Example
    ///
    /// ```
    /// use florence_core::{Checkpoint, Florence2, LoadOptions, Precision};
    ///
    /// let options = LoadOptions::new().precision(Precision::Q8_0);
    /// let checkpoint = Checkpoint::from_dir("tests/goldens/plain")?;
    /// let florence = Florence2::load_with(checkpoint, &options)?;
    /// # Ok::<(), florence_core::Error>(())
    /// ```
    pub fn load_with(checkpoint: Checkpoint, options: &LoadOptions) -> Result<Self> {
        let mut checkpoint = checkpoint;
        for adapter in &options.adapters {
            checkpoint = checkpoint.with_adapter(adapter)?;
        }
        let Checkpoint {
            config,
            tokenizer,
            weights,
            warnings,
            ..
        } = checkpoint;
        if let Ok(limit) = std::env::var(Isa::LIMIT)
            && !Isa::NAMES.contains(&limit.as_str())
        {
            let expected = format!("one of {}", Isa::NAMES.join(", "));
            return Err(Error::argument(Isa::LIMIT, format!("{limit:?}"), expected));
        }
        let (choice, precision) = choose(options)?;
        let network = match choice {
            Choice::Kernels(cpu) => Loaded::Kernels(Network::load(cpu, &weights, &config, None)?),
            Choice::Candle(candle) => {
                Loaded::Candle(Network::load(candle, &weights, &config, None)?)
            }
        };
        let busy_wait = options.busy_wait && matches!(network, Loaded::Kernels(_));
        let inner = Inner {
            network,
            files: weights.files(),
            layout: weights.layout(),
            parameters: weights.parameter_count(),
            device: options.device,
            precision,
            busy_wait,
            warnings,
            config,
            tokenizer,
        };
        let florence = Self {
            inner: Arc::new(inner),
        };
        if options.device != Device::Cpu {
            florence.warm_up()?;
        }
        Ok(florence)
    }

    /// Whether both share one loaded network.
    ///
    /// # Example
    ///
    /// ```
    /// # use florence_core::{Checkpoint, Florence2};
    /// let load = || Florence2::load(Checkpoint::from_dir("tests/goldens/plain")?);
    /// let (one, other) = (load()?, load()?);
    /// assert!(one.is_same(&one.clone()));
    /// assert!(!one.is_same(&other));
    /// # Ok::<(), florence_core::Error>(())
    /// ```
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.inner, &other.inner)
    }

    /// The instruction set of the kernels: `amx`, `avx512`, `avx2` or
    /// `portable`, the widest that this CPU has and that the environment
    /// variable `FLORENCE_MAX_ISA` allows.
    ///
    /// # Example
    ///
    /// ```
    /// # let florence = florence_core::Florence2::load(florence_core::Checkpoint::from_dir("tests/goldens/plain")?)?;
    /// assert!(["amx", "avx512", "avx2", "portable"].contains(&florence.instruction_set()));
    /// # Ok::<(), florence_core::Error>(())
    /// ```
    pub fn instruction_set(&self) -> &'static str {
        Isa::best().name()
    }

    /// The device that the network runs on.
    ///
    /// # Example
    ///
    /// ```
    /// # let florence = florence_core::Florence2::load(florence_core::Checkpoint::from_dir("tests/goldens/plain")?)?;
    /// assert_eq!(florence.device(), florence_core::Device::Cpu);
    /// # Ok::<(), florence_core::Error>(())
    /// ```
    pub fn device(&self) -> Device {
        self.inner.device
    }

    /// The precision of the weights.
    ///
    /// # Example
    ///
    /// ```
    /// # let florence = florence_core::Florence2::load(florence_core::Checkpoint::from_dir("tests/goldens/plain")?)?;
    /// assert_eq!(florence.precision(), florence_core::Precision::F32);
    /// # Ok::<(), florence_core::Error>(())
    /// ```
    pub fn precision(&self) -> Precision {
        self.inner.precision
    }

    /// The checkpoint's configuration.
    ///
    /// # Example
    ///
    /// ```
    /// # let florence = florence_core::Florence2::load(florence_core::Checkpoint::from_dir("tests/goldens/plain")?)?;
    /// assert_eq!(florence.config().text.d_model, 32);
    /// # Ok::<(), florence_core::Error>(())
    /// ```
    pub fn config(&self) -> &Config {
        &self.inner.config
    }

    /// The checkpoint's tokenizer.
    ///
    /// # Example
    ///
    /// ```
    /// # let florence = florence_core::Florence2::load(florence_core::Checkpoint::from_dir("tests/goldens/plain")?)?;
    /// let ids = florence.tokenizer().encode("What does the image describe?")?;
    /// assert_eq!(ids.first(), Some(&0)); // <s>
    /// # Ok::<(), florence_core::Error>(())
    /// ```
    pub fn tokenizer(&self) -> &Tokenizer {
        &self.inner.tokenizer
    }

    /// The naming scheme of the checkpoint's tensors.
    ///
    /// # Example
    ///
    /// ```
    /// # let florence = florence_core::Florence2::load(florence_core::Checkpoint::from_dir("tests/goldens/plain")?)?;
    /// assert_eq!(florence.layout(), florence_core::Layout::Native);
    /// # Ok::<(), florence_core::Error>(())
    /// ```
    pub fn layout(&self) -> Layout {
        self.inner.layout
    }

    /// Number of parameters; tied weights count once.
    ///
    /// # Example
    ///
    /// ```
    /// # let florence = florence_core::Florence2::load(florence_core::Checkpoint::from_dir("tests/goldens/plain")?)?;
    /// assert!(florence.parameter_count() > 100_000);
    /// # Ok::<(), florence_core::Error>(())
    /// ```
    pub fn parameter_count(&self) -> usize {
        self.inner.parameters
    }

    /// Warnings about irregularities of the checkpoint, which could be resolved.
    ///
    /// # Example
    ///
    /// ```
    /// # let florence = florence_core::Florence2::load(florence_core::Checkpoint::from_dir("tests/goldens/plain")?)?;
    /// assert!(florence.warnings().is_empty());
    /// # Ok::<(), florence_core::Error>(())
    /// ```
    pub fn warnings(&self) -> &[String] {
        &self.inner.warnings
    }

    /// The generation options that the checkpoint asks for.
    ///
    /// # Example
    ///
    /// ```
    /// # let florence = florence_core::Florence2::load(florence_core::Checkpoint::from_dir("tests/goldens/plain")?)?;
    /// assert_eq!(florence.generation_config().get_num_beams(), 3);
    /// # Ok::<(), florence_core::Error>(())
    /// ```
    pub fn generation_config(&self) -> GenerationConfig {
        GenerationConfig::of(&self.inner.config)
    }

    /// Runs the vision tower and the projector: normalized
    /// `pixels: (batch, 3, height, width)` to visual tokens
    /// `(batch, visual_tokens, d_model)`. Large batches are taken in pieces whose
    /// activations stay below 256 MiB on the CPU and 4 GiB on other devices.
    ///
    /// # Errors
    ///
    /// When `pixels` has another shape or is not `f32`. The sides may differ
    /// from the configured one as far as the position tables reach.
    ///
    /// # Example
    ///
    /// ```
    /// # let florence = florence_core::Florence2::load(florence_core::Checkpoint::from_dir("tests/goldens/plain")?)?;
    /// use candle_core::{DType, Device, Tensor};
    /// use florence_core::InputSize;
    ///
    /// let pixels = Tensor::zeros((1, 3, 96, 96), DType::F32, &Device::Cpu)?;
    /// let features = florence.encode_pixels(&pixels)?;
    /// let tokens = florence.config().visual_tokens(InputSize::square(96)).unwrap();
    /// assert_eq!(features.dims(), [1, tokens, 32]);
    /// # Ok::<(), florence_core::Error>(())
    /// ```
    pub fn encode_pixels(&self, pixels: &Tensor) -> Result<Tensor> {
        in_pool(|| self.encode_pixels_here(pixels, &mut Observer::none()))
    }

    /// As [`Florence2::encode_pixels`], showing every activation to `probe`.
    ///
    /// # Errors
    ///
    /// As [`Florence2::encode_pixels`].
    ///
    /// # Example
    ///
    /// ```
    /// # let florence = florence_core::Florence2::load(florence_core::Checkpoint::from_dir("tests/goldens/plain")?)?;
    /// use candle_core::{DType, Device, Tensor};
    ///
    /// let pixels = Tensor::zeros((1, 3, 96, 96), DType::F32, &Device::Cpu)?;
    /// let mut names = Vec::new();
    /// florence.encode_pixels_with(&pixels, &mut |name, _activation| names.push(name.to_string()))?;
    /// assert_eq!(names[..2], ["vision.conv.0", "vision.stage.0.block.0.spatial"]);
    /// # Ok::<(), florence_core::Error>(())
    /// ```
    pub fn encode_pixels_with(&self, pixels: &Tensor, probe: &mut Probe<'_>) -> Result<Tensor> {
        self.encode_pixels_here(pixels, &mut Observer::new(probe))
    }

    fn encode_pixels_here(&self, pixels: &Tensor, observer: &mut Observer<'_>) -> Result<Tensor> {
        let config = &self.inner.config;
        let fits = |width, height| config.visual_tokens(InputSize { width, height }).is_some();
        if !matches!(pixels.dims(), &[batch, 3, height, width] if batch > 0 && fits(width, height))
        {
            let expected = match config.image.resize {
                Some(InputSize { width, height }) => format!("(batch, 3, {height}, {width}), or"),
                None => "(batch, 3, height, width) with".to_owned(),
            };
            let positions = config.vision.max_position_embeddings;
            return Err(Error::argument(
                "pixels",
                format!("of shape {:?}", pixels.dims()),
                format!(
                    "{expected} sides whose last feature map has 1 to {positions} positions a side, fewer than \
                     the text positions together"
                ),
            ));
        }
        let encode = |pixels: &Tensor, observer: &mut Observer<'_>| on!(&self.inner.network, network => network.encode_pixels(pixels, observer));
        let (batch, _, height, width) = pixels.dims4()?;
        let piece = self.images_at_once(height, width);
        if batch <= piece || observer.is_active() {
            return Ok(encode(pixels, observer)?);
        }
        let pieces = (0..batch).step_by(piece).map(|start| {
            let pixels = pixels.narrow(0, start, piece.min(batch - start))?;
            encode(&pixels, observer)
        });
        let pieces = pieces.collect::<candle_core::Result<Vec<_>>>()?;
        Ok(Tensor::cat(&pieces, 0)?)
    }

    /// How many images of a size the vision tower takes together.
    fn images_at_once(&self, height: usize, width: usize) -> usize {
        /// Maximum bytes of live activations.
        const CPU: usize = 1 << 28;
        const GPU: usize = 1 << 32;
        /// Maps of the first stage, the largest, that are live at once: input, output, and queries,
        /// keys and values.
        const MAPS: usize = 6;
        let vision = &self.inner.config.vision;
        let side = |len: usize| {
            vision
                .map_sides(len)
                .and_then(|sides| sides.first().copied())
        };
        let tokens = side(height).unwrap_or(height) * side(width).unwrap_or(width);
        let image = MAPS * tokens * vision.embed_dim[0] * size_of::<f32>();
        let memory = match self.inner.device {
            Device::Cpu => CPU,
            _ => GPU,
        };
        (memory / image.max(1)).max(1)
    }
}
