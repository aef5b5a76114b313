//! Test files: those of the folder `data`, and damages of them by seed.
#![allow(dead_code)]

use std::path::{Path, PathBuf};

pub(crate) fn data(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data")
        .join(path)
}

pub(crate) fn read_data(path: &str) -> Vec<u8> {
    std::fs::read(data(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// All whole files, sorted by name.
pub(crate) fn whole_files() -> Vec<Vec<u8>> {
    let mut paths: Vec<PathBuf> = ["jpeg", "jpeg_kinds"]
        .iter()
        .flat_map(|folder| std::fs::read_dir(data(folder)).unwrap())
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    paths.iter().map(|p| std::fs::read(p).unwrap()).collect()
}

/// SplitMix64, which Python can follow too.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % end as u64) as usize
    }

    fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.below(256) as u8).collect()
    }
}

/// The damaged file of a seed. `tools/reference/jpeg_damage.py` makes the same
/// (its function `seeded`).
pub(crate) fn damaged(seed: u64, whole: &[Vec<u8>]) -> Vec<u8> {
    let mut random = Random(seed);
    let mut file = whole[random.below(whole.len())].clone();
    for _ in 0..1 + random.below(3) {
        damage(&mut file, &mut random);
    }
    file
}

fn damage(file: &mut Vec<u8>, random: &mut Random) {
    let kind = random.below(12);
    let at = 2 + random.below(file.len().max(3) - 2);
    let at = at.min(file.len());
    let end = file.len();
    let span = |length: usize| at..(at + length).min(end);
    match kind {
        0 => {
            let bit = random.below(8);
            file[span(1)].iter_mut().for_each(|byte| *byte ^= 1 << bit);
        }
        1 => {
            let span = span(1 + random.below(8));
            let bytes = random.bytes(span.len());
            file[span].copy_from_slice(&bytes);
        }
        2 => drop(file.drain(span(1 + random.below(16)))),
        3 => {
            let count = 1 + random.below(8);
            file.splice(at..at, random.bytes(count)).for_each(drop);
        }
        4 => file[span(1 + random.below(40))].fill(0),
        5 => file.truncate(at),
        6 => {
            file.truncate(at);
            file.extend([0xff, 0xd9]);
        }
        7 => {
            let marker = [0xff, 0xc0 + random.below(63) as u8];
            file.splice(at..at, marker).for_each(drop);
        }
        8 => {
            let copy = file[span(1 + random.below(64))].to_vec();
            file.splice(at..at, copy).for_each(drop);
        }
        9 => {
            let markers = restart_markers(file);
            if !markers.is_empty() {
                let at = markers[random.below(markers.len())];
                file.drain(at..at + 2);
            }
        }
        10 => {
            let markers = restart_markers(file);
            if !markers.is_empty() {
                let at = markers[random.below(markers.len())];
                file[at + 1] = 0xd0 + random.below(8) as u8;
            }
        }
        _ => {
            // The headers up to the first scan.
            let end = file.windows(2).position(|pair| pair == [0xff, 0xda]);
            let at = 2 + random.below(end.unwrap_or(0).max(3) - 2);
            let bit = random.below(8);
            if let Some(byte) = file.get_mut(at) {
                *byte ^= 1 << bit;
            }
        }
    }
}

fn restart_markers(file: &[u8]) -> Vec<usize> {
    (0..file.len().saturating_sub(1))
        .filter(|at| file[*at] == 0xff && (0xd0..=0xd7).contains(&file[at + 1]))
        .collect()
}
