//! Messages between the server and its workers: a length of four bytes, and JSON.

use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io::{self, Read};

/// The longest message: a query with all its escapes.
const LONGEST: u32 = 64 << 20;

/// A message as it is sent.
///
/// # Panics
/// When the message is longer than messages may be, which bounds on queries rule out.
pub(super) fn packed(message: &impl Serialize) -> Vec<u8> {
    let text = serde_json::to_vec(message).expect("plain values");
    let length = u32::try_from(text.len()).expect("a message of ours is short");
    [&length.to_be_bytes()[..], &text].concat()
}

/// How long the message is that a head announces.
pub(super) fn length(head: [u8; 4]) -> io::Result<usize> {
    match u32::from_be_bytes(head) {
        length if length <= LONGEST => Ok(length as usize),
        _ => Err(io::ErrorKind::InvalidData.into()),
    }
}

/// Reads a message; nothing at the end of the stream.
pub(super) fn receive<M: DeserializeOwned>(from: &mut impl Read) -> io::Result<Option<M>> {
    let mut head = [0; 4];
    match from.read_exact(&mut head) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        other => other?,
    }
    let mut text = vec![0; length(head)?];
    from.read_exact(&mut text)?;
    Ok(Some(serde_json::from_slice(&text)?))
}
