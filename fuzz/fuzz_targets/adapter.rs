//! An `adapter_config.json`, a zero byte, and the JSON header of an
//! `adapter_model.safetensors`, behind which zeros are put as far as its offsets
//! reach. With a first byte of 255 after the zero, the rest is the whole file as
//! it is. The base is a golden model; an adapter that opens is loaded with it.

#![no_main]

use std::path::PathBuf;
use std::sync::OnceLock;

use florence_core::{Checkpoint, CheckpointBytes, Florence2};
use libfuzzer_sys::fuzz_target;

const CONFIG: &[u8] = include_bytes!("../../florence-core/tests/goldens/plain/config.json");
const TOKENIZER: &[u8] = include_bytes!("../../florence-core/tests/goldens/plain/tokenizer.json");
const WEIGHTS: &[u8] = include_bytes!("../../florence-core/tests/goldens/plain/model.safetensors");
const PREPROCESSOR: &[u8] =
    include_bytes!("../../florence-core/tests/goldens/plain/preprocessor_config.json");

/// Maximum bytes of numbers.
const NUMBERS: u64 = 1 << 18;

/// The base, and the folder that adapters are written to.
fn base() -> &'static (Checkpoint, PathBuf) {
    static BASE: OnceLock<(Checkpoint, PathBuf)> = OnceLock::new();
    BASE.get_or_init(|| {
        let files = CheckpointBytes::new(CONFIG, TOKENIZER, WEIGHTS);
        let base = Checkpoint::from_bytes(files.preprocessor_config(PREPROCESSOR)).unwrap();
        let folder = std::env::temp_dir().join(format!("adapter-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        (base, folder)
    })
}

fn end_of_numbers(header: &[u8]) -> usize {
    let tensors: serde_json::Map<_, _> = serde_json::from_slice(header).unwrap_or_default();
    let ends = tensors
        .values()
        .filter_map(|tensor| tensor.get("data_offsets")?.get(1)?.as_u64());
    ends.max().unwrap_or(0).min(NUMBERS) as usize
}

fuzz_target!(|bytes: &[u8]| {
    let zero = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    let (config, rest) = bytes.split_at(zero);
    let weights = match rest.get(1..).unwrap_or_default() {
        [255, file @ ..] => file.to_vec(),
        header => {
            let mut file = (header.len() as u64).to_le_bytes().to_vec();
            file.extend_from_slice(header);
            file.resize(file.len() + end_of_numbers(header), 0);
            file
        }
    };
    let (base, folder) = base();
    std::fs::write(folder.join("adapter_config.json"), config).unwrap();
    std::fs::write(folder.join("adapter_model.safetensors"), weights).unwrap();
    match base.with_adapter(folder) {
        Ok(adapted) => drop(Florence2::load(adapted)),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});
