//! From a file to an image: the order of the steps, for files of one scan and
//! of several.

use crate::block::Block;
use crate::color::ColorModel;
use crate::decoded::Decoded;
use crate::error::{Error, Stop};
use crate::frame::Frame;
use crate::metadata;
use crate::options::DecodeOptions;
use crate::output;
use crate::progress::Progress;
use crate::scan::Scan;
use crate::scan_decoder::ScanDecoder;
use crate::segments::{Next, Segments};
use crate::smoothing::Smoothing;
use crate::source::Source;
use crate::upsample::Plane;
use crate::warnings::{Position, Warning};

/// More scans than any encoder writes. Without a limit, a small file of many
/// thousands would take minutes.
const MAX_SCANS: usize = 1000;

/// How many blocks all scans of a file together may cover, and how many more for
/// each byte of the file: without a limit, a small file of many nearly empty
/// scans would take minutes. Ten scans of 256 megapixels without subsampling
/// cover 120 million blocks.
const SCANNED_BLOCKS: usize = 1 << 27;
const SCANNED_BLOCKS_A_BYTE: usize = 64;

/// Rows of MCUs that are entropy-decoded before they are transformed in parallel.
const BAND: usize = 16;

/// Decodes a file in memory.
///
/// Takes two bytes a sample where there are several scans, one to four bytes a
/// pixel for the samples, and three for the image. Works on several cores with
/// rayon's global thread pool.
///
/// # Errors
///
/// [`Error`] for a file that Pillow refuses as well, for the kinds that this
/// crate does not decode, and for more pixels than the options allow. A file
/// that is damaged but can be decoded is no error: see [`Decoded::damage`].
///
/// # Example
///
/// ```
/// use bitexact_jpeg::{DecodeOptions, Error, decode};
///
/// let file = std::fs::read("tests/data/jpeg/photo_50_2_0_33x17.jpg")?;
/// let image = decode(&file, &DecodeOptions::new())?;
/// assert_eq!(image.pixels.len(), 33 * 17 * 3);
///
/// assert_eq!(decode(b"GIF89a", &DecodeOptions::new()).unwrap_err(), Error::NoScan);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn decode(bytes: &[u8], options: &DecodeOptions) -> Result<Decoded, Error> {
    let metadata = metadata::read(bytes)?;
    let mut source = Source::new(bytes);
    let mut segments = Segments::new(options.max_pixels);
    let scan = loop {
        match segments.next(&mut source)? {
            Next::Scan(scan) => break scan,
            Next::End => segments.begin_again(&mut source)?,
        }
    };
    let frame = segments.frame.as_ref().ok_or(Error::NoFrame)?;
    let ids: Vec<u8> = frame.components.iter().map(|c| c.id).collect();
    let model = ColorModel::of(&segments, &ids, &mut source.warnings);
    if !frame.progressive && !frame.arithmetic {
        segments.tables.fill_in_standard();
    }
    let planes = if frame.progressive || scan.components.len() < ids.len() {
        several_scans(&mut source, &mut segments, scan)?
    } else {
        single_scan(&mut source, &mut segments, &scan)?
    };
    let frame = segments.frame.as_ref().ok_or(Error::NoFrame)?;
    let (layout, pixels) = if options.keep_inks && planes.len() == 4 {
        output::inks(frame, model, &planes)
    } else {
        output::pixels(frame, model, &planes)
    };
    Ok(Decoded {
        width: frame.width as u32,
        height: frame.height as u32,
        layout,
        pixels,
        exif: metadata.exif.concat(),
        xmp: metadata.xmp.to_vec(),
        damage: source.warnings.into_damage(),
    })
}

/// Decodes a sequential file of one scan, some rows of MCUs at a time.
fn single_scan(
    source: &mut Source<'_>,
    segments: &mut Segments,
    scan: &Scan,
) -> Result<Vec<Plane>, Error> {
    let frame = segments.frame.as_ref().ok_or(Error::NoFrame)?;
    let mut progress = Progress::new(frame);
    let mut pass = ScanDecoder::new(scan, segments, &mut progress, source, true)?;
    let frame = segments.frame.as_ref().ok_or(Error::NoFrame)?;
    let mut planes = planes(frame);
    let mut blocks = blocks(frame, BAND.min(frame.mcu_rows));
    for first in (0..frame.mcu_rows).step_by(BAND) {
        let end = frame.mcu_rows.min(first + BAND);
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
    // Once all rows are decoded, Pillow fetches no more of the file: libjpeg
    // looks for the end of the image only in what was handed over before.
    source.warnings.position = Position::default();
    source.growing = false;
    let mut next = segments.next(source);
    if next.as_ref().is_err_and(|stop| *stop == Stop::NeedsData) {
        source.growing = true;
        next = Ok(segments.next(source).unwrap_or_else(|_| {
            source.warnings.add(Warning::NoEnd, 1);
            Next::End
        }));
    }
    match next? {
        Next::End => Ok(planes),
        Next::Scan(_) => Err(Error::SecondScan),
    }
}

/// Decodes a file of several scans: the coefficients of the whole image first.
fn several_scans(
    source: &mut Source<'_>,
    segments: &mut Segments,
    mut scan: Scan,
) -> Result<Vec<Plane>, Error> {
    let frame = segments.frame.as_ref().ok_or(Error::NoFrame)?;
    let mut progress = Progress::new(frame);
    let mut blocks = blocks(frame, frame.mcu_rows);
    let mut last_good_row = 0;
    let mut budget = SCANNED_BLOCKS + SCANNED_BLOCKS_A_BYTE * source.file_length();
    for count in 1.. {
        if count > MAX_SCANS {
            return Err(Error::TooManyScans(MAX_SCANS));
        }
        let scanned: usize = scan
            .components
            .iter()
            .map(|p| blocks[p.component].len())
            .sum();
        budget = budget.checked_sub(scanned).ok_or(Error::ScansWithoutData)?;
        let mut pass = ScanDecoder::new(&scan, segments, &mut progress, source, false)?;
        let frame = segments.frame.as_ref().ok_or(Error::NoFrame)?;
        for row in 0..frame.mcu_rows {
            pass.read_row(source, frame, &mut blocks, (row, 0), &mut last_good_row)?;
        }
        source.warnings.position = Position::default();
        match segments.next(source)? {
            Next::Scan(next) => scan = next,
            Next::End => break,
        }
    }
    let frame = segments.frame.as_ref().ok_or(Error::NoFrame)?;
    let all = frame.components.iter().all(|c| c.quantization.is_some());
    if !all || (frame.progressive && !progress.complete()) {
        source.warnings.add(Warning::ScansMissing, 1);
    }
    let smoothing = Smoothing::of(frame, &progress, last_good_row);
    let mut planes = planes(frame);
    for (index, ((plane, blocks), component)) in
        (planes.iter_mut().zip(blocks).zip(&frame.components)).enumerate()
    {
        plane.fill(component, 0, &blocks, |row| {
            let (mcu, line) = (row / component.v, row % component.v);
            let smoothing = smoothing.as_ref()?;
            (line < component.rows_of(mcu, frame))
                .then(|| smoothing.row(frame, index, &blocks, (mcu, line)))
        });
    }
    Ok(planes)
}

/// Zero blocks for `rows` rows of MCUs, by component.
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
