//! Pages of two columns that LaTeX has set are read in the order they were set in.
//!
//! `data/pages.jsonl` has 195 pages of the sample documents of 22 document classes (`family` numbers
//! them): articles with their authors, tables, formulas, notes and references, guides, indexes. A
//! region is a line as it is in the PDF: its text, where each letter is an x or X and each digit a 0, and
//! the bins of its box. `body` are the lines that count: captions, headings, short pieces of
//! formulas and what the classes set in the margins are not among them. `successors` are pairs of them that
//! were set one after the other, down a column or from its foot to the head of the next.
//!
//! The figure is the share of pairs that are neighbors in the order found, among the lines that count.
//! Some of what it counts as wrong is not: numerators and denominators have no order that people
//! would agree on; where a float stands between two lines, what it holds may come between them.

use std::collections::{BTreeMap, HashSet};

use florence_layout::Page;
use florence_postprocess::{QuadBox, Size, TextRegion};
use serde_json::Value;

/// Pages with a smaller share of right pairs are failures.
const FAILED: f64 = 0.97;
/// What is reached: the share of right pairs, and the pages that are failures.
const FLOOR: f64 = 0.997;
const FAILURES: usize = 5;

struct Typeset {
    family: u64,
    size: Size,
    regions: Vec<TextRegion>,
    body: HashSet<usize>,
    successors: Vec<[usize; 2]>,
}

impl Typeset {
    fn of(line: &str) -> Self {
        let page: Value = serde_json::from_str(line).unwrap();
        let number = |value: &Value| value.as_u64().unwrap();
        let index = |value: &Value| number(value) as usize;
        let list = |name: &str| page[name].as_array().unwrap();
        let size = Size::new(
            number(&page["size"][0]) as u32,
            number(&page["size"][1]) as u32,
        );
        let place = |bin: &Value, extent: u32| {
            ((number(bin) as f64 + 0.5) / 1000.0 * f64::from(extent)) as f32
        };
        let region = |region: &Value| {
            let (x1, x2) = (place(&region[1], size.width), place(&region[3], size.width));
            let (y1, y2) = (
                place(&region[2], size.height),
                place(&region[4], size.height),
            );
            let quad = QuadBox::from([x1, y1, x2, y1, x2, y2, x1, y2]);
            TextRegion::new(region[0].as_str().unwrap(), quad)
        };
        Self {
            family: number(&page["family"]),
            size,
            regions: list("regions").iter().map(region).collect(),
            body: list("body").iter().map(index).collect(),
            successors: list("successors")
                .iter()
                .map(|pair| [index(&pair[0]), index(&pair[1])])
                .collect(),
        }
    }

    /// How many of the pairs are neighbors in an order of all regions.
    fn right(&self, order: &[usize]) -> usize {
        let body: Vec<usize> = order
            .iter()
            .copied()
            .filter(|region| self.body.contains(region))
            .collect();
        let neighbors: HashSet<[usize; 2]> =
            body.windows(2).map(|pair| [pair[0], pair[1]]).collect();
        let is_right = |pair: &&[usize; 2]| neighbors.contains(*pair);
        self.successors.iter().filter(is_right).count()
    }

    fn top_to_bottom(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.regions.len()).collect();
        let corner = |at: &usize| self.regions[*at].quad.points[0];
        order.sort_by(|a, b| {
            let (a, b) = (corner(a), corner(b));
            a.y.total_cmp(&b.y).then(a.x.total_cmp(&b.x))
        });
        order
    }
}

#[derive(Default)]
struct Figures {
    pages: usize,
    failed: usize,
    pairs: usize,
    ours: usize,
    top: usize,
}

impl Figures {
    fn add(&mut self, page: &Typeset, ours: usize) {
        self.pages += 1;
        self.failed += usize::from((ours as f64) < FAILED * page.successors.len() as f64);
        self.pairs += page.successors.len();
        self.ours += ours;
        self.top += page.right(&page.top_to_bottom());
    }

    fn share(&self) -> f64 {
        self.ours as f64 / self.pairs as f64
    }

    fn print(&self, name: &str) {
        println!(
            "{name:<8} {:>5} {:>7} {:>7} {:>7.4} {:>7.4}",
            self.pages,
            self.failed,
            self.pairs,
            self.share(),
            self.top as f64 / self.pairs as f64,
        );
    }
}

#[test]
fn typeset_pages_are_read_in_order() {
    let pages = include_str!("data/pages.jsonl").lines().map(Typeset::of);
    let mut families: BTreeMap<u64, Figures> = BTreeMap::new();
    let mut all = Figures::default();
    let mut wrong = Vec::new();
    for (number, page) in pages.enumerate() {
        let order = Page::from_regions(&page.regions, page.size).order();
        let ours = page.right(&order);
        families.entry(page.family).or_default().add(&page, ours);
        all.add(&page, ours);
        if ours < page.successors.len() {
            wrong.push((number, page.successors.len() - ours));
        }
    }
    println!("\nshare of right successors\nclass    pages   <{FAILED}   pairs    ours    y, x");
    for (family, figures) in &families {
        figures.print(&family.to_string());
    }
    all.print("all");
    println!("wrong pairs, by page from 0: {wrong:?}");
    assert_eq!((all.pages, families.len()), (195, 22));
    assert!(all.share() >= FLOOR, "{}", all.share());
    assert!(all.failed <= FAILURES, "{}", all.failed);
    for (family, figures) in families {
        assert!(figures.ours > figures.top, "{family}");
    }
}
