//! What Pillow reads of a file before it calls libjpeg: the segments up to the
//! first scan. It refuses some files there, and finds the EXIF and XMP data.

use crate::error::Error;

/// The metadata of a file that Pillow opens.
pub(crate) fn read(bytes: &[u8]) -> Result<Metadata<'_>, Error> {
    if !bytes.starts_with(&[0xff, 0xd8, 0xff]) {
        return Err(Error::NoScan);
    }
    let mut metadata = Metadata::default();
    let mut at = 2;
    loop {
        let code = next_marker(bytes, &mut at)?;
        match code {
            // Pillow takes these for markers without a segment.
            0xc8 | 0xd0..=0xd9 | 0xf0..=0xfd => continue,
            0xc0..=0xfe => {}
            _ => return Err(Error::Marker(code)),
        }
        let length = bytes.get(at..at + 2).ok_or(Error::CutOff)?;
        let length = usize::from(u16::from_be_bytes([length[0], length[1]])).max(2);
        let segment = bytes.get(at + 2..at + length).ok_or(Error::CutOff)?;
        at += length;
        metadata.add(code, segment)?;
        if code == 0xda {
            return if metadata.frame {
                Ok(metadata)
            } else {
                Err(Error::NoFrame)
            };
        }
    }
}

/// The second byte of the next marker; skips anything before it.
fn next_marker(bytes: &[u8], at: &mut usize) -> Result<u8, Error> {
    loop {
        let rest = bytes.get(*at..).ok_or(Error::CutOff)?;
        *at += rest.iter().position(|b| *b == 0xff).ok_or(Error::CutOff)?;
        while bytes.get(*at) == Some(&0xff) {
            *at += 1;
        }
        let code = *bytes.get(*at).ok_or(Error::CutOff)?;
        *at += 1;
        if code != 0 {
            return Ok(code);
        }
    }
}

/// Metadata of the segments before the first scan.
#[derive(Default)]
pub(crate) struct Metadata<'a> {
    frame: bool,
    /// The contents of the EXIF segments, without the identifier.
    pub(crate) exif: Vec<&'a [u8]>,
    pub(crate) xmp: &'a [u8],
    /// The segments of the ICC profile.
    profile: Vec<&'a [u8]>,
}

impl<'a> Metadata<'a> {
    fn add(&mut self, code: u8, segment: &'a [u8]) -> Result<(), Error> {
        const XMP: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";
        let wrong = Err(Error::Segment(code));
        match code {
            0xc0..=0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf | 0xde => {
                let [precision, _, _, _, _, count, ..] = *segment else {
                    return wrong;
                };
                if precision != 8 {
                    return Err(Error::Precision(precision));
                }
                if !matches!(count, 1 | 3 | 4) {
                    return Err(Error::Components(count));
                }
                // Pillow sorts the segments and reads the sequence number of the
                // first one.
                if (self.profile.drain(..).min()).is_some_and(|first| first.len() < 14) {
                    return wrong;
                }
                self.frame = true;
            }
            0xe0 if segment.starts_with(b"JFIF") && segment.len() < 7 => return wrong,
            0xee if segment.starts_with(b"Adobe") && segment.len() < 7 => return wrong,
            0xe1 if segment.starts_with(b"Exif\0\0") => self.exif.push(&segment[6..]),
            0xe1 if segment.starts_with(XMP) => self.xmp = &segment[XMP.len()..],
            0xe2 if segment.starts_with(b"ICC_PROFILE\0") => self.profile.push(segment),
            0xed if segment.starts_with(b"Photoshop 3.0\0") && ends_in_a_name(segment) => {
                return wrong;
            }
            _ => {}
        }
        Ok(())
    }
}

/// Whether the resource blocks of a Photoshop segment end where the length of a
/// name must come, at which Pillow fails.
fn ends_in_a_name(segment: &[u8]) -> bool {
    let mut at = 14;
    while segment.get(at..at + 4) == Some(b"8BIM") {
        at += 6;
        if at > segment.len() {
            return false;
        }
        let Some(name) = segment.get(at) else {
            return true;
        };
        at += 1 + usize::from(*name);
        at += at & 1;
        let Some(size) = segment.get(at..at + 4) else {
            return false;
        };
        let size = u32::from_be_bytes([size[0], size[1], size[2], size[3]]);
        at = at.saturating_add(4).saturating_add(size as usize);
        at = at.saturating_add(at & 1);
        if at >= segment.len() {
            return false;
        }
    }
    false
}
