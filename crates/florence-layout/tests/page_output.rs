//! Pages as text, Markdown and hOCR.

use florence_layout::{Page, ParagraphKind};
use florence_postprocess::{AnswerForm, QuadBox, Size, TextRegion, parse_text};
use roxmltree::{Document, Node, ParsingOptions};

fn line(text: &str, x: f32, y: f32, width: f32, height: f32) -> TextRegion {
    let (right, bottom) = (x + width, y + height);
    let quad = QuadBox::from([x, y, right, y, right, bottom, x, bottom]);
    TextRegion::new(text, quad)
        .with_confidence(0.4)
        .with_text_confidence(0.87)
}

/// A title, two columns with a list, a page number; as a model answers it, row by row.
fn article() -> Vec<TextRegion> {
    vec![
        line("On Reading <Order>", 200.0, 40.0, 600.0, 40.0),
        line("Pages are read one col-", 50.0, 120.0, 400.0, 20.0),
        line("reads them down the mid-", 550.0, 120.0, 400.0, 20.0),
        line("umn at a time. A parser", 50.0, 146.0, 400.0, 20.0),
        line("dle, so we need this:", 550.0, 146.0, 370.0, 20.0),
        line("that does not know this", 50.0, 172.0, 400.0, 20.0),
        line("• gutters & white space", 550.0, 172.0, 400.0, 20.0),
        line("takes rows for lines and", 50.0, 198.0, 400.0, 20.0),
        line("• headings", 550.0, 198.0, 180.0, 20.0),
        line("• \"quotes\" too, and a text", 550.0, 224.0, 400.0, 20.0),
        line("with a second line", 580.0, 250.0, 300.0, 20.0),
        line("7", 495.0, 940.0, 10.0, 20.0),
    ]
}

fn page() -> Page {
    Page::from_regions(&article(), Size::new(1000, 1000))
}

#[test]
fn an_article_is_text() {
    assert_eq!(
        page().to_text(),
        "On Reading <Order>\n\n\
         Pages are read one column at a time. A parser that does not know this takes rows for \
         lines and reads them down the middle, so we need this:\n\n\
         • gutters & white space\n\n\
         • headings\n\n\
         • \"quotes\" too, and a text with a second line\n\n\
         7\n"
    );
}

#[test]
fn an_article_is_markdown() {
    assert_eq!(
        page().to_markdown(),
        "# On Reading \\<Order\\>\n\n\
         Pages are read one column at a time. A parser that does not know this takes rows for \
         lines and reads them down the middle, so we need this:\n\n\
         - gutters \\& white space\n\
         - headings\n\
         - \"quotes\" too, and a text with a second line\n\n\
         7\n"
    );
}

/// What Florence-2 answers for the cover of a book, ragged on the left.
#[test]
fn a_published_answer_is_read() {
    let answer = "</s><s>CUDA<loc_414><loc_100><loc_933><loc_100><loc_933><loc_229><loc_414><loc_229>\
        FOR ENGINEERS<loc_359><loc_241><loc_931><loc_241><loc_931><loc_298><loc_359><loc_298>\
        An Introduction to High-Performance<loc_287><loc_330><loc_933><loc_332><loc_933><loc_368>\
        <loc_287><loc_366>\
        Parallel Computing<loc_595><loc_368><loc_933><loc_372><loc_933><loc_408><loc_595><loc_404>\
        DUANE STORTI<loc_660><loc_882><loc_933><loc_882><loc_933><loc_912><loc_660><loc_912>\
        METE YURTOGLU<loc_625><loc_920><loc_933><loc_920><loc_933><loc_950><loc_625><loc_950></s>";
    let size = Size::new(774, 1000);
    let parsed = parse_text(AnswerForm::Quads, answer, size);
    let page = Page::from_regions(parsed.answer.text_regions(), size);
    assert_eq!(page.order(), [0, 1, 2, 3, 4, 5]);
    let text = page.to_text();
    assert!(
        text.starts_with("CUDA\n\nFOR ENGINEERS\n\nAn Introduction to"),
        "{text}"
    );
    assert!(
        text.contains("High-Performance Parallel Computing\n\nDUANE STORTI"),
        "{text}"
    );
}

#[test]
fn what_has_no_height_is_no_heading() {
    let flat = [
        line("a flat line of text", 10.0, 10.0, 50.0, 0.0),
        line("- another", 10.0, 30.0, 50.0, 0.0),
    ];
    let lost = [
        line("a good line of prose", 10.0, 10.0, 200.0, 10.0),
        line(
            "a lost one, longer than all the others",
            f32::NAN,
            0.0,
            1.0,
            1.0,
        ),
    ];
    for (regions, kinds) in [
        (flat, [ParagraphKind::Prose, ParagraphKind::ListItem]),
        (lost, [ParagraphKind::Prose; 2]),
    ] {
        let page = Page::from_regions(&regions, Size::new(300, 100));
        let found: Vec<ParagraphKind> = page.paragraphs().map(|paragraph| paragraph.kind).collect();
        assert_eq!(found, kinds);
    }
}

#[test]
fn speech_keeps_its_dashes() {
    let speech = [
        line("— Come in, she said.", 10.0, 10.0, 300.0, 10.0),
        line("— No.", 10.0, 24.0, 80.0, 10.0),
    ];
    let page = Page::from_regions(&speech, Size::new(500, 300));
    assert_eq!(page.to_markdown(), "— Come in, she said.\n\n— No.\n");
}

#[test]
fn carriage_returns_and_closing_marks_are_no_markdown() {
    let page = Page::from_regions(
        &[
            line("Room #", 10.0, 10.0, 200.0, 30.0),
            line("one\r# two that is\r- longer", 10.0, 60.0, 200.0, 30.0),
        ],
        Size::new(300, 100),
    );
    let markdown = page.to_markdown();
    assert_eq!(markdown, "# Room \\#\n\none # two that is\n\n- longer\n");
}

#[test]
fn headings_have_levels_by_their_height() {
    let regions = [
        line("The Whole", 50.0, 20.0, 300.0, 60.0),
        line("A Part", 50.0, 110.0, 200.0, 32.0),
        line(
            "with some lines of text that are long",
            50.0,
            160.0,
            600.0,
            20.0,
        ),
        line(
            "enough to be what the page is made of.",
            50.0,
            186.0,
            600.0,
            20.0,
        ),
        line("Another Part", 50.0, 230.0, 250.0, 31.0),
        line(
            "and its text, in the usual small letters.",
            50.0,
            280.0,
            600.0,
            20.0,
        ),
    ];
    let page = Page::from_regions(&regions, Size::new(700, 320));
    let kinds: Vec<ParagraphKind> = page.paragraphs().map(|paragraph| paragraph.kind).collect();
    let heading = |level| ParagraphKind::Heading { level };
    let prose = ParagraphKind::Prose;
    assert_eq!(kinds, [heading(1), heading(2), prose, heading(2), prose]);
}

#[test]
fn paragraphs_are_parted_by_space_and_by_indent() {
    for (extra, indent) in [(16.0, 0.0), (0.0, 35.0)] {
        let mut y = 0.0;
        let mut regions = Vec::new();
        for row in 0..12 {
            let first = row % 4 == 0;
            y += 26.0 + if first { extra } else { 0.0 };
            let x = if first { 50.0 + indent } else { 50.0 };
            regions.push(line("some words in a line of text", x, y, 650.0 - x, 20.0));
        }
        let page = Page::from_regions(&regions, Size::new(700, 500));
        let lines: Vec<usize> = page
            .paragraphs()
            .map(|paragraph| paragraph.lines.len())
            .collect();
        assert_eq!(lines, [4, 4, 4], "{extra} {indent}");
    }
}

fn parse_xml(hocr: &str) -> Document<'_> {
    let options = ParsingOptions {
        allow_dtd: true,
        ..ParsingOptions::default()
    };
    Document::parse_with_options(hocr, options).unwrap()
}

/// The elements of a class within another.
fn all<'a>(within: Node<'a, 'a>, class: &str) -> Vec<Node<'a, 'a>> {
    let elements = within.descendants();
    elements
        .filter(|element| element.attribute("class") == Some(class))
        .collect()
}

/// A property of hOCR's title.
fn property(element: Node<'_, '_>, name: &str) -> Option<Vec<String>> {
    let properties = element.attribute("title")?.split("; ");
    let mut properties = properties.map(|property| property.split(' '));
    let values =
        properties.find_map(|mut property| (property.next() == Some(name)).then_some(property))?;
    Some(values.map(str::to_owned).collect())
}

fn bbox(element: Node<'_, '_>) -> [u32; 4] {
    let edges = property(element, "bbox").unwrap();
    let edges: Vec<u32> = edges.iter().map(|edge| edge.parse().unwrap()).collect();
    edges.try_into().unwrap()
}

fn is_within(inner: [u32; 4], outer: [u32; 4]) -> bool {
    inner[0] >= outer[0] && inner[1] >= outer[1] && inner[2] <= outer[2] && inner[3] <= outer[3]
}

#[test]
fn hocr_is_read_back() {
    let page = page();
    let hocr = page.to_hocr("a \"scan\" & <more>.png");
    let hocr = parse_xml(&hocr);
    assert!(
        hocr.root_element()
            .has_tag_name(("http://www.w3.org/1999/xhtml", "html"))
    );
    let [found] = all(hocr.root(), "ocr_page")[..] else {
        panic!()
    };
    assert_eq!(bbox(found), [0, 0, 1000, 1000]);
    let title = found.attribute("title").unwrap();
    assert!(title.starts_with("image \"a 'scan' & <more>.png\"; "));
    assert_eq!(all(found, "ocr_carea").len(), page.blocks.len());
    assert_eq!(all(found, "ocr_par").len(), page.paragraphs().count());
    assert_eq!(all(found, "ocr_line").len(), page.lines().count());
    for area in all(found, "ocr_carea") {
        for paragraph in all(area, "ocr_par") {
            assert!(is_within(bbox(paragraph), bbox(area)));
            for line in all(paragraph, "ocr_line") {
                assert!(is_within(bbox(line), bbox(paragraph)));
                assert_eq!(property(line, "baseline").unwrap(), ["0", "0"]);
                for word in all(line, "ocrx_word") {
                    assert!(is_within(bbox(word), bbox(line)));
                    assert_eq!(property(word, "x_wconf").unwrap(), ["87"]);
                }
            }
        }
    }
    let lines: Vec<String> = all(found, "ocr_line")
        .into_iter()
        .map(|line| {
            let words = all(line, "ocrx_word");
            let words: Vec<&str> = words.iter().filter_map(Node::text).collect();
            words.join(" ")
        })
        .collect();
    let expected: Vec<String> = page.lines().map(|line| line.text()).collect();
    assert_eq!(lines, expected);
    let mut ids: Vec<&str> = Vec::new();
    for class in ["ocr_page", "ocr_carea", "ocr_par", "ocr_line", "ocrx_word"] {
        let elements = all(found, class);
        ids.extend(
            elements
                .iter()
                .map(|element| element.attribute("id").unwrap()),
        );
    }
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count);
}

#[test]
fn hocr_of_turned_lines_says_so() {
    let turned = |quad: [f32; 8]| {
        let mut region = line("up here", 0.0, 0.0, 0.0, 0.0);
        region.quad = QuadBox::from(quad);
        let hocr = Page::from_regions(&[region], Size::new(200, 200)).to_hocr("");
        let parsed = parse_xml(&hocr);
        let line = all(parsed.root(), "ocr_line")[0];
        (property(line, "textangle"), property(line, "baseline"))
    };
    let one = |value: &str| Some(vec![value.to_owned()]);
    assert_eq!(
        turned([10.0, 150.0, 10.0, 50.0, 30.0, 50.0, 30.0, 150.0]),
        (one("90"), None)
    );
    assert_eq!(
        turned([30.0, 50.0, 30.0, 150.0, 10.0, 150.0, 10.0, 50.0]),
        (one("270"), None)
    );
    assert_eq!(
        turned([150.0, 30.0, 50.0, 30.0, 50.0, 10.0, 150.0, 10.0]),
        (one("180"), None)
    );
    let baseline =
        |slope: &str, offset: &str| (None, Some(vec![slope.to_owned(), offset.to_owned()]));
    // Falls by 10 over 100; the baseline starts 10 above the bottom of the box.
    let falling = turned([50.0, 10.0, 150.0, 20.0, 150.0, 40.0, 50.0, 30.0]);
    assert_eq!(falling, baseline("0.1", "-10"));
    // The quad starts 20 right of the box, where its lower edge would be at 110 of 100.
    let rising = turned([50.0, 80.0, 130.0, 40.0, 150.0, 60.0, 70.0, 100.0]);
    assert_eq!(rising, baseline("-0.5", "10"));
    // The quad starts 100 left of the image, whose edge the lower edge meets at 90 of 140.
    let cut = turned([-100.0, 20.0, 100.0, 120.0, 100.0, 140.0, -100.0, 40.0]);
    assert_eq!(cut, baseline("0.5", "-50"));
}

#[test]
fn hocr_says_that_it_has_confidences() {
    let mut sign = line("word", 10.0, 10.0, 80.0, 20.0);
    sign.text_confidence = Some(-0.0);
    let hocr = Page::from_regions(&[sign], Size::new(100, 50)).to_hocr("");
    assert!(hocr.contains("ocrx_word ocrp_wconf\"/>"));
    assert!(hocr.contains("x_wconf 0\">"));
}

#[test]
fn hocr_of_garbage_is_well_formed() {
    let odd = [
        "\u{0}\u{1b}[0m",
        "a\u{ffff}b",
        "",
        "]]>",
        "&amp;",
        "two\n\nlines",
    ];
    let regions: Vec<TextRegion> = odd
        .iter()
        .flat_map(|text| {
            let mut lost = line(text, f32::NAN, f32::INFINITY, 1.0, 1.0);
            lost.text_confidence = Some(f32::NAN);
            [lost, line(text, -1e30, -40.0, 1e31, 20.0)]
        })
        .collect();
    let hocr = Page::from_regions(&regions, Size::new(10, 10)).to_hocr("\u{1}");
    let parsed = parse_xml(&hocr);
    let words = all(parsed.root(), "ocrx_word");
    for word in &words {
        assert!(is_within(bbox(*word), [0, 0, 10, 10]));
    }
    assert!(words.len() >= 8);
    assert!(words.iter().any(|word| word.text() == Some("a\u{fffd}b")));
}
