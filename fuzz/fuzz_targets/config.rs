//! Any text as `config.json`, alone, and as the other files beside a
//! configuration that is whole.

#![no_main]

use florence_core::Config;
use florence_core::checkpoint::expected_tensors;
use libfuzzer_sys::fuzz_target;

const CONFIG: &[u8] = include_bytes!("../../florence-core/tests/goldens/plain/config.json");

fuzz_target!(|bytes: &[u8]| {
    for read in [
        Config::from_json(bytes, None, None),
        Config::from_json(CONFIG, Some(bytes), None),
        Config::from_json(CONFIG, None, Some(bytes)),
    ] {
        match read {
            Ok(config) => {
                if let Some(size) = config.image.resize {
                    assert!(config.visual_tokens(size).is_some_and(|tokens| tokens > 0));
                }
                assert!(!expected_tensors(&config).is_empty());
            }
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
});
