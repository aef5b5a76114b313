//! Any bytes as the pickle of a `pytorch_model.bin`: the input is put into the
//! ZIP archive that PyTorch writes, as its `data.pkl`. With a first byte of
//! 255, the rest is the whole file as it is.

#![no_main]

use florence_core::{Checkpoint, CheckpointBytes, Florence2};
use libfuzzer_sys::fuzz_target;

const CONFIG: &[u8] =
    include_bytes!("../../florence-core/tests/goldens/short_positions/config.json");
const TOKENIZER: &[u8] =
    include_bytes!("../../florence-core/tests/goldens/short_positions/tokenizer.json");

const PREPROCESSOR: &[u8] =
    include_bytes!("../../florence-core/tests/goldens/short_positions/preprocessor_config.json");

fuzz_target!(|bytes: &[u8]| {
    let weights = match bytes {
        [255, file @ ..] => file.to_vec(),
        pickle => archive(&[
            ("archive/data.pkl", pickle),
            ("archive/version", b"3\n"),
            ("archive/data/0", &[0; 64]),
            ("archive/data/1", &[0; 256]),
        ]),
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

/// A ZIP archive of stored files, without checksums: the reader does not look
/// at them.
fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
    let (mut archive, mut directory) = (Vec::new(), Vec::new());
    for (name, content) in files {
        let offset = archive.len() as u32;
        let size = (content.len() as u32).to_le_bytes();
        let name_length = (name.len() as u16).to_le_bytes();
        // Version, flags, method, time, date, checksum.
        let common = [
            &[20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0][..],
            &size,
            &size,
            &name_length,
            &[0, 0],
        ]
        .concat();
        archive.extend([b"PK\x03\x04", &common[..], name.as_bytes(), content].concat());
        directory.extend(
            [
                b"PK\x01\x02\x14\0",
                &common[..],
                &[0; 10],
                &offset.to_le_bytes(),
                name.as_bytes(),
            ]
            .concat(),
        );
    }
    let count = (files.len() as u16).to_le_bytes();
    let start = (archive.len() as u32).to_le_bytes();
    let size = (directory.len() as u32).to_le_bytes();
    archive.extend(&directory);
    archive.extend(
        [
            b"PK\x05\x06\0\0\0\0",
            &count[..],
            &count,
            &size,
            &start,
            &[0, 0],
        ]
        .concat(),
    );
    archive
}
