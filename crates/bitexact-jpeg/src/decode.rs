//! JPEG as Pillow's decoder reads it, to the bit.
//!
//! The standard leaves rounding to the decoder, and what becomes of damaged
//! files too. What the network was trained on, and what the reference shows
//! it, is libjpeg-turbo's: the integer DCT of `jidctint.c`, the triangle filter
//! of `jdsample.c`, the colour conversion of `jdcolor.c`, the recovery of
//! `jdmarker.c` and `jdhuff.c`, the smoothing of `jdcoefct.c`. They are written
//! anew here, with Pillow's way of handing over the file and its conversion of
//! inks. Read are the kinds that Pillow reads, but for lossless coding.
//!
//! Data flows from [`source`] through [`segments`] and [`pass`] into blocks of
//! coefficients, from there through [`dct`] into planes of samples
//! ([`upsample`]), and into colours.

mod annex_k;
mod arithmetic;
mod bits;
mod color;
mod dct;
mod decisions;
mod fault;
mod frame;
mod huffman;
mod huffman_scan;
mod opening;
mod pass;
mod progress;
mod scan;
mod segments;
mod signs;
mod smooth;
mod source;
mod tables;
mod unit;
mod upsample;

use image::{DynamicImage, GrayImage, RgbImage};
use rayon::prelude::*;

use super::decoded::Decoded;
use color::Color;
pub(super) use fault::Fault;
use frame::{Block, Frame};
use pass::Pass;
use progress::Progress;
use scan::Scan;
use segments::{Next, Segments};
use signs::Sign;
use smooth::Smoothing;
use source::Source;
use upsample::Plane;

/// More scans than any encoder makes; a file of many thousands would only take
/// time.
const MAX_SCANS: usize = 1000;

/// Blocks that all scans of a file together may go over, and more for each of its
/// bytes: files of many scans that are nearly empty would only take time. Ten
/// scans of 256 megapixels without subsampling are 120 million.
const SCANNED_BLOCKS: usize = 1 << 27;
const SCANNED_BLOCKS_A_BYTE: usize = 64;

/// Rows of units that are decoded before they are transformed together.
const BAND: usize = 16;

/// Reads a JPEG of at most `max_pixels`.
///
/// Takes two bytes a sample where there are several scans, and one to four
/// bytes a pixel for the samples and three for the image.
pub(super) fn read(bytes: &[u8], max_pixels: u64) -> Result<Decoded, Fault> {
    decode(bytes, max_pixels, paint)
}

/// As [`read`], with the four components of a file of inks as they are stored,
/// side by side, instead of an image.
#[cfg(feature = "tiff")]
pub(super) fn read_inks(bytes: &[u8], max_pixels: u64) -> Result<Decoded<Vec<u8>>, Fault> {
    decode(bytes, max_pixels, inks)
}

fn decode<T>(
    bytes: &[u8],
    max_pixels: u64,
    paint: impl FnOnce(&Frame, Color, &[Plane]) -> Option<T>,
) -> Result<Decoded<T>, Fault> {
    let orientation = opening::read(bytes)?;
    let mut source = Source::new(bytes);
    let mut segments = Segments::new(max_pixels);
    let scan = loop {
        match segments.next(&mut source)? {
            Next::Scan(scan) => break scan,
            Next::End => segments.begin_again(&mut source)?,
        }
    };
    let frame = segments.frame.as_ref().ok_or(Fault::NoFrame)?;
    let ids: Vec<u8> = frame.components.iter().map(|c| c.id).collect();
    let color = Color::of(&segments, &ids, &mut source.signs);
    if !frame.progressive && !frame.arithmetic {
        segments.tables.fill_in_usual();
    }
    let planes = if frame.progressive || scan.parts.len() < ids.len() {
        several_scans(&mut source, &mut segments, scan)?
    } else {
        single_scan(&mut source, &mut segments, &scan)?
    };
    let frame = segments.frame.as_ref().ok_or(Fault::NoFrame)?;
    Ok(Decoded {
        image: paint(frame, color, &planes).ok_or(Fault::NoFrame)?,
        orientation,
        damage: source.signs.into_damage(),
    })
}

/// Decodes the only scan of a file, some rows at a time.
fn single_scan(
    source: &mut Source<'_>,
    segments: &mut Segments,
    scan: &Scan,
) -> Result<Vec<Plane>, Fault> {
    let frame = segments.frame.as_ref().ok_or(Fault::NoFrame)?;
    let mut progress = Progress::new(frame);
    let mut pass = Pass::new(scan, segments, &mut progress, source, true)?;
    let frame = segments.frame.as_ref().ok_or(Fault::NoFrame)?;
    let mut planes = planes(frame);
    let mut blocks = blocks(frame, BAND.min(frame.unit_rows));
    for first in (0..frame.unit_rows).step_by(BAND) {
        let end = frame.unit_rows.min(first + BAND);
        for component in &mut blocks {
            component.fill([0; 64]);
        }
        for row in first..end {
            pass.read_row(source, frame, &mut blocks, (row, first), &mut 0)?;
        }
        for ((plane, blocks), component) in planes.iter_mut().zip(&blocks).zip(&frame.components) {
            let blocks = &blocks[..(end - first) * component.v * component.stride];
            plane.fill(component, first * component.v, blocks, |_| None);
        }
    }
    // Pillow is content when all rows are there, and looks at what follows as
    // far as it has been handed over.
    source.signs.place = signs::Place::default();
    source.growing = false;
    let mut next = segments.next(source);
    if next
        .as_ref()
        .is_err_and(|stop| *stop == fault::Stop::Starved)
    {
        source.growing = true;
        next = Ok(segments.next(source).unwrap_or_else(|_| {
            source.signs.add(Sign::NoEnd, 1);
            Next::End
        }));
    }
    match next? {
        Next::End => Ok(planes),
        Next::Scan(_) => Err(Fault::SecondScan),
    }
}

/// Decodes all scans of a file.
fn several_scans(
    source: &mut Source<'_>,
    segments: &mut Segments,
    mut scan: Scan,
) -> Result<Vec<Plane>, Fault> {
    let frame = segments.frame.as_ref().ok_or(Fault::NoFrame)?;
    let mut progress = Progress::new(frame);
    let mut blocks = blocks(frame, frame.unit_rows);
    let mut last_good_row = 0;
    let mut budget = SCANNED_BLOCKS + SCANNED_BLOCKS_A_BYTE * source.file_length();
    for count in 1.. {
        if count > MAX_SCANS {
            return Err(Fault::TooManyScans(MAX_SCANS));
        }
        let scanned: usize = scan.parts.iter().map(|p| blocks[p.component].len()).sum();
        budget = budget.checked_sub(scanned).ok_or(Fault::ScansWithoutData)?;
        let mut pass = Pass::new(&scan, segments, &mut progress, source, false)?;
        let frame = segments.frame.as_ref().ok_or(Fault::NoFrame)?;
        for row in 0..frame.unit_rows {
            pass.read_row(source, frame, &mut blocks, (row, 0), &mut last_good_row)?;
        }
        source.signs.place = signs::Place::default();
        match segments.next(source)? {
            Next::Scan(next) => scan = next,
            Next::End => break,
        }
    }
    let frame = segments.frame.as_ref().ok_or(Fault::NoFrame)?;
    let all = frame.components.iter().all(|c| c.quantization.is_some());
    if !all || (frame.progressive && !progress.complete()) {
        source.signs.add(Sign::ScansMissing, 1);
    }
    let smoothing = Smoothing::of(frame, &progress, last_good_row);
    let mut planes = planes(frame);
    for (index, ((plane, blocks), component)) in
        (planes.iter_mut().zip(blocks).zip(&frame.components)).enumerate()
    {
        plane.fill(component, 0, &blocks, |row| {
            let (unit, line) = (row / component.v, row % component.v);
            let smoothing = smoothing.as_ref()?;
            (line < component.rows_of(unit, frame))
                .then(|| smoothing.row(frame, index, &blocks, (unit, line)))
        });
    }
    Ok(planes)
}

/// Blocks of zeros for some rows of units of each component.
fn blocks(frame: &Frame, rows: usize) -> Vec<Vec<Block>> {
    (frame.components.iter())
        .map(|c| vec![[0; 64]; c.stride * c.v * rows])
        .collect()
}

fn planes(frame: &Frame) -> Vec<Plane> {
    (frame.components.iter())
        .map(|component| Plane::new(component, frame))
        .collect()
}

/// The samples of four components of the same size, side by side.
#[cfg(feature = "tiff")]
fn inks(frame: &Frame, _color: Color, planes: &[Plane]) -> Option<Vec<u8>> {
    let [a, b, c, d] = planes else { return None };
    let mut samples = vec![0; frame.width * frame.height * 4];
    for (y, row) in samples.chunks_exact_mut(frame.width * 4).enumerate() {
        let rows = [a, b, c, d].map(|plane| plane.row(y));
        for (x, pixel) in row.as_chunks_mut::<4>().0.iter_mut().enumerate() {
            *pixel = rows.each_ref().map(|row| row[x]);
        }
    }
    Some(samples)
}

/// Brings the components to the same size and the image together.
fn paint(frame: &Frame, color: Color, planes: &[Plane]) -> Option<DynamicImage> {
    let (width, height) = (frame.width, frame.height);
    let size = (width as u32, height as u32);
    if let [grey] = planes {
        let mut samples = vec![0; width * height];
        samples
            .par_chunks_exact_mut(width)
            .enumerate()
            .for_each(|(y, row)| row.copy_from_slice(&grey.row(y)[..width]));
        return GrayImage::from_raw(size.0, size.1, samples).map(DynamicImage::ImageLuma8);
    }
    let mut rgb = vec![0; width * height * 3];
    rgb.par_chunks_exact_mut(width * 3)
        .enumerate()
        .for_each(|(y, row)| {
            let rows: Vec<_> = planes.iter().map(|plane| plane.row(y)).collect();
            let pixels = row.as_chunks_mut::<3>().0.iter_mut().enumerate();
            match rows.as_slice() {
                [a, b, c] if color == Color::Rgb => {
                    pixels.for_each(|(x, pixel)| *pixel = [a[x], b[x], c[x]]);
                }
                [a, b, c] => {
                    pixels.for_each(|(x, pixel)| *pixel = color::ycc_to_rgb([a[x], b[x], c[x]]));
                }
                [a, b, c, black] if color == Color::Cmyk => pixels.for_each(|(x, pixel)| {
                    *pixel = color::inks_to_rgb([a[x], b[x], c[x]], black[x]);
                }),
                [a, b, c, black] => pixels.for_each(|(x, pixel)| {
                    *pixel = color::ycck_to_rgb([a[x], b[x], c[x]], black[x]);
                }),
                _ => {}
            }
        });
    RgbImage::from_raw(size.0, size.1, rgb).map(DynamicImage::ImageRgb8)
}
