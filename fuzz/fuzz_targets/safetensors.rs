//! Any bytes as `model.safetensors` (or whatever they are), beside the small
//! configuration and tokenizer of a golden. A checkpoint that opens is loaded.

#![no_main]

use florence_core::{Checkpoint, CheckpointBytes, Florence2};
use libfuzzer_sys::fuzz_target;

const CONFIG: &[u8] =
    include_bytes!("../../florence-core/tests/goldens/short_positions/config.json");
const TOKENIZER: &[u8] =
    include_bytes!("../../florence-core/tests/goldens/short_positions/tokenizer.json");

fuzz_target!(|bytes: &[u8]| {
    let opened = Checkpoint::from_bytes(CheckpointBytes {
        config: CONFIG.into(),
        tokenizer: TOKENIZER.into(),
        weights: bytes.to_vec().into(),
        ..Default::default()
    });
    match opened {
        Ok(checkpoint) => {
            assert!(checkpoint.parameter_count() > 0);
            let _ = Florence2::load(checkpoint);
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});
