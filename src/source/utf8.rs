//! JSON that is not UTF-8, as it must be (RFC 8259, 8.1): what is none is read as windows-1252, which it mostly is.

use encoding_rs::WINDOWS_1252;
use std::cell::Cell;
use std::io::{self, Read};
use std::rc::Rc;

/// Bytes read at a time.
const CHUNK: usize = 1 << 16;

/// A reader of text that gives UTF-8 whatever it reads.
pub(super) struct Utf8Reader<R> {
    inner: R,
    /// Bytes read and not given yet, which may end within a character.
    raw: Vec<u8>,
    ready: Vec<u8>,
    given: usize,
    is_at_end: bool,
    mended: Rc<Cell<u64>>,
}

impl<R: Read> Utf8Reader<R> {
    /// Wraps a reader; the count of bytes that were no UTF-8 goes on with it.
    pub(super) fn new(inner: R) -> (Self, Rc<Cell<u64>>) {
        let mended = Rc::new(Cell::new(0));
        let (raw, ready) = (Vec::new(), Vec::new());
        (Self { inner, raw, ready, given: 0, is_at_end: false, mended: Rc::clone(&mended) }, mended)
    }

    fn fill(&mut self) -> io::Result<()> {
        self.ready.clear();
        self.given = 0;
        while self.ready.is_empty() && !(self.is_at_end && self.raw.is_empty()) {
            let read = self.inner.by_ref().take(CHUNK as u64).read_to_end(&mut self.raw)?;
            self.is_at_end = read < CHUNK;
            self.decode();
        }
        Ok(())
    }

    /// Moves what is whole from `raw` to `ready`.
    fn decode(&mut self) {
        let raw = std::mem::take(&mut self.raw);
        for chunk in raw.utf8_chunks() {
            self.ready.extend_from_slice(chunk.valid().as_bytes());
            let invalid = chunk.invalid();
            let ends_here = std::ptr::eq(invalid.as_ptr_range().end, raw.as_ptr_range().end);
            // A character that the chunk cuts is read with the next one.
            let may_go_on = std::str::from_utf8(invalid).is_err_and(|error| error.error_len().is_none());
            if ends_here && may_go_on && !self.is_at_end {
                self.raw = invalid.to_vec();
            } else if !invalid.is_empty() {
                self.mended.set(self.mended.get() + invalid.len() as u64);
                self.ready.extend_from_slice(WINDOWS_1252.decode_without_bom_handling(invalid).0.as_bytes());
            }
        }
    }
}

impl<R: Read> Read for Utf8Reader<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.given == self.ready.len() {
            self.fill()?;
        }
        let length = out.len().min(self.ready.len() - self.given);
        out[..length].copy_from_slice(&self.ready[self.given..self.given + length]);
        self.given += length;
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> (String, u64) {
        let (mut reader, mended) = Utf8Reader::new(bytes);
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        (text, mended.get())
    }

    #[test]
    fn what_is_no_utf_8_is_read_as_windows_1252() {
        assert_eq!(read("été €".as_bytes()), ("été €".to_owned(), 0));
        assert_eq!(read(b"\xE9t\xE9 \x80 caf\xC3\xA9"), ("été € café".to_owned(), 3));
        assert_eq!(read(b"ends in \xC3"), ("ends in Ã".to_owned(), 1));
        let long = format!("{}é", "x".repeat(CHUNK - 1));
        assert_eq!(read(long.as_bytes()), (long.clone(), 0), "a character that a chunk cuts");
    }
}
