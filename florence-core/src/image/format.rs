//! File formats, recognized by their first bytes.

/// The recognized formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Png,
    Jpeg,
    WebP,
    Gif,
    Bmp,
    Tiff,
    /// An image format that is not supported: its name, and the remedy.
    Other(&'static str, &'static str),
    /// Not an image: its name, and the remedy.
    NoPixels(&'static str, &'static str),
}

use Format::{Bmp, Gif, Jpeg, NoPixels, Other, Png, Tiff, WebP};

/// The remedy for a picture that other programs read.
const MAGICK: &str = "convert it first: `magick FILE out.png`";

/// Signatures and their formats. The first match counts.
const STARTS: [(&[u8], Format); 37] = [
    (b"\x89PNG\r\n\x1a\n", Png),
    (b"\xff\xd8\xff", Jpeg),
    (b"GIF87a", Gif),
    (b"GIF89a", Gif),
    (b"II*\0", Tiff),
    (b"MM\0*", Tiff),
    (b"II+\0", Tiff),
    (b"MM\0+", Tiff),
    (b"BM", Bmp),
    (b"\0\0\0\x0cjP  \r\n\x87\n", Other("JPEG 2000", MAGICK)),
    (b"\xff\x4f\xff\x51", Other("JPEG 2000", MAGICK)),
    (
        b"\0\0\0\x0cJXL \r\n\x87\n",
        Other("JPEG XL", "convert it first: `djxl FILE out.png`"),
    ),
    (
        b"\xff\x0a",
        Other("JPEG XL", "convert it first: `djxl FILE out.png`"),
    ),
    (b"II\xbc\x01", Other("JPEG XR", MAGICK)),
    (b"8BPS", Other("PSD", MAGICK)),
    (b"\0\0\x01\0", Other("ICO", MAGICK)),
    (b"\0\0\x02\0", Other("CUR", MAGICK)),
    (b"icns", Other("ICNS", MAGICK)),
    (b"qoif", Other("QOI", MAGICK)),
    (b"farbfeld", Other("farbfeld", MAGICK)),
    (b"DDS ", Other("DDS", MAGICK)),
    (b"v/1\x01", Other("OpenEXR", MAGICK)),
    (b"#?RADIANCE", Other("Radiance HDR", MAGICK)),
    (b"FUJIFILMCCD-RAW", Other("camera raw (RAF)", MAGICK)),
    (b"IIRO", Other("camera raw (ORF)", MAGICK)),
    (b"IIU\0", Other("camera raw (RW2)", MAGICK)),
    (
        b"%PDF-",
        NoPixels("PDF", "convert its pages: `pdftoppm -png -r 150 FILE page`"),
    ),
    (
        b"%!PS",
        NoPixels(
            "PostScript",
            "make a picture of it: `magick -density 150 FILE out.png`",
        ),
    ),
    (
        b"\xc5\xd0\xd3\xc6",
        NoPixels(
            "PostScript",
            "make a picture of it: `magick -density 150 FILE out.png`",
        ),
    ),
    (
        b"<svg",
        NoPixels(
            "SVG",
            "make a picture of it: `rsvg-convert FILE -o out.png`",
        ),
    ),
    (b"PK\x03\x04", NoPixels("ZIP archive", UNPACK)),
    (b"\x1f\x8b", NoPixels("gzip archive", UNPACK)),
    (b"7z\xbc\xaf\x27\x1c", NoPixels("7z archive", UNPACK)),
    (b"Rar!", NoPixels("RAR archive", UNPACK)),
    (b"\x1aE\xdf\xa3", NoPixels("video (Matroska, WebM)", VIDEO)),
    (
        b"version https://git-lfs",
        NoPixels(
            "Git LFS pointer",
            "it stands for the picture: run `git lfs pull`",
        ),
    ),
    (
        b"version https://hawser",
        NoPixels(
            "Git LFS pointer",
            "it stands for the picture: run `git lfs pull`",
        ),
    ),
];

const UNPACK: &str = "unpack it first";
const VIDEO: &str = "extract frames: `ffmpeg -i FILE frame-%04d.png`";

impl Format {
    /// The format of a file, as far as its first bytes tell.
    pub(super) fn of(bytes: &[u8]) -> Option<Self> {
        let start = STARTS.iter().find(|(start, _)| bytes.starts_with(start));
        start
            .map(|(_, format)| *format)
            .or_else(|| riff(bytes))
            .or_else(|| iso_media(bytes))
            .or_else(|| netpbm(bytes))
            .or_else(|| markup(bytes))
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Png => "PNG",
            Jpeg => "JPEG",
            WebP => "WebP",
            Gif => "GIF",
            Bmp => "BMP",
            Tiff => "TIFF",
            Other(name, _) | NoPixels(name, _) => name,
        }
    }

    /// The formats that this build reads, for messages.
    pub(super) fn readable() -> String {
        let formats: Vec<_> = [
            Some(Png),
            Some(Jpeg),
            cfg!(feature = "webp").then_some(WebP),
            cfg!(feature = "gif").then_some(Gif),
            cfg!(feature = "bmp").then_some(Bmp),
            cfg!(feature = "tiff").then_some(Tiff),
        ]
        .into_iter()
        .flatten()
        .map(Format::name)
        .collect();
        let (last, others) = formats.split_last().unwrap_or((&"", &[]));
        format!("{} or {last}", others.join(", "))
    }
}

fn riff(bytes: &[u8]) -> Option<Format> {
    let kind = bytes.strip_prefix(b"RIFF")?.get(4..8)?;
    match kind {
        b"WEBP" => Some(WebP),
        b"AVI " => Some(NoPixels("video (AVI)", VIDEO)),
        _ => None,
    }
}

/// HEIC, AVIF and videos share a container, which begins with its brands.
fn iso_media(bytes: &[u8]) -> Option<Format> {
    let (len, rest) = bytes.split_first_chunk()?;
    let brands = rest.strip_prefix(b"ftyp")?;
    let len = (u32::from_be_bytes(*len) as usize).saturating_sub(8);
    let brands = brands[..len.min(brands.len()).min(256)].as_chunks::<4>().0;
    let has = |names: &[&[u8; 4]]| brands.iter().any(|brand| names.contains(&brand));
    Some(if has(&[b"avif", b"avis"]) {
        Other("AVIF", MAGICK)
    } else if has(&[
        b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1",
    ]) {
        Other("HEIC", "convert it first: `heif-convert FILE out.png`")
    } else if has(&[b"crx "]) {
        Other("camera raw (CR3)", MAGICK)
    } else if has(&[b"jp2 ", b"jpx "]) {
        Other("JPEG 2000", MAGICK)
    } else {
        NoPixels("video (MP4, MOV)", VIDEO)
    })
}

fn netpbm(bytes: &[u8]) -> Option<Format> {
    let [b'P', b'1'..=b'7' | b'F' | b'f', space, ..] = bytes else {
        return None;
    };
    space.is_ascii_whitespace().then_some(Other("PNM", MAGICK))
}

/// HTML pages saved in a picture's place, and SVG after its prolog.
fn markup(bytes: &[u8]) -> Option<Format> {
    let start = &bytes[..bytes.len().min(1024)];
    let text = String::from_utf8_lossy(start).to_lowercase();
    let text = text.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
    if text.starts_with("<!doctype html") || text.starts_with("<html") {
        return Some(NoPixels("web page", "download the picture itself"));
    }
    let xml = text.starts_with('<');
    (xml && text.contains("<svg")).then_some(NoPixels(
        "SVG",
        "make a picture of it: `rsvg-convert FILE -o out.png`",
    ))
}
