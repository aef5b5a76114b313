//! JPEGs of unusual kinds, and damaged ones: Pillow's pixels and a note, or
//! refused as Pillow refuses them.

mod common;

use common::sha256::sha256;
use common::{read_data, read_json};
use florence_core::Error;
use florence_core::image::{ImageFile, ImageNote, ImageOptions, decode, to_rgb};
use serde_json::Value;

fn read(bytes: &[u8]) -> Result<ImageFile, Error> {
    ImageFile::decode(bytes, &ImageOptions::default())
}

fn damage(file: &ImageFile) -> Option<(&str, Option<u32>)> {
    file.notes.iter().find_map(|note| match note {
        ImageNote::Damaged { what, from_row } => Some((what.as_str(), *from_row)),
        _ => None,
    })
}

/// A file of the test data with one edit: where, how many bytes go, what comes.
fn edited(case: &Value) -> Vec<u8> {
    let number = |key: &str| case[key].as_u64().unwrap() as usize;
    let insert = case["insert"].as_str().unwrap();
    let insert: Vec<u8> = (0..insert.len())
        .step_by(2)
        .map(|i| u8::from_str_radix(&insert[i..i + 2], 16).unwrap())
        .collect();
    let mut file = read_data(case["image"].as_str().unwrap());
    let at = number("at");
    file.splice(at..at + number("remove"), insert);
    file
}

/// Regenerate: `tools/reference/jpeg_damage.py goldens`.
#[test]
fn damaged_jpegs_equal_pillow() {
    let golden = read_json("golden_jpeg_damage.json");
    let (mut recovered, mut refused) = (0, 0);
    for case in golden.as_array().unwrap() {
        let file = edited(case);
        let Some(theirs) = case["pixels"].as_str() else {
            let error = read(&file).map(|_| ()).unwrap_err();
            assert!(matches!(error, Error::Image { .. }), "{error}: {case}");
            refused += 1;
            continue;
        };
        let ours = read(&file).unwrap_or_else(|error| panic!("{error}: {case}"));
        let rgb = to_rgb(&ours.image);
        let pixels = format!("{}x{} {}", rgb.width(), rgb.height(), sha256(rgb.as_raw()));
        assert_eq!(pixels, theirs, "{case}");
        // libjpeg warns of all damage that it meets, but not of what is absent.
        let beside = ["scans are missing", "no end-of-image marker"];
        match damage(&ours) {
            Some((what, _)) => {
                let warned = case["warned"] == true || beside.contains(&what);
                assert!(warned, "{what}: {case}");
                assert!(decode(&file, &ImageOptions::default()).is_err(), "{case}");
            }
            None => assert_eq!(case["warned"], false, "{case}"),
        }
        recovered += usize::from(case["warned"] == true);
    }
    assert!(recovered > 40 && refused > 40, "{recovered} {refused}");
}

#[test]
fn damage_is_described() {
    let said = |file: &[u8]| {
        let file = read(file).unwrap();
        let (what, row) = damage(&file).unwrap();
        (what.to_owned(), row)
    };
    // The end of the data cut off and the end marker put back.
    let photo = read_data("photos/rocket.jpg");
    assert!(read(&photo).unwrap().notes.is_empty());
    let mut cut = photo[..photo.len() * 6 / 10].to_vec();
    cut.extend([0xff, 0xd9]);
    let (what, row) = said(&cut);
    assert_eq!(what, "the data ends early");
    let row = row.unwrap();
    assert!((100..420).contains(&row), "{row}");
    let (whole, part) = (read(&photo).unwrap().image, read(&cut).unwrap().image);
    let width = whole.width() as usize * 3;
    let same = row as usize * width;
    assert_eq!(whole.as_bytes()[..same], part.as_bytes()[..same]);
    assert_ne!(whole.as_bytes()[same..], part.as_bytes()[same..]);

    // One restart marker lost: the interval before it is the first in doubt.
    let file = read_data("jpeg/noise_rst.jpg");
    let markers: Vec<usize> = (0..file.len() - 1)
        .filter(|at| file[*at] == 0xff && (0xd0..=0xd7).contains(&file[at + 1]))
        .collect();
    let mut lost = file.clone();
    let middle = markers[markers.len() / 2];
    lost.drain(middle..middle + 2);
    let (what, row) = said(&lost);
    assert!(
        what.contains("1 restart marker missing or out of order"),
        "{what}"
    );
    assert!(row.is_some_and(|row| row > 0), "{row:?}");

    // What cameras leave behind the end is no damage, a lost end is.
    let mut longer = file.clone();
    longer.extend([0; 1000]);
    assert!(read(&longer).unwrap().notes.is_empty());
    longer.drain(file.len() - 2..file.len());
    assert_eq!(said(&longer).0, "no end-of-image marker");

    // A progressive file's later scans.
    let (what, row) = said(&read_data("jpeg_kinds/means.jpg"));
    assert_eq!((what.as_str(), row), ("scans are missing", Some(0)));
}

#[test]
fn refusals_say_why() {
    let file = read_data("jpeg/noise_2.jpg");
    let header = (0..file.len() - 1)
        .find(|at| file[*at..at + 2] == [0xff, 0xc0])
        .unwrap();
    let changed = |at: usize, value: u8| {
        let mut file = file.clone();
        file[header + at] = value;
        read(&file).map(|_| ()).unwrap_err().to_string()
    };
    let unread = "image: unsupported JPEG";
    assert_eq!(
        changed(4, 12),
        format!("{unread}: 12 bits in each channel, expected 8")
    );
    assert_eq!(
        changed(9, 2),
        format!("{unread}: 2 components, expected 1, 3 or 4")
    );
    assert_eq!(
        changed(1, 0xc3),
        format!("{unread}: lossless coding; save it as baseline or progressive")
    );
    assert_eq!(
        changed(14, 0x33),
        format!("{unread}: sampling factors that are not 1 to 4 or do not divide the largest")
    );
    assert_eq!(
        changed(12, 9),
        "image: damaged JPEG: the quantization table 9 is missing"
    );
    let mut bomb = file.clone();
    bomb[header + 5..header + 9].copy_from_slice(&[0xff, 0xdc, 0xff, 0xdc]);
    assert_eq!(
        read(&bomb).map(|_| ()).unwrap_err().to_string(),
        "image: JPEG of 65500 × 65500 pixels, expected 1 to 256000000 in all"
    );
}
