//! Any text as `tokenizer.json`, and as `added_tokens.json` beside a whole one.
//! A tokenizer that is read encodes and decodes.

#![no_main]

use florence_core::Tokenizer;
use libfuzzer_sys::fuzz_target;

const TOKENIZER: &[u8] = include_bytes!("../../florence-core/tests/goldens/plain/tokenizer.json");

fuzz_target!(|bytes: &[u8]| {
    for read in [
        Tokenizer::from_parts(bytes, None),
        Tokenizer::from_parts(TOKENIZER, Some(bytes)),
    ] {
        match read {
            Ok(tokenizer) => {
                let size = tokenizer.vocab_size() as u32;
                if let Ok(ids) = tokenizer.encode("What is <loc_5> \u{e9}?") {
                    tokenizer.decode(&ids);
                }
                for id in [0, 1, 2, 3, size - 1, size, u32::MAX] {
                    tokenizer.token(id);
                    tokenizer.decode(&[id]);
                }
            }
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
});
