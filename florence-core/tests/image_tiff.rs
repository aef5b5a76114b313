//! TIFFs that small bytes make costly, and TIFFs with damaged pixels.
#![cfg(feature = "tiff")]

use std::time::Instant;

use florence_core::image::{ImageOptions, decode};
use image::DynamicImage;

/// A little-endian file: `data` at byte 8, and its directory behind them.
fn tiff(tags: &[(u16, &[u32])], data: &[u8]) -> Vec<u8> {
    let mut file = b"II*\0\0\0\0\0".to_vec();
    file.extend(data);
    let mut entries = Vec::new();
    for (tag, values) in tags {
        entries.extend(tag.to_le_bytes());
        entries.extend(4u16.to_le_bytes());
        entries.extend((values.len() as u32).to_le_bytes());
        if let [value] = values {
            entries.extend(value.to_le_bytes());
        } else {
            entries.extend((file.len() as u32).to_le_bytes());
            file.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        }
    }
    let directory = file.len() as u32;
    file[4..8].copy_from_slice(&directory.to_le_bytes());
    file.extend((tags.len() as u16).to_le_bytes());
    file.extend(entries);
    file
}

fn read(file: &[u8]) -> Result<DynamicImage, String> {
    decode(file, &ImageOptions::default()).map_err(|error| error.to_string())
}

/// Width, height, bits, compression, photometric interpretation, samples.
fn kind(values: [&[u32]; 6]) -> Vec<(u16, &[u32])> {
    [256, 257, 258, 259, 262, 277]
        .into_iter()
        .zip(values)
        .collect()
}

fn zlib_stored(bytes: &[u8]) -> Vec<u8> {
    let len = bytes.len() as u16;
    let mut out = vec![0x78, 0x01, 0x01];
    out.extend(len.to_le_bytes());
    out.extend((!len).to_le_bytes());
    out.extend(bytes);
    let (a, b) = bytes.iter().fold((1, 0), |(a, b), byte| {
        let a = (a + u32::from(*byte)) % 65521;
        (a, (b + a) % 65521)
    });
    out.extend((b << 16 | a).to_be_bytes());
    out
}

#[test]
fn a_tile_that_is_much_larger_than_its_picture_is_refused() {
    for compression in [1, 5, 7, 8, 32773] {
        let mut tags = kind([&[1], &[1], &[16], &[0], &[2], &[6]]);
        let value = [compression];
        tags[3].1 = &value;
        tags.extend([(322, &[31999u32][..]), (323, &[31999]), (324, &[8])]);
        let error = read(&tiff(&tags, &[0; 16])).unwrap_err();
        let expected = "blocks of 31999 × 31999 pixels for a picture of 1 × 1";
        assert!(error.contains(expected), "{compression}: {error}");
    }
}

/// Files of a row or two are often written in tiles of the usual size.
#[test]
fn a_tile_of_a_usual_size_is_read() {
    let mut tags = kind([&[1], &[1], &[8], &[32773], &[1], &[1]]);
    tags.extend([(322, &[512u32][..]), (323, &[512]), (324, &[8])]);
    let data = [0x81, 77].repeat(512 * 512 / 128);
    let image = read(&tiff(&tags, &data)).unwrap();
    assert_eq!(image.into_luma8().into_raw(), [77]);
}

/// Strips that are all the same bytes, which go on to the end of the file.
#[test]
fn strips_that_overlap_take_no_time() {
    let count = 100_000;
    let offsets = vec![8; count];
    let height = [count as u32];
    let pixels = zlib_stored(&[5; 8]);
    for (compression, fill_order) in [(7, 1), (8, 1), (8, 2)] {
        let (compression, fill_order) = ([compression], [fill_order]);
        let mut tags = kind([&[8], &height, &[8], &compression, &[1], &[1]]);
        tags.extend([(266, &fill_order[..]), (273, &offsets), (278, &[1])]);
        let mut data = pixels.clone();
        data.resize(1 << 20, 0);
        let file = tiff(&tags, &data);
        let start = Instant::now();
        let error = read(&file).unwrap_err();
        assert!(error.contains("strips or tiles overlap"), "{error}");
        assert!(start.elapsed().as_secs() < 5, "{:?}", start.elapsed());
    }
    // With the length of each, they are read.
    let counts = vec![pixels.len() as u32; count];
    let mut tags = kind([&[8], &height, &[8], &[8], &[1], &[1]]);
    tags.extend([(273, &offsets[..]), (278, &[1]), (279, &counts)]);
    let image = read(&tiff(&tags, &pixels)).unwrap();
    assert!(image.into_luma8().into_raw().iter().all(|grey| *grey == 5));
}

/// Where the file does not say how long strips are, each ends where the next starts.
#[test]
fn strips_without_counts_are_read() {
    let strips = [zlib_stored(&[1; 8]), zlib_stored(&[2; 8])];
    // The second lies before the first.
    let offsets = [8 + strips[1].len() as u32, 8];
    let mut tags = kind([&[8], &[2], &[8], &[8], &[1], &[1]]);
    tags.extend([(273, &offsets[..]), (278, &[1])]);
    let image = read(&tiff(&tags, &[&strips[1][..], &strips[0]].concat())).unwrap();
    let expected = [[1; 8], [2; 8]].concat();
    assert_eq!(image.into_luma8().into_raw(), expected);
}

/// Pillow refuses a wrong checksum, and does without a missing one.
#[test]
fn damaged_deflate_is_refused() {
    let pixels: Vec<u8> = (0..64).collect();
    let packed = zlib_stored(&pixels);
    let file = |packed: &[u8]| {
        let mut tags = kind([&[8], &[8], &[8], &[8], &[1], &[1]]);
        let count = [packed.len() as u32];
        tags.extend([(273, &[8u32][..]), (278, &[8]), (279, &count)]);
        tiff(&tags, packed)
    };
    assert_eq!(
        read(&file(&packed)).unwrap().into_luma8().into_raw(),
        pixels
    );
    for at in 7..packed.len() {
        let mut bad = packed.clone();
        bad[at] ^= 16;
        let error = read(&file(&bad)).unwrap_err();
        assert!(error.contains("a strip or tile is broken"), "{at}: {error}");
    }
    for missing in 1..=4 {
        let cut = &packed[..packed.len() - missing];
        assert_eq!(read(&file(cut)).unwrap().into_luma8().into_raw(), pixels);
    }
    assert!(read(&file(&packed[..packed.len() - 5])).is_err());
}

/// libtiff knows 1 and 2 only; Pillow itself reads what is not packed.
#[test]
fn an_unknown_planar_configuration_is_refused_where_pillow_refuses_it() {
    let pixels = [1, 2, 3];
    for (compression, data) in [(1, pixels.to_vec()), (8, zlib_stored(&pixels))] {
        let compression = [compression];
        let mut tags = kind([&[1], &[1], &[8], &compression, &[2], &[3]]);
        tags.extend([(273, &[8u32][..]), (278, &[1]), (284, &[0])]);
        let read = read(&tiff(&tags, &data));
        if compression == [1] {
            assert_eq!(read.unwrap().into_rgb8().into_raw(), pixels);
        } else {
            let error = read.unwrap_err();
            assert!(error.contains("PlanarConfiguration 0"), "{error}");
        }
    }
}

/// A plane at a time is put into the picture.
#[test]
fn planes_come_together() {
    let planes = [[10, 20], [30, 40], [50, 60], [255, 51]];
    // Photometric interpretation, what the fourth sample is, pixels.
    for (photometric, extra, expected) in [
        (2, 0, [10, 30, 50, 20, 40, 60]),
        (2, 1, [10, 30, 50, 100, 200, 255]),
        (5, 0, [0, 0, 0, 188, 172, 156]),
    ] {
        for bits in [8, 16] {
            let size = bits as usize / 8;
            let value = |v: &u8| [vec![99; size - 1], vec![*v]].concat();
            let data: Vec<u8> = planes.concat().iter().flat_map(value).collect();
            let offsets: Vec<u32> = (0..4).map(|i| 8 + i * 2 * size as u32).collect();
            let (bits, photometric, extra) = ([bits], [photometric], [extra]);
            let mut tags = kind([&[2], &[1], &bits, &[1], &photometric, &[4]]);
            tags.extend([(273, &offsets[..]), (278, &[1]), (284, &[2]), (338, &extra)]);
            let image = read(&tiff(&tags, &data)).unwrap();
            assert_eq!(
                image.into_rgb8().into_raw(),
                expected,
                "{photometric:?} {extra:?}"
            );
        }
    }
}

/// Six planes of 16 bits, of which the picture takes three of 8 bits: it and one
/// plane at a time are in memory.
#[test]
#[cfg(target_os = "linux")]
fn planes_take_the_memory_of_one() {
    let peak = || {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find(|line| line.starts_with("VmHWM:"));
        let kibibytes = line.unwrap().split_whitespace().nth(1).unwrap();
        kibibytes.parse::<u64>().unwrap() >> 10
    };
    let side = 4096;
    let plane = [0x81, 0].repeat(side * side * 2 / 128);
    let (side, count) = ([side as u32], [plane.len() as u32; 6]);
    let mut tags = kind([&side, &side, &[16], &[32773], &[2], &[6]]);
    tags.extend([
        (273, &[8u32; 6][..]),
        (278, &side),
        (279, &count),
        (284, &[2]),
    ]);
    let file = tiff(&tags, &plane);
    let before = peak();
    let image = read(&file).unwrap();
    let taken = peak() - before;
    assert_eq!(image.into_rgb8().into_raw(), vec![0; 3 << 24]);
    // 48 for the picture and 32 for a plane; six planes alone are 192.
    assert!(taken < 128, "{taken} MiB");
}
