//! Any bytes as the JSON header of a `model.safetensors` with as many zeros
//! behind it as the golden model has bytes of numbers. With a first byte of 255,
//! the rest is the whole file as it is. Configuration and tokenizer are those of
//! the golden; a checkpoint that opens is loaded.

#![no_main]

use florence_core::{Checkpoint, CheckpointBytes, Florence2};
use libfuzzer_sys::fuzz_target;

const CONFIG: &[u8] =
    include_bytes!("../../florence-core/tests/goldens/short_positions/config.json");
const TOKENIZER: &[u8] =
    include_bytes!("../../florence-core/tests/goldens/short_positions/tokenizer.json");

/// Bytes of the golden model's numbers.
const NUMBERS: usize = 284_768;

const PREPROCESSOR: &[u8] =
    include_bytes!("../../florence-core/tests/goldens/short_positions/preprocessor_config.json");

fuzz_target!(|bytes: &[u8]| {
    let weights = match bytes {
        [255, file @ ..] => file.to_vec(),
        header => {
            let mut file = (header.len() as u64).to_le_bytes().to_vec();
            file.extend_from_slice(header);
            file.resize(file.len() + NUMBERS, 0);
            file
        }
    };
    let files = CheckpointBytes::new(CONFIG, TOKENIZER, weights);
    let opened = Checkpoint::from_bytes(files.preprocessor_config(PREPROCESSOR));
    match opened {
        Ok(checkpoint) => {
            assert!(checkpoint.parameter_count() > 0);
            let _ = Florence2::load(checkpoint);
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});
