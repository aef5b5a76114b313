//! Where a file may say how its picture is turned, as Pillow's
//! `ImageOps.exif_transpose` looks for it.

use florence_core::image::{ImageFile, ImageNote, ImageOptions};

/// The EXIF value that the note on a file gives.
fn stored_turned(file: &[u8]) -> Option<u8> {
    let read = ImageFile::decode(file, &ImageOptions::default()).unwrap();
    let upright = ImageOptions::new().apply_exif_orientation(true);
    let turned = ImageFile::decode(file, &upright).unwrap();
    assert!(turned.notes.is_empty());
    match &*read.notes {
        [] => None,
        [ImageNote::StoredTurned { exif_orientation }] => Some(*exif_orientation),
        other => panic!("{other:?}"),
    }
}

/// A TIFF header with the tag Orientation alone.
fn exif(value: u8) -> Vec<u8> {
    let start = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0";
    [start.as_slice(), &[value, 0, 0, 0], &[0; 4]].concat()
}

fn xmp(value: u8) -> Vec<u8> {
    format!("<x tiff:Orientation=\"{value}\"/>").into_bytes()
}

mod png {
    use super::*;

    fn chunk(name: &[u8; 4], data: &[u8]) -> Vec<u8> {
        let body = [name, data].concat();
        let crc = crc32fast::hash(&body).to_be_bytes();
        [&(data.len() as u32).to_be_bytes(), &*body, &crc].concat()
    }

    /// A zlib stream without compression.
    fn zlib(data: &[u8]) -> Vec<u8> {
        let mut stream = vec![0x78, 1];
        let blocks = data.chunks(0xffff);
        let last = blocks.len().saturating_sub(1);
        for (at, block) in blocks.enumerate() {
            let len = block.len() as u16;
            stream.push(u8::from(at == last));
            stream.extend([len.to_le_bytes(), (!len).to_le_bytes()].concat());
            stream.extend_from_slice(block);
        }
        let (a, b) = data.iter().fold((1u32, 0u32), |(a, b), byte| {
            let a = (a + u32::from(*byte)) % 65_521;
            (a, (a + b) % 65_521)
        });
        stream.extend((b << 16 | a).to_be_bytes());
        stream
    }

    /// Two grey pixels with chunks in front of them and behind.
    fn file(front: &[Vec<u8>], behind: &[Vec<u8>]) -> Vec<u8> {
        [
            b"\x89PNG\r\n\x1a\n".to_vec(),
            chunk(b"IHDR", b"\0\0\0\x02\0\0\0\x01\x08\0\0\0\0"),
            front.concat(),
            chunk(b"IDAT", &zlib(b"\0\x10\x20")),
            behind.concat(),
            chunk(b"IEND", b""),
        ]
        .concat()
    }

    fn itxt(packed: bool, text: &[u8]) -> Vec<u8> {
        let start = b"XML:com.adobe.xmp\0";
        let text = if packed { zlib(text) } else { text.to_vec() };
        let data = [start.as_slice(), &[u8::from(packed), 0, 0, 0], &text].concat();
        chunk(b"iTXt", &data)
    }

    /// What ImageMagick writes.
    fn raw_profile(value: u8, packed: bool) -> Vec<u8> {
        let profile = [b"Exif\0\0".to_vec(), exif(value)].concat();
        let mut text = format!("\nexif\n{:8}\n", profile.len());
        for line in profile.chunks(9) {
            text.extend(line.iter().map(|byte| format!("{byte:02x}")));
            text.push('\n');
        }
        let start = b"Raw profile type exif\0";
        if packed {
            let data = [start.as_slice(), b"\0", &zlib(text.as_bytes())].concat();
            chunk(b"zTXt", &data)
        } else {
            chunk(b"tEXt", &[start, text.as_bytes()].concat())
        }
    }

    #[test]
    fn each_place_is_read() {
        for place in [
            chunk(b"eXIf", &exif(6)),
            raw_profile(6, false),
            raw_profile(6, true),
            itxt(false, &xmp(6)),
            itxt(true, &xmp(6)),
            chunk(b"tEXt", &[b"XML:com.adobe.xmp\0".to_vec(), xmp(6)].concat()),
        ] {
            let name = String::from_utf8_lossy(&place[4..8]).into_owned();
            let place = [place];
            assert_eq!(stored_turned(&file(&place, &[])), Some(6), "{name}");
            assert_eq!(stored_turned(&file(&[], &place)), Some(6), "{name}");
        }
    }

    #[test]
    fn exif_comes_before_its_text_and_both_before_xmp() {
        let (text, xmp) = (raw_profile(3, true), itxt(false, &xmp(8)));
        let exif = chunk(b"eXIf", &exif(6));
        let all = [xmp.clone(), text.clone(), exif];
        assert_eq!(stored_turned(&file(&all, &[])), Some(6));
        assert_eq!(stored_turned(&file(&[xmp], &[text])), Some(3));
    }

    #[test]
    fn broken_and_endless_texts_say_nothing() {
        let mut long = xmp(6);
        long.resize((1 << 20) + 1, b' ');
        assert_eq!(stored_turned(&file(&[itxt(true, &long)], &[])), None);
        long.pop();
        assert_eq!(stored_turned(&file(&[itxt(true, &long)], &[])), Some(6));
        for text in [
            &b"Raw profile type exif\0\nexif\n 2\nzz\n"[..],
            b"Raw profile type exif\0\nexif\n",
            b"Raw profile type exif\0",
            b"Raw profile type exif",
            b"",
        ] {
            let text = chunk(b"tEXt", text);
            assert_eq!(stored_turned(&file(&[text], &[])), None);
        }
        for data in [
            &b"XML:com.adobe.xmp\0"[..],
            b"XML:com.adobe.xmp\0\x01\0\0\0",
        ] {
            let text = chunk(b"iTXt", data);
            assert_eq!(stored_turned(&file(&[text], &[])), None);
        }
    }
}
