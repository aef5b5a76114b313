//! Run-length decoding of indices.

use super::Refusal;

/// Decodes the runs that start at `from` to one index per byte, rows in the order of the file. As
/// in Pillow, a picture whose runs end early is refused.
pub(super) fn unpack(
    bytes: &[u8],
    from: usize,
    (width, height): (usize, usize),
    nibbles: bool,
) -> Result<Vec<u8>, Refusal> {
    let all = width * height;
    let mut out = Vec::new();
    let mut x = 0;
    let mut at = from;
    while out.len() < all {
        let Some(&[count, value]) = bytes.get(at..).and_then(<[u8]>::first_chunk::<2>) else {
            break;
        };
        at += 2;
        let count = usize::from(count);
        match (count, value) {
            (0, 0) => {
                out.resize(out.len().next_multiple_of(width), 0);
                x = 0;
            }
            (0, 1) => break,
            (0, 2) => {
                let Some(&[right, up]) = bytes.get(at..).and_then(<[u8]>::first_chunk::<2>) else {
                    break;
                };
                at += 2;
                let skipped = usize::from(right) + usize::from(up) * width;
                out.resize(all.min(out.len() + skipped), 0);
                x = out.len() % width;
            }
            (0, literal) => {
                let wanted = usize::from(literal).min(all - out.len());
                let size = if nibbles { wanted.div_ceil(2) } else { wanted };
                let rest = bytes.get(at..).unwrap_or_default();
                let stored = &rest[..size.min(rest.len())];
                at += stored.len();
                if nibbles {
                    let pairs = stored.iter().flat_map(|byte| [byte >> 4, byte & 15]);
                    out.extend(pairs.take(wanted));
                } else {
                    out.extend_from_slice(stored);
                }
                if stored.len() < size {
                    break;
                }
                x += usize::from(literal);
                at += at % 2;
            }
            (count, value) => {
                let count = count.min(width.saturating_sub(x));
                if nibbles {
                    let pair = [value >> 4, value & 15];
                    out.extend(pair.into_iter().cycle().take(count));
                } else {
                    out.resize(out.len() + count, value);
                }
                x += count;
            }
        }
    }
    if out.len() < all {
        return Err("its runs end early".into());
    }
    Ok(out)
}
