//! PNG as Pillow reads it, damaged files included.
//!
//! Everything before the pixels has to be valid. After that Pillow is lenient: checksums of the
//! pixels' chunks are not verified, the compressed stream may end with any complete row (what is
//! missing is black), and nothing has to follow the last row. Each of these is read here too, as
//! damage.

mod chunks;
mod header;
mod lines;
mod pixels;
mod stream;
mod text;

use self::chunks::{Chunk, Chunks};
use self::header::Header;
use self::lines::Lines;
use self::pixels::Canvas;
use self::stream::Stream;
use super::decoded::{Damage, Decoded, Refusal};

/// Reads a PNG of at most `max_pixels`.
pub(super) fn read(bytes: &[u8], max_pixels: u64) -> Result<Decoded, Refusal> {
    let mut chunks = Chunks::after_signature(bytes);
    let mut header = Header::default();
    let first = loop {
        let chunk = chunks.next().ok_or("the file ends before its pixels")??;
        match &chunk.name {
            // Pillow treats pixels before their header as an unknown chunk.
            b"IDAT" if header.has_mode() => break chunk,
            b"fdAT" => break header.frame_data(chunk)?,
            b"IEND" => return Err("no pixels (IDAT) before the end (IEND)".into()),
            _ => header.take(&chunk)?,
        }
        if chunk.checksum() != Some(true) {
            return Err(format!("the checksum of {chunk} is wrong").into());
        }
    };
    let layout = header.layout()?;
    Refusal::unless_fits(layout.width.into(), layout.height.into(), max_pixels)?;
    let animated = header.is_animated();
    let mut canvas = Canvas::new(layout)?;
    let mut stream = Stream::new(chunks, first);
    let mut damage = fill(&mut canvas, &mut stream, &mut header)?;
    if !rest(stream.into_chunks(), &mut header, animated)? && damage.is_none() {
        damage = Some(Damage {
            what: "the file ends before its end chunk (IEND)".into(),
            from_row: None,
        });
    }
    Ok(Decoded {
        image: canvas.into_image().ok_or("too large")?,
        orientation: header.orientation(),
        damage,
    })
}

/// Decompresses the pixels, row by row and block by block as Pillow does: whether a stream that
/// ends early is accepted depends on the boundaries of its blocks.
fn fill(
    canvas: &mut Canvas,
    stream: &mut Stream,
    header: &mut Header,
) -> Result<Option<Damage>, String> {
    let mut lines = Lines::new(&canvas.layout);
    let mut inflate = zlib_rs::Inflate::new(true, 15);
    let mut damage = None;
    let mut filled = 0;
    loop {
        let Some(block) = stream.block(header)? else {
            return Err("the pixels end early".into());
        };
        if block.bad_checksum && damage.is_none() {
            damage = Some(Damage {
                what: "the checksum of its pixels (IDAT) is wrong".into(),
                from_row: Some(lines.first_open_row()),
            });
        }
        let mut input = block.bytes;
        while !input.is_empty() {
            let (before_in, before_out) = (inflate.total_in(), inflate.total_out());
            let status = inflate
                .decompress(
                    input,
                    &mut lines.buffer()[filled..],
                    zlib_rs::InflateFlush::NoFlush,
                )
                .map_err(|error| {
                    format!("the compressed pixels are broken ({})", error.as_str())
                })?;
            input = &input[(inflate.total_in() - before_in) as usize..];
            filled += (inflate.total_out() - before_out) as usize;
            if filled < lines.buffer().len() {
                break;
            }
            filled = 0;
            canvas.put(&lines.place(), lines.unfilter()?);
            if !lines.advance() {
                return Ok(damage);
            }
            if status == zlib_rs::Status::StreamEnd {
                return Ok(Some(Damage {
                    what: "the pixels end early".into(),
                    from_row: Some(lines.first_open_row()),
                }));
            }
        }
    }
}

/// Reads what follows the pixels, which may include their orientation. Returns whether the end was
/// found.
fn rest<'a>(chunks: Chunks<'a>, header: &mut Header<'a>, animated: bool) -> Result<bool, String> {
    for chunk in chunks {
        // Pillow treats an invalid chunk as the end.
        let Ok(chunk) = chunk else { return Ok(false) };
        match &chunk.name {
            b"IEND" => return Ok(true),
            b"fcTL" if animated => return Ok(true),
            b"fdAT" => {
                header.frame_data(chunk)?.whole()?;
            }
            b"IDAT" => {
                chunk.whole()?;
            }
            _ => header.take(&chunk)?,
        }
    }
    Ok(false)
}
