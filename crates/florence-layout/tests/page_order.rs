//! Composed pages are read in the order they were written in.

mod layouts;

use std::collections::BTreeMap;

use florence_layout::Page;
use layouts::{Family, HELD_OUT, Layout, TUNED};

/// Pairs of successors: all, and those that an order has right.
#[derive(Clone, Copy, Default)]
struct Share {
    right: usize,
    all: usize,
}

impl Share {
    fn of(order: &[usize], truth: &[usize]) -> Self {
        let mut next = vec![usize::MAX; truth.len()];
        for pair in order.windows(2) {
            next[pair[0]] = pair[1];
        }
        let right = truth
            .windows(2)
            .filter(|pair| next[pair[0]] == pair[1])
            .count();
        Self {
            right,
            all: truth.len().saturating_sub(1),
        }
    }

    fn add(&mut self, other: Share) {
        self.right += other.right;
        self.all += other.all;
    }

    fn value(self) -> f64 {
        self.right as f64 / self.all.max(1) as f64
    }
}

/// By top edge, then by left edge, as the image has them.
fn top_to_bottom(layout: &Layout) -> Vec<usize> {
    let mut order: Vec<usize> = (0..layout.regions.len()).collect();
    let corner = |at: usize| layout.regions[at].quad.to_bbox();
    order.sort_by(|a, b| {
        let (a, b) = (corner(*a), corner(*b));
        a.y1.total_cmp(&b.y1).then(a.x1.total_cmp(&b.x1))
    });
    order
}

/// The same with all that a page reader without columns could know: the sheet before it was turned
/// and shaken, and rows of half a line's height.
fn row_by_row(layout: &Layout) -> Vec<usize> {
    let mut order = top_to_bottom(layout);
    let upright = |at: &usize| layout.upright[*at];
    order.sort_by(|a, b| upright(a)[1].total_cmp(&upright(b)[1]));
    let mut rows: Vec<Vec<usize>> = Vec::new();
    for at in order {
        let [_, top, height] = upright(&at);
        match rows.last_mut() {
            Some(row) if top - upright(&row[0])[1] < 0.5 * height => row.push(at),
            _ => rows.push(vec![at]),
        }
    }
    for row in &mut rows {
        row.sort_by(|a, b| upright(a)[0].total_cmp(&upright(b)[0]));
    }
    rows.concat()
}

#[derive(Clone, Copy, Default)]
struct Figures {
    pages: usize,
    perfect: usize,
    ours: Share,
    rows: Share,
    top: Share,
    input: Share,
    /// Whether neighbors belong to one paragraph.
    paragraphs: Share,
}

impl Figures {
    fn of(layout: &Layout) -> Self {
        let page = Page::from_regions(&layout.regions, layout.size);
        let ours = Share::of(&page.order(), &layout.truth);
        let input: Vec<usize> = (0..layout.regions.len()).collect();
        Self {
            pages: 1,
            perfect: usize::from(ours.right == ours.all),
            ours,
            rows: Share::of(&row_by_row(layout), &layout.truth),
            top: Share::of(&top_to_bottom(layout), &layout.truth),
            input: Share::of(&input, &layout.truth),
            paragraphs: paragraphs(&page, layout),
        }
    }

    fn add(&mut self, other: Figures) {
        self.pages += other.pages;
        self.perfect += other.perfect;
        self.ours.add(other.ours);
        self.rows.add(other.rows);
        self.top.add(other.top);
        self.input.add(other.input);
        self.paragraphs.add(other.paragraphs);
    }

    fn print(&self, name: &str) {
        let paragraphs = match self.paragraphs.all {
            0 => "-".to_owned(),
            _ => format!("{:.4}", self.paragraphs.value()),
        };
        println!(
            "{name:<14} {:>5} {:>7} {:>8} {:>7.4} {:>7.4} {:>7.4} {:>7.4} {paragraphs:>10}",
            self.pages,
            self.perfect,
            self.ours.all,
            self.ours.value(),
            self.rows.value(),
            self.top.value(),
            self.input.value(),
        );
    }
}

/// For neighbors of the true order: whether they share a paragraph where they should, and not
/// where they should not.
fn paragraphs(page: &Page, layout: &Layout) -> Share {
    let mut found = vec![0; layout.regions.len()];
    for (at, paragraph) in page.paragraphs().enumerate() {
        for region in paragraph.regions() {
            found[region] = at;
        }
    }
    // Cells of a table and the two sides of a running head are one line, so neither is wrong.
    let loose = [Family::Tables, Family::Lists, Family::Margins].contains(&layout.family);
    let pairs = layout.truth.windows(2).filter(|_| !loose);
    // Only ends of lines are decisions: words of a line share its paragraph anyway.
    let ends = pairs.filter(|pair| {
        layout.upright[pair[0]][1] + layout.upright[pair[0]][2] / 2.0
            < layout.upright[pair[1]][1] + layout.upright[pair[1]][2] / 4.0
    });
    ends.fold(Share::default(), |mut share, pair| {
        let truly = layout.paragraphs[pair[0]] == layout.paragraphs[pair[1]];
        share.all += 1;
        share.right += usize::from(truly == (found[pair[0]] == found[pair[1]]));
        share
    })
}

fn measure(
    title: &str,
    layouts: impl Iterator<Item = Layout>,
) -> (BTreeMap<usize, Figures>, Figures) {
    let mut families: BTreeMap<usize, Figures> = BTreeMap::new();
    let mut all = Figures::default();
    for layout in layouts {
        let figures = Figures::of(&layout);
        families
            .entry(layout.family as usize)
            .or_default()
            .add(figures);
        all.add(figures);
    }
    println!("\n{title}: share of right successors");
    println!(
        "{:<14} {:>5} {:>7} {:>8} {:>7} {:>7} {:>7} {:>7} {:>10}",
        "family", "pages", "perfect", "pairs", "ours", "rows", "y, x", "input", "paragraphs"
    );
    for (family, figures) in &families {
        figures.print(&format!("{:?}", Family::ALL[*family]));
    }
    all.print("all");
    (families, all)
}

fn composed(
    seeds: std::ops::Range<u64>,
    ranges: &'static layouts::Ranges,
) -> impl Iterator<Item = Layout> {
    Family::ALL.into_iter().flat_map(move |family| {
        seeds
            .clone()
            .map(move |seed| Layout::compose(family, seed, ranges))
    })
}

#[test]
fn composed_pages_are_read_in_order() {
    let (families, all) = measure("tuned on", composed(1..25, &TUNED));
    assert!(all.pages >= 240);
    assert!(all.ours.value() >= 0.99, "{}", all.ours.value());
    for (family, figures) in families {
        let name = Family::ALL[family];
        assert!(
            figures.ours.value() >= 0.95,
            "{name:?}: {}",
            figures.ours.value()
        );
        assert!(figures.ours.right >= figures.rows.right, "{name:?}");
        assert!(figures.ours.right > figures.top.right, "{name:?}");
        assert!(figures.ours.right > figures.input.right, "{name:?}");
    }
}

#[test]
fn held_out_pages_are_read_in_order() {
    let (_, all) = measure("held out", composed(1_000..1_012, &HELD_OUT));
    assert!(all.ours.value() >= 0.98, "{}", all.ours.value());
    assert!(all.ours.right > all.rows.right && all.ours.right > all.top.right);
}
