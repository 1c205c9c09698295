//! Reading one line at a time, so that a streaming parser's position is known to the line.

use std::cell::Cell;
use std::io::{self, BufRead, BufReader, Read};
use std::rc::Rc;

/// A reader that gives at most one line a call and counts them.
pub(super) struct LineReader<R> {
    inner: BufReader<R>,
    line: Rc<Cell<u32>>,
    /// Whether the last byte given ended a line.
    at_line_start: bool,
    at_start: bool,
}

impl<R: Read> LineReader<R> {
    /// Wraps a reader; the counter holds the number of the line last given, from 1.
    pub(super) fn new(inner: R) -> (Self, Rc<Cell<u32>>) {
        let line = Rc::new(Cell::new(0));
        let reader = Self {
            inner: BufReader::with_capacity(1 << 16, inner),
            line: Rc::clone(&line),
            at_line_start: true,
            at_start: true,
        };
        (reader, line)
    }
}

impl<R: Read> Read for LineReader<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let mut available = self.inner.fill_buf()?;
        if std::mem::take(&mut self.at_start) && available.starts_with(b"\xEF\xBB\xBF") {
            self.inner.consume(3);
            available = self.inner.fill_buf()?;
        }
        if available.is_empty() || out.is_empty() {
            return Ok(0);
        }
        if std::mem::take(&mut self.at_line_start) {
            self.line.set(self.line.get() + 1);
        }
        let end = memchr::memchr(b'\n', available).map_or(available.len(), |at| at + 1);
        let length = end.min(out.len());
        out[..length].copy_from_slice(&available[..length]);
        self.at_line_start = out[length - 1] == b'\n';
        self.inner.consume(length);
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_one_line_a_read_and_skips_the_byte_order_mark() {
        let (mut reader, line) = LineReader::new(&b"\xEF\xBB\xBFa\nbc\n\nd"[..]);
        let mut seen = Vec::new();
        let mut buffer = [0; 16];
        loop {
            let length = reader.read(&mut buffer).unwrap();
            if length == 0 {
                break;
            }
            seen.push((String::from_utf8_lossy(&buffer[..length]).into_owned(), line.get()));
        }
        let expected = [("a\n", 1), ("bc\n", 2), ("\n", 3), ("d", 4)];
        assert_eq!(seen, expected.map(|(text, line)| (text.to_owned(), line)));
    }
}
