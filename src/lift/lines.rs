//! Reading one line at a time, so that a streaming parser's position is known to the line.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, Read};
use std::rc::Rc;

/// Ends of statements remembered: a parser is behind its input by a statement or two.
const STOPS: usize = 64;

/// Where a reader is.
#[derive(Debug, Clone, Default)]
pub(super) struct Position {
    line: Rc<Cell<u32>>,
    /// The last lines that end with a full stop, as the statements of Turtle usually do.
    stops: Rc<RefCell<VecDeque<u32>>>,
}

impl Position {
    /// The number of the line last given, from 1.
    pub(super) fn line(&self) -> u32 {
        self.line.get()
    }

    /// The last line before another that ends with a full stop; 0 when there is none.
    pub(super) fn stop_before(&self, line: u32) -> u32 {
        self.stops.borrow().iter().rev().find(|stop| **stop < line).copied().unwrap_or(0)
    }

    fn note_stop(&self) {
        let mut stops = self.stops.borrow_mut();
        if stops.len() == STOPS {
            stops.pop_front();
        }
        stops.push_back(self.line.get());
    }
}

/// A reader that gives at most one line a call and counts them.
pub(super) struct LineReader<R> {
    inner: BufReader<R>,
    position: Position,
    /// Whether the last byte given ended a line.
    at_line_start: bool,
    at_start: bool,
}

impl<R: Read> LineReader<R> {
    /// Wraps a reader; the position goes on with it.
    pub(super) fn new(inner: R) -> (Self, Position) {
        let position = Position::default();
        let reader = Self {
            inner: BufReader::with_capacity(1 << 16, inner),
            position: position.clone(),
            at_line_start: true,
            at_start: true,
        };
        (reader, position)
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
            self.position.line.set(self.position.line.get() + 1);
        }
        let end = memchr::memchr(b'\n', available).map_or(available.len(), |at| at + 1);
        let length = end.min(out.len());
        out[..length].copy_from_slice(&available[..length]);
        self.at_line_start = out[length - 1] == b'\n';
        if self.at_line_start && out[..length].trim_ascii_end().ends_with(b".") {
            self.position.note_stop();
        }
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
            seen.push((String::from_utf8_lossy(&buffer[..length]).into_owned(), line.line()));
        }
        let expected = [("a\n", 1), ("bc\n", 2), ("\n", 3), ("d", 4)];
        assert_eq!(seen, expected.map(|(text, line)| (text.to_owned(), line)));
    }
}
