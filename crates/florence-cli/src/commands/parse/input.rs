//! Reads lines of bytes in bounded memory.

use std::io::{self, BufRead, Read};

/// Maximum bytes per line. As JSON values a line takes up to 70 times its length.
pub(super) const MAX_LINE: usize = 8 << 20;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The lines that are not blank, each with its number, counted from 1 over all lines, and without
/// its line break and a byte order mark. `None` stands for a line that is too long.
pub(super) struct Input<R> {
    source: R,
    number: usize,
}

impl<R: BufRead> Input<R> {
    pub(super) fn new(source: R) -> Self {
        Self { source, number: 0 }
    }

    /// The next line, blank or not.
    fn line(&mut self) -> io::Result<Option<Option<Vec<u8>>>> {
        let mut line = Vec::new();
        let limit = MAX_LINE as u64 + 1;
        let read = (&mut self.source)
            .take(limit)
            .read_until(b'\n', &mut line)?;
        if read == 0 {
            return Ok(None);
        }
        self.number += 1;
        if line.len() > MAX_LINE && !line.ends_with(b"\n") {
            self.source.skip_until(b'\n')?;
            return Ok(Some(None));
        }
        let start = if line.starts_with(BYTE_ORDER_MARK) {
            BYTE_ORDER_MARK.len()
        } else {
            0
        };
        Ok(Some(Some(line[start..].trim_ascii().to_vec())))
    }
}

impl<R: BufRead> Iterator for Input<R> {
    type Item = io::Result<(usize, Option<Vec<u8>>)>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.line().transpose()? {
                Ok(Some(line)) if line.is_empty() => {}
                line => return Some(line.map(|line| (self.number, line))),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(input: &[u8]) -> Vec<(usize, Option<Vec<u8>>)> {
        Input::new(input).collect::<io::Result<_>>().unwrap()
    }

    #[test]
    fn lines_end_in_any_way_and_keep_their_numbers() {
        let lines = read(b"\xef\xbb\xbfone\r\n\n \t\r\ntwo\nthr\xffee");
        let wanted: [(usize, &[u8]); 3] = [(1, b"one"), (4, b"two"), (5, b"thr\xffee")];
        assert_eq!(
            lines,
            wanted.map(|(number, line)| (number, Some(line.to_vec())))
        );
        assert_eq!(read(b"\xef\xbb\xbf\n"), []);
    }

    #[test]
    fn a_line_that_is_too_long_is_skipped_as_a_whole() {
        let long = vec![b'a'; MAX_LINE];
        let mut input = [&long[..], b"\n", &long, b"a\nlast"].concat();
        let lines = read(&input);
        assert_eq!(lines[0].1.as_ref().map(Vec::len), Some(MAX_LINE));
        assert_eq!(lines[1..], [(2, None), (3, Some(b"last".to_vec()))]);
        input.truncate(input.len() - b"\nlast".len());
        assert_eq!(read(&input)[1..], [(2, None)]);
    }
}
