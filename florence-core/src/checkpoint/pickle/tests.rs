//! Files written by PyTorch, and malicious variants.

use std::path::Path;

use super::super::header::{Entry, Stored};
use super::*;

fn file(name: &str) -> Vec<u8> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/pickle");
    std::fs::read(dir.join(name)).unwrap()
}

fn entries_of(bytes: Vec<u8>) -> Result<BTreeMap<String, Entry>> {
    Ok(read(&Source::bytes("w.bin", bytes.into()), 0)?.tensors)
}

fn values(bytes: &[u8], entry: &Entry) -> Vec<f32> {
    let stored = *entry.stored.as_ref().unwrap();
    let count: usize = entry.shape.iter().product();
    let at = entry.offset as usize;
    bytes[at..at + count * stored.size()]
        .chunks(stored.size())
        .map(|b| match stored {
            Stored::F64 => f64::from_le_bytes(b.try_into().unwrap()) as f32,
            Stored::F32 => f32::from_le_bytes(b.try_into().unwrap()),
            Stored::F16 => half::f16::from_le_bytes(b.try_into().unwrap()).to_f32(),
            Stored::BF16 => half::bf16::from_le_bytes(b.try_into().unwrap()).to_f32(),
        })
        .collect()
}

/// `torch.save` of an `OrderedDict` of tensors of three types, a parameter, a
/// view, a tied pair; every tensor is 0, 0.5, 1 … minus its number.
#[test]
fn tensors_of_all_kinds() {
    let bytes = file("types.bin");
    let entries = entries_of(bytes.clone()).unwrap();
    let counted =
        |from: f32, len: usize| -> Vec<f32> { (0..len).map(|i| i as f32 * 0.5 + from).collect() };
    for (name, shape, expected) in [
        ("f32", &[3, 4][..], counted(-1.0, 12)),
        ("f16", &[2, 3, 2], counted(-2.0, 12)),
        ("bf16", &[5], counted(-3.0, 5)),
        ("parameter", &[2, 2], counted(-4.0, 4)),
        ("shared", &[6, 4], counted(-5.0, 24)),
        ("tied", &[6, 4], counted(-5.0, 24)),
        ("view", &[2, 4], counted(-1.0, 8)),
        ("scalar", &[], vec![1.5]),
    ] {
        assert_eq!(entries[name].shape, shape, "{name}");
        assert_eq!(values(&bytes, &entries[name]), expected, "{name}");
    }
    assert_eq!(entries["ints"].stored.as_ref().unwrap_err(), "LongStorage");
    assert_eq!(
        entries["transposed"].stored.as_ref().unwrap_err(),
        "a view with strides [1, 2]"
    );
    assert_eq!(entries.len(), 10);
    let plain = file("plain_dict.bin");
    let plain_entries = entries_of(plain.clone()).unwrap();
    assert_eq!(values(&plain, &plain_entries["a"]), [-1.0, -0.5]);
}

#[test]
fn truncated_and_corrupted_files_do_not_panic() {
    let bytes = file("types.bin");
    for len in 0..bytes.len() {
        assert!(entries_of(bytes[..len].to_vec()).is_err(), "{len}");
    }
    for at in 0..bytes.len() {
        for flip in [0x01, 0x10, 0x80, 0xff] {
            let mut bad = bytes.clone();
            bad[at] ^= flip;
            if let Ok(entries) = entries_of(bad.clone()) {
                for entry in entries.values().filter(|e| e.stored.is_ok()) {
                    values(&bad, entry);
                }
            }
        }
    }
}

fn refusal(program: &[u8]) -> String {
    machine::run(program).unwrap_err()
}

#[test]
fn programs_that_are_no_dictionary() {
    assert_eq!(refusal(b""), "is cut off");
    assert_eq!(refusal(b"\x80\x02."), "holds no dictionary of tensors");
    assert_eq!(
        refusal(b"cos\nsystem\nX\x02\0\0\0ls\x85R."),
        "holds no dictionary of tensors"
    );
    assert_eq!(refusal(b"R"), "takes from an empty stack");
    assert_eq!(refusal(b"(R"), "takes from an empty stack");
    assert_eq!(refusal(b"h\x05."), "recalls what it has not stored");
    assert_eq!(refusal(b"t"), "has no mark where one is needed");
    assert_eq!(refusal(b"X\xff\xff\xff\xffabc"), "is cut off");
    assert_eq!(
        refusal(b"\x8a\x09123456789"),
        "has a number of more than 64 bits"
    );
    assert_eq!(refusal(b"\xfe"), "has the unknown instruction 0xfe");
    let deep = [b")".to_vec(), vec![0x85; 1_000_000]].concat();
    assert_eq!(refusal(&deep), "nests tuples more than 16 deep");
}

/// Doubling a tuple again and again costs nothing, because nothing is copied.
#[test]
fn shared_values_are_not_copied() {
    let mut program = b"}q\0)".to_vec();
    for _ in 0..12 {
        program.extend(b"q\x01h\x01h\x01h\x01\x87");
    }
    program.extend(b"0.");
    assert!(machine::run(&program).is_err());
}

/// Written by `tools/reference/pickles.py`.
#[test]
fn nested_dictionaries_are_followed_by_their_usual_names() {
    let read_file = |name: &str| read(&Source::bytes("w.bin", file(name).into()), 0);
    let nested = read_file("nested.bin").unwrap();
    assert_eq!(nested.path, "model_state_dict");
    assert!(nested.tensors.len() > 100);
    // Protocol 4, and numbers of 64 bits.
    let deep = read_file("deep.bin").unwrap();
    assert_eq!(deep.path, "state.params");
    assert_eq!(values(&file("deep.bin"), &deep.tensors["a"]), [1.5, -2.0]);
    assert_eq!(deep.tensors["b"].shape, [2, 2]);
    let several = read_file("several.bin")
        .map(|found| found.path)
        .unwrap_err();
    assert!(
        several.to_string().contains("generator, critic"),
        "{several}"
    );
    // A dictionary that holds itself.
    let circle = b"}q\0X\x05\0\0\0modelh\0s.";
    assert_eq!(refusal(circle), "nests dictionaries more than 4 deep");
}
