//! What stands in columns, between them and over them is read in its place.

use florence_layout::Page;
use florence_postprocess::{QuadBox, Size, TextRegion};

const HEIGHT: f32 = 14.0;
const PITCH: f32 = 18.0;

fn piece(text: &str, [x1, y1, x2, y2]: [f32; 4]) -> TextRegion {
    TextRegion::new(text, QuadBox::from([x1, y1, x2, y1, x2, y2, x1, y2]))
}

/// A line of text in letters of the usual height.
fn line(text: &str, x1: f32, y: f32, x2: f32) -> TextRegion {
    piece(text, [x1, y, x2, y + HEIGHT])
}

/// Full lines of a column.
fn column(x1: f32, y: f32, x2: f32, lines: usize) -> Vec<TextRegion> {
    let words = "and so it goes on to the end of the line that it is";
    (0..lines)
        .map(|at| line(words, x1, y + at as f32 * PITCH, x2))
        .collect()
}

/// The regions come in the order that they have to be read in, and are given in another.
fn assert_read(regions: Vec<TextRegion>) {
    let count = regions.len();
    let given: Vec<usize> = (0..count).map(|at| at * 7919 % count).collect();
    let mut distinct = given.clone();
    distinct.sort_unstable();
    assert_eq!(distinct, (0..count).collect::<Vec<_>>());
    let shuffled: Vec<TextRegion> = given.iter().map(|at| regions[*at].clone()).collect();
    let order = Page::from_regions(&shuffled, Size::new(920, 1000)).order();
    let read: Vec<usize> = order.iter().map(|at| given[*at]).collect();
    assert_eq!(read, (0..count).collect::<Vec<_>>());
}

#[test]
fn a_watermark_is_read_last() {
    let mut page = column(0.0, 0.0, 440.0, 20);
    page.extend(column(480.0, 0.0, 920.0, 20));
    page.push(piece("DRAFT", [150.0, 40.0, 780.0, 320.0]));
    assert_read(page);
}

#[test]
fn a_line_too_long_for_its_column_does_not_part_the_page() {
    let mut page = column(0.0, 0.0, 440.0, 20);
    page[9] = line(
        "a line that nothing could break where it should have",
        0.0,
        9.0 * PITCH,
        472.0,
    );
    page.extend(column(480.0, 5.0, 920.0, 20));
    assert_read(page);
}

#[test]
fn a_table_over_both_columns_is_read_before_them() {
    let mut page = vec![line("Table 1: some of the commands", 250.0, 0.0, 640.0)];
    for row in 0..4 {
        let y = 30.0 + row as f32 * PITCH;
        page.push(line("name", 300.0, y, 360.0));
        page.push(line("100", 405.0, y, 430.0));
        page.push(line("what for", 485.0, y, 560.0 + row as f32 * 9.0));
    }
    page.extend(column(0.0, 140.0, 440.0, 20));
    page.extend(column(480.0, 140.0, 920.0, 20));
    assert_read(page);
}

#[test]
fn a_table_of_contents_stands_beside_text() {
    let mut page = Vec::new();
    for row in 0..10 {
        let y = row as f32 * PITCH;
        page.push(line("1. Contents", 20.0, y, 180.0 + row as f32 * 7.0));
        page.push(line("12", 430.0, y, 440.0));
    }
    page.extend(column(0.0, 10.0 * PITCH, 440.0, 8));
    page.extend(column(468.0, 0.0, 920.0, 18));
    assert_read(page);
}

#[test]
fn labels_of_references_stand_with_them() {
    let mut page = column(0.0, 0.0, 440.0, 21);
    for reference in 0..7 {
        let y = reference as f32 * 3.0 * PITCH;
        page.push(line("[12]", 466.0, y, 486.0));
        page.extend(column(518.0, y, 920.0, 3));
    }
    assert_read(page);
}

#[test]
fn authors_are_read_one_after_the_other() {
    let mut page = vec![line("A title that goes across it all", 150.0, 0.0, 770.0)];
    for middle in [220.0, 700.0] {
        for (row, half) in [60.0, 95.0, 75.0, 110.0].into_iter().enumerate() {
            let y = 40.0 + row as f32 * PITCH;
            page.push(line("An Author of This", middle - half, y, middle + half));
        }
    }
    page.extend(column(0.0, 160.0, 920.0, 6));
    assert_read(page);
}

#[test]
fn a_heading_at_the_top_of_a_column_is_no_running_head() {
    let mut page = vec![line("12", 900.0, 0.0, 920.0)];
    page.push(line("3. A heading", 100.0, 40.0, 300.0));
    page.extend(column(0.0, 76.0, 440.0, 34));
    page.push(line("the end of what was said before", 480.0, 40.0, 900.0));
    page.extend(column(480.0, 73.0, 920.0, 34));
    assert_read(page);
}

#[test]
fn a_cell_of_two_lines_is_read_to_its_end() {
    let mut page = column(0.0, 0.0, 440.0, 6);
    for row in 0..3 {
        let y = 130.0 + row as f32 * 2.0 * PITCH;
        page.push(line("The longest of", 50.0, y, 170.0));
        page.push(line("all names", 66.0, y + PITCH, 150.0));
        page.push(line("12.5", 220.0, y, 260.0));
        page.push(line("13.5", 320.0, y, 360.0));
    }
    page.extend(column(0.0, 260.0, 440.0, 6));
    assert_read(page);
}

#[test]
fn a_fraction_is_read_where_it_stands() {
    let mut page = column(0.0, 0.0, 440.0, 6);
    page.push(piece("y =", [180.0, 140.0, 205.0, 154.0]));
    page.push(piece("a + b", [210.0, 128.0, 250.0, 141.0]));
    page.push(piece("2", [225.0, 149.0, 235.0, 163.0]));
    page.push(piece("+ c", [255.0, 140.0, 280.0, 154.0]));
    page.extend(column(0.0, 180.0, 440.0, 6));
    assert_read(page);
}
