//! Pages with a known reading order: composed, cut into regions, turned, shaken, shuffled.

mod families;
mod random;
mod sheet;

use florence_postprocess::{Point, QuadBox, Size, TextRegion};

pub(crate) use families::Family;
use random::Random;
pub(crate) use sheet::Ranges;
use sheet::{Line, Place, Word};

/// A page as a model would answer it, and what is right.
pub(crate) struct Layout {
    pub(crate) family: Family,
    pub(crate) size: Size,
    /// In the order of an answer: from top to bottom of the image, not quite exactly.
    pub(crate) regions: Vec<TextRegion>,
    /// Indices of regions in reading order.
    pub(crate) truth: Vec<usize>,
    /// The paragraph of each region, by its index.
    pub(crate) paragraphs: Vec<usize>,
    /// Where each region lies on the sheet before it was turned: left, top, height.
    pub(crate) upright: Vec<[f64; 3]>,
}

/// What the thresholds of `reading` were chosen on.
pub(crate) const TUNED: Ranges = Ranges {
    font: [18.0, 34.0],
    pitch: [1.15, 1.5],
    gutter: [1.4, 3.0],
    spacing: [0.5, 1.0],
    indent: [1.2, 2.5],
    jitter: [0.0, 0.03],
    noise: [0.04, 0.1],
    skew: [0.5, 8.0],
    heading: [1.25, 1.8],
    sizes: &[(1700.0, 2200.0), (1240.0, 1754.0), (1600.0, 1600.0)],
};

/// Wider, other seeds, never tuned on.
pub(crate) const HELD_OUT: Ranges = Ranges {
    font: [14.0, 40.0],
    pitch: [1.12, 1.7],
    gutter: [1.2, 4.0],
    spacing: [0.45, 1.4],
    indent: [1.0, 3.0],
    jitter: [0.0, 0.05],
    noise: [0.04, 0.13],
    skew: [0.2, 14.0],
    heading: [1.25, 2.4],
    sizes: &[
        (1275.0, 1650.0),
        (2000.0, 1500.0),
        (1500.0, 2500.0),
        (2480.0, 3508.0),
    ],
};

/// How much of a line one region has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Grain {
    Words,
    Parts,
    Lines,
    Paragraphs,
}

impl Layout {
    pub(crate) fn compose(family: Family, seed: u64, ranges: &Ranges) -> Self {
        let mut random = Random::new(seed.wrapping_mul(0x1000).wrapping_add(family as u64));
        let random = &mut random;
        let mut sheet = family.compose(random, ranges);
        if family == Family::Noisy {
            sheet.lines.retain(|_| !random.chance(0.06));
        }
        let grain = match family {
            Family::NewlineInQuad => Grain::Paragraphs,
            _ => random.pick(&[Grain::Words, Grain::Parts, Grain::Lines]),
        };
        let units = units(random, &sheet.lines, grain);
        let noise = if family == Family::Noisy {
            ranges.noise
        } else {
            ranges.jitter
        };
        let scan = Scan {
            turn: turn(random, family, ranges),
            jitter: random.between(noise) * sheet.font,
            width: sheet.width,
            height: sheet.height,
        };
        let mut regions: Vec<(usize, TextRegion)> = units
            .iter()
            .map(|unit| scan.region(random, unit))
            .enumerate()
            .collect();
        random.shuffle(&mut regions);
        let mut keyed: Vec<(f32, (usize, TextRegion))> = regions
            .into_iter()
            .map(|region| {
                let top = region.1.quad.to_bbox().y1;
                (top + (random.normal() * 0.15 * sheet.font) as f32, region)
            })
            .collect();
        keyed.sort_by(|a, b| a.0.total_cmp(&b.0));
        let regions: Vec<(usize, TextRegion)> =
            keyed.into_iter().map(|(_, region)| region).collect();
        let mut truth = vec![0; regions.len()];
        for (index, (at, _)) in regions.iter().enumerate() {
            truth[*at] = index;
        }
        let place = |at: usize| units[at].place;
        Self {
            family,
            size: scan.size(),
            truth,
            paragraphs: regions.iter().map(|(at, _)| units[*at].paragraph).collect(),
            upright: regions
                .iter()
                .map(|(at, _)| [place(*at).x1, place(*at).y1, place(*at).y2 - place(*at).y1])
                .collect(),
            regions: regions.into_iter().map(|(_, region)| region).collect(),
        }
    }
}

/// What becomes a region.
struct Unit {
    text: String,
    place: Place,
    paragraph: usize,
}

impl Unit {
    fn of(words: &[Word], paragraph: usize) -> Self {
        let texts: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
        let place = words.iter().map(|word| word.place).reduce(Place::hull);
        Self {
            text: texts.join(" "),
            place: place.unwrap(),
            paragraph,
        }
    }
}

fn units(random: &mut Random, lines: &[Line], grain: Grain) -> Vec<Unit> {
    let mut units: Vec<Unit> = Vec::new();
    for line in lines.iter().filter(|line| !line.words.is_empty()) {
        match grain {
            Grain::Words => {
                units.extend(
                    line.words
                        .iter()
                        .map(|word| Unit::of(std::slice::from_ref(word), line.paragraph)),
                );
            }
            Grain::Parts => {
                let mut words = line.words.as_slice();
                while !words.is_empty() {
                    let (part, rest) = words.split_at(random.count(1, 5).min(words.len()));
                    units.push(Unit::of(part, line.paragraph));
                    words = rest;
                }
            }
            Grain::Lines => units.push(Unit::of(&line.words, line.paragraph)),
            Grain::Paragraphs => {
                let unit = Unit::of(&line.words, line.paragraph);
                match units.last_mut() {
                    Some(last) if last.paragraph == line.paragraph && random.chance(0.85) => {
                        last.text.push('\n');
                        last.text.push_str(&unit.text);
                        last.place = last.place.hull(unit.place);
                    }
                    _ => units.push(unit),
                }
            }
        }
    }
    units
}

/// Degrees that a page is turned by.
fn turn(random: &mut Random, family: Family, ranges: &Ranges) -> f64 {
    let skew = random.between(ranges.skew) * random.pick(&[1.0, -1.0]);
    match family {
        Family::Rotated => match random.count(0, 2) {
            0 => random.pick(&[90.0, 180.0, 270.0]),
            1 => random.pick(&[0.0, 90.0, 180.0, 270.0]) + skew,
            _ => random.between([-180.0, 180.0]),
        },
        Family::Noisy => skew / 2.0,
        _ => 0.0,
    }
}

/// How a sheet becomes an image.
struct Scan {
    turn: f64,
    jitter: f64,
    width: f64,
    height: f64,
}

impl Scan {
    /// The image holds the whole turned sheet.
    fn extent(&self) -> (f64, f64) {
        let (sin, cos) = self.turn.to_radians().sin_cos();
        (
            self.width * cos.abs() + self.height * sin.abs(),
            self.width * sin.abs() + self.height * cos.abs(),
        )
    }

    fn size(&self) -> Size {
        let (width, height) = self.extent();
        Size::new(width.round() as u32, height.round() as u32)
    }

    fn region(&self, random: &mut Random, unit: &Unit) -> TextRegion {
        let Place { x1, y1, x2, y2 } = unit.place;
        let mut points = [Point::default(); 4];
        let mut bins = [0u16; 8];
        for (at, (x, y)) in [(x1, y1), (x2, y1), (x2, y2), (x1, y2)]
            .into_iter()
            .enumerate()
        {
            let x = x + random.normal() * self.jitter;
            let y = y + random.normal() * self.jitter;
            let (sin, cos) = self.turn.to_radians().sin_cos();
            let (x, y) = (x - self.width / 2.0, y - self.height / 2.0);
            let (width, height) = self.extent();
            let turned = (
                x * cos - y * sin + width / 2.0,
                x * sin + y * cos + height / 2.0,
            );
            // The model's thousand bins.
            let bin = |value: f64, extent: f64| (value / extent * 1000.0).floor().clamp(0.0, 999.0);
            let bin = (bin(turned.0, width), bin(turned.1, height));
            bins[2 * at] = bin.0 as u16;
            bins[2 * at + 1] = bin.1 as u16;
            points[at] = Point::new(
                ((bin.0 + 0.5) * width / 1000.0) as f32,
                ((bin.1 + 0.5) * height / 1000.0) as f32,
            );
        }
        TextRegion::new(&unit.text, QuadBox { points })
            .with_confidence(0.9)
            .with_text_confidence(0.8)
            .with_bins(bins)
    }
}
