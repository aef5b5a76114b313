//! Image preparation against Pillow: every byte, every pixel format, every
//! damaged file.

mod common;

use std::path::PathBuf;

use common::sha256::sha256;
use common::{data, outside, read_data, read_json};
use florence_core::image::{ImageOptions, decode, load_image, prepare, resize, to_rgb};
use florence_core::{Error, ErrorKind, ImagePreparation, InputSize};
use image::{DynamicImage, Rgb, RgbImage};
use serde_json::Value;

#[test]
fn the_hash_is_the_published_one() {
    assert_eq!(
        sha256(b"abc"),
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    );
}

fn number(value: &Value) -> usize {
    value.as_u64().unwrap() as usize
}

fn made_up(kind: &str, width: u32, height: u32, seed: u32) -> RgbImage {
    if kind == "noise" {
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        return RgbImage::from_fn(width, height, |_, _| Rgb([next(), next(), next()]));
    }
    RgbImage::from_fn(width, height, |x, y| {
        let red = (x * 7 + y * 3 + seed) % 256;
        let green = (x * y / 5 + seed) % 256;
        let blue = (x / 4 + y / 4) % 2 * 255;
        Rgb([red as u8, green as u8, blue as u8])
    })
}

/// Regenerate: for each case, `Image.fromarray(image).resize((side, side),
/// Image.BICUBIC)` of Pillow 13 and the SHA-256 of its bytes.
#[test]
fn odd_sizes_equal_pillow_byte_for_byte() {
    let golden = read_json("golden_resize.json");
    let cases = golden["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 105);
    for case in cases {
        let of = |key: &str| number(&case[key]) as u32;
        let image = made_up(
            case["kind"].as_str().unwrap(),
            of("width"),
            of("height"),
            of("seed"),
        );
        let resized = resize(&image, InputSize::square(number(&case["side"]))).unwrap();
        assert_eq!(
            sha256(resized.as_raw()),
            case["sha256"].as_str().unwrap(),
            "{case}"
        );
    }
}

fn synthetic(description: &str) -> RgbImage {
    if description.starts_with("synthetic 7x5") {
        RgbImage::from_fn(7, 5, |x, y| {
            Rgb([
                (x * 255 / 6) as u8,
                (y * 255 / 4) as u8,
                ((x * 37 + y * 91) % 256) as u8,
            ])
        })
    } else {
        RgbImage::from_fn(1500, 1000, |x, y| {
            Rgb([
                ((7 * x + 3 * y) % 256) as u8,
                (x * y / 97 % 256) as u8,
                ((x / 50 + y / 50) % 2 * 255) as u8,
            ])
        })
    }
}

/// Compares the images whose files `find` has; returns how many there were.
fn compare_photos(find: impl Fn(&str) -> Option<PathBuf>) -> usize {
    let golden = read_json("golden_preprocess.json");
    let mut exact = 0;
    for case in golden["images"].as_array().unwrap() {
        let name = case["image"].as_str().unwrap();
        let image = if name.starts_with("synthetic") {
            DynamicImage::ImageRgb8(synthetic(name))
        } else {
            let Some(path) = find(name) else { continue };
            load_image(path, &ImageOptions::default()).unwrap()
        };
        let rgb = to_rgb(&image);
        assert_eq!(
            sha256(rgb.as_raw()),
            case["sha256_input_rgb8"].as_str().unwrap(),
            "{name}"
        );
        let resized = resize(&rgb, InputSize::square(768)).unwrap();
        assert_eq!(
            sha256(resized.as_raw()),
            case["sha256_resized_rgb8_768"].as_str().unwrap(),
            "{name}"
        );
        exact += 1;
        let pixels = prepare(&[&rgb], &ImagePreparation::default()).unwrap();
        assert_eq!(pixels.dims(), [1, 3, 768, 768]);
        let pixels: Vec<f32> = pixels.flatten_all().unwrap().to_vec1().unwrap();
        for sample in case["samples"].as_array().unwrap() {
            let theirs = sample[1].as_f64().unwrap() as f32;
            assert_eq!(
                pixels[number(&sample[0])],
                theirs,
                "{name} at {}",
                sample[0]
            );
        }
    }
    exact
}

#[test]
fn golden_photos() {
    let shipped = |name: &str| Some(data(&format!("photos/{name}"))).filter(|path| path.exists());
    let exact = compare_photos(shipped);
    assert_eq!(exact, 6);
}

#[test]
#[ignore = "reads fixtures that are not in the repository, from the folder FLORENCE_FIXTURES"]
fn golden_photos_outside() {
    let exact = compare_photos(|name| Some(outside(&format!("photos/{name}"))));
    assert_eq!(exact, 7);
}

fn hex(value: &Value) -> Vec<u8> {
    let text = value.as_str().unwrap();
    (0..text.len())
        .step_by(2)
        .map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap())
        .collect()
}

/// Regenerate: `Image.open(file).convert("RGB").tobytes()` of Pillow 13.
#[test]
fn every_pixel_format_equals_pillow() {
    let golden = read_json("golden_modes.json");
    let cases = golden["images"].as_array().unwrap();
    assert_eq!(cases.len(), 26);
    for case in cases {
        let name = case["image"].as_str().unwrap();
        let image = load_image(data(&format!("modes/{name}")), &ImageOptions::default()).unwrap();
        assert_eq!(to_rgb(&image).as_raw(), &hex(&case["rgb"]), "{name}");
    }
}

/// Regenerate: `ImageOps.exif_transpose(Image.open(file)).convert("RGB")`.
#[test]
fn exif_orientation_is_an_option() {
    let options = ImageOptions::new().apply_exif_orientation(true);
    for case in read_json("golden_exif.json").as_array().unwrap() {
        let name = case["image"].as_str().unwrap();
        let path = data(&format!("exif/{name}"));
        let image = load_image(&path, &options).unwrap();
        let size = [image.width() as usize, image.height() as usize];
        assert_eq!(
            size,
            [number(&case["size"][0]), number(&case["size"][1])],
            "{name}"
        );
        assert_eq!(to_rgb(&image).as_raw(), &hex(&case["rgb"]), "{name}");
        // Off, the image stays as it is stored.
        let stored = load_image(&path, &ImageOptions::default()).unwrap();
        let turned = ["5", "6", "7", "8"]
            .iter()
            .any(|n| name.contains(&format!("orientation{n}")));
        assert_eq!(stored.width() == image.width(), !turned, "{name}");
    }
}

#[test]
fn a_batch_is_its_images() {
    let (a, b) = (made_up("noise", 40, 30, 1), made_up("smooth", 9, 90, 2));
    let mut preparation = ImagePreparation::default();
    preparation.resize = Some(InputSize::square(32));
    let both = prepare(&[&a, &b], &preparation).unwrap();
    assert_eq!(both.dims(), [2, 3, 32, 32]);
    for (i, image) in [a, b].iter().enumerate() {
        let alone = prepare(&[image], &preparation).unwrap();
        let values =
            |t: &candle_core::Tensor| -> Vec<f32> { t.flatten_all().unwrap().to_vec1().unwrap() };
        assert_eq!(values(&both.get(i).unwrap()), values(&alone));
    }
}

#[test]
fn impossible_preparations_are_refused() {
    let image = RgbImage::new(4, 4);
    let refusal = |change: fn(&mut ImagePreparation)| {
        let mut preparation = ImagePreparation::default();
        change(&mut preparation);
        let error = prepare(&[&image], &preparation).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Argument);
        error.to_string()
    };
    assert_eq!(
        refusal(|p| p.resize = Some(InputSize::square(0))),
        "argument `preparation.resize` is 0x0, expected sides of 1 to 4096 pixels"
    );
    refusal(|p| p.resize = Some(InputSize::square(usize::MAX)));
    refusal(|p| p.std[1] = 0.0);
    refusal(|p| p.mean[2] = f64::NAN);
    refusal(|p| p.rescale = f64::INFINITY);
    assert!(prepare(&[], &ImagePreparation::default()).is_err());
    assert!(resize(&image, InputSize::square(5000)).is_err());
    let empty = prepare(&[&RgbImage::new(0, 7)], &ImagePreparation::default()).unwrap_err();
    assert_eq!(
        empty.to_string(),
        "image: 0 × 7 pixels, expected sides of 1 to 1048576"
    );
}

fn refusal(bytes: &[u8]) -> String {
    match decode(bytes, &ImageOptions::default()) {
        Err(error) if error.kind() == ErrorKind::Image => error.to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_no_image_says_so() {
    assert_eq!(refusal(b""), "image: an empty file");
    let formats = [
        (true, "PNG"),
        (true, "JPEG"),
        (cfg!(feature = "webp"), "WebP"),
        (cfg!(feature = "gif"), "GIF"),
        (cfg!(feature = "bmp"), "BMP"),
        (cfg!(feature = "tiff"), "TIFF"),
    ];
    let formats: Vec<_> = formats.iter().filter(|f| f.0).map(|f| f.1).collect();
    let (last, others) = formats.split_last().unwrap();
    let formats = format!("{} or {last}", others.join(", "));
    assert_eq!(
        refusal(b"once upon a time there was no image"),
        format!("image: not an image, or of an unknown format; expected {formats}")
    );
    let message = refusal(b"GIF89a\x01\x00\x01\x00\x00\x00\x00;");
    let expected = if cfg!(feature = "gif") {
        "image: GIF that is damaged or cut off: no picture in it".to_owned()
    } else {
        format!(
            "image: GIF that this program cannot read (built without its feature `gif`); expected {formats}"
        )
    };
    assert_eq!(message, expected);
    let error = load_image("no/such/image.png", &ImageOptions::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    let error = load_image(data("golden_exif.json"), &ImageOptions::default()).unwrap_err();
    assert!(
        error.to_string().contains("golden_exif.json: not an image"),
        "{error}"
    );
}

#[test]
fn cut_off_files_are_refused_at_every_length() {
    for name in [
        "modes/rgba16.png",
        "modes/palette2_trns.png",
        "exif/orientation6.jpg",
        "exif/cmyk.jpg",
    ] {
        let file = read_data(name);
        for len in 0..file.len() {
            let cut = decode(&file[..len], &ImageOptions::default());
            // The last chunk of a PNG holds nothing of the image.
            if name.ends_with(".png") && len >= file.len() - 12 {
                continue;
            }
            assert!(
                matches!(cut, Err(Error::Image { .. })),
                "{name} cut to {len}"
            );
        }
    }
    let file = read_data("photos/rocket.jpg");
    for part in [2, 3, 10] {
        let message = refusal(&file[..file.len() - file.len() / part]);
        assert_eq!(message, "image: truncated JPEG: no end-of-image marker");
    }
}

#[test]
fn damage_never_panics() {
    for name in [
        "modes/rgb8.png",
        "modes/grey4_trns.png",
        "exif/orientation1.jpg",
        "exif/grey.jpg",
    ] {
        let file = read_data(name);
        for at in 0..file.len() {
            for flip in [0x01, 0x80, 0xff] {
                let mut bad = file.clone();
                bad[at] ^= flip;
                let _ = decode(&bad, &ImageOptions::default());
            }
        }
    }
}

/// A PNG that says it is larger than it can be.
fn huge_png(width: u32, height: u32) -> Vec<u8> {
    let mut file = read_data("modes/rgb8.png");
    file[16..20].copy_from_slice(&width.to_be_bytes());
    file[20..24].copy_from_slice(&height.to_be_bytes());
    let crc = crc32(&file[12..29]);
    file[29..33].copy_from_slice(&crc.to_be_bytes());
    file
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg())
        })
    })
}

#[test]
fn decompression_bombs_are_refused_before_they_are_decoded() {
    assert_eq!(
        refusal(&huge_png(100_000, 100_000)),
        "image: PNG of 100000 × 100000 pixels, expected 1 to 256000000 in all"
    );
    refusal(&huge_png(0x7fff_ffff, 0x7fff_ffff));
    refusal(&huge_png(0xffff_ffff, 1));
    refusal(&huge_png(0, 0));
    let options = ImageOptions::new().max_pixels(10);
    for (file, format) in [("modes/rgb8.png", "PNG"), ("exif/grey.jpg", "JPEG")] {
        let error = decode(&read_data(file), &options).unwrap_err();
        let Error::ImageTooLarge {
            width,
            height,
            max_pixels: 10,
            ..
        } = error
        else {
            panic!("{error}");
        };
        assert_eq!(
            error.to_string(),
            format!("image: {format} of {width} × {height} pixels, expected 1 to 10 in all")
        );
    }
}
