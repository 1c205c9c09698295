//! What a job was answered, kept on disk: an interrupted job goes on from it, and a finished one is run again
//! over the very bytes.
//!
//! A tape is a row of entries: the length of a header, the header as JSON, the length of the bytes, the bytes
//! compressed with zstd. An entry that a crash cut is not there.

use super::body::Body;
use super::client::Answer;
use super::request::{Request, Validators};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::{HashMap, VecDeque};
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::{Arc, Mutex};
use url::Url;

/// Bodies past this are read back into a temporary file instead of memory.
const MEMORY_BODY: u64 = 8 << 20;
/// Fast, and a third of the size: what is kept is read seldom.
const LEVEL: i32 = 1;
/// No header is longer: what says so is no tape.
const LONGEST_HEADER: u32 = 1 << 20;

/// What is done with requests that a tape has no answer for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TapeMode {
    /// They are sent, and what comes is added to the tape.
    Recording,
    /// They fail: only what was answered then is given.
    Replaying,
}

#[derive(Debug, Serialize, Deserialize)]
struct Header {
    /// A hash of the request.
    request: String,
    url: Url,
    content_type: Option<String>,
    etag: Option<String>,
    last_modified: Option<String>,
    /// Bytes before compression.
    size: u64,
}

#[derive(Debug)]
struct Entry {
    header: Header,
    /// Where its compressed bytes begin, and how many there are.
    start: u64,
    length: u64,
}

#[derive(Debug)]
struct State {
    file: File,
    end: u64,
    /// Answers that were not given yet, by request.
    waiting: HashMap<String, VecDeque<Entry>>,
}

/// A tape; its copies are one.
#[derive(Debug, Clone)]
pub struct Tape {
    state: Arc<Mutex<State>>,
    mode: TapeMode,
    /// Answers that stood on it when it was opened.
    kept: usize,
}

impl Tape {
    /// Opens a tape, or begins it. What a crash cut at its end is taken off.
    ///
    /// # Errors
    /// When the file cannot be read, or written while recording.
    pub fn open(path: &Path, mode: TapeMode) -> io::Result<Self> {
        let is_recording = mode == TapeMode::Recording;
        let mut file =
            OpenOptions::new().read(true).write(is_recording).create(is_recording).truncate(false).open(path)?;
        let size = file.metadata()?.len();
        let mut waiting: HashMap<String, VecDeque<Entry>> = HashMap::new();
        let (mut end, mut kept) = (0, 0);
        while let Some(entry) = read_entry(&mut file, end, size)? {
            end = entry.start + entry.length;
            kept += 1;
            waiting.entry(entry.header.request.clone()).or_default().push_back(entry);
        }
        if is_recording && end < size {
            file.set_len(end)?;
        }
        Ok(Self { state: Arc::new(Mutex::new(State { file, end, waiting })), mode, kept })
    }

    /// Answers that stood on the tape when it was opened.
    #[must_use]
    pub fn kept(&self) -> usize {
        self.kept
    }

    pub(super) fn mode(&self) -> TapeMode {
        self.mode
    }

    /// The next answer that a request got, if it got one more.
    pub(super) fn play(&self, request: &Request<'_>) -> io::Result<Option<Answer>> {
        let mut state = self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let Some(entry) = state.waiting.get_mut(&name(request)).and_then(VecDeque::pop_front) else {
            return Ok(None);
        };
        state.file.seek(SeekFrom::Start(entry.start))?;
        let body = unpack((&mut state.file).take(entry.length), entry.header.size)?;
        let Header { url, content_type, etag, last_modified, .. } = entry.header;
        Ok(Some(Answer::Content { url, content_type, body, validators: Validators { etag, last_modified } }))
    }

    /// Adds an answer. One that says that nothing changed is not kept: the request is sent again.
    pub(super) fn record(&self, request: &Request<'_>, answer: &Answer) -> io::Result<()> {
        let Answer::Content { url, content_type, body, validators } = answer else { return Ok(()) };
        let header = Header {
            request: name(request),
            url: url.clone(),
            content_type: content_type.clone(),
            etag: validators.etag.clone(),
            last_modified: validators.last_modified.clone(),
            size: body.size()?,
        };
        let header = serde_json::to_vec(&header)?;
        let mut state = self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let end = state.end;
        let file = &mut state.file;
        file.seek(SeekFrom::Start(end))?;
        file.write_all(&u32::try_from(header.len()).map_err(io::Error::other)?.to_le_bytes())?;
        file.write_all(&header)?;
        let length_at = file.stream_position()?;
        file.write_all(&u64::MAX.to_le_bytes())?;
        zstd::stream::copy_encode(body.open()?, &mut *file, LEVEL)?;
        let after = file.stream_position()?;
        // The length comes last: without it the entry is cut.
        file.seek(SeekFrom::Start(length_at))?;
        file.write_all(&(after - length_at - 8).to_le_bytes())?;
        state.end = after;
        Ok(())
    }
}

/// What a request is known by: all that decides its answer but what it was last answered.
fn name(request: &Request<'_>) -> String {
    let text = format!("{}\n{}\n{}", request.url, request.wanted.accept(), request.xml.unwrap_or_default());
    crate::catalog::hex(&Sha256::digest(text.as_bytes()))
}

/// The entry at a position, unless the file ends within it.
fn read_entry(file: &mut File, at: u64, size: u64) -> io::Result<Option<Entry>> {
    if at + 4 > size {
        return Ok(None);
    }
    file.seek(SeekFrom::Start(at))?;
    let mut length = [0; 4];
    file.read_exact(&mut length)?;
    let length = u32::from_le_bytes(length);
    if length > LONGEST_HEADER || at + 12 + u64::from(length) > size {
        return Ok(None);
    }
    let mut header = vec![0; length as usize];
    file.read_exact(&mut header)?;
    let Ok(header) = serde_json::from_slice(&header) else { return Ok(None) };
    let mut bytes = [0; 8];
    file.read_exact(&mut bytes)?;
    let (start, length) = (at + 12 + u64::from(length), u64::from_le_bytes(bytes));
    Ok(start.checked_add(length).filter(|end| *end <= size).map(|_| Entry { header, start, length }))
}

fn unpack(packed: impl Read, size: u64) -> io::Result<Body> {
    if size <= MEMORY_BODY {
        let mut bytes = Vec::new();
        zstd::stream::copy_decode(io::BufReader::new(packed), &mut bytes)?;
        return Ok(Body::Memory(bytes.into()));
    }
    let mut file = tempfile::NamedTempFile::new()?;
    zstd::stream::copy_decode(io::BufReader::new(packed), &mut file)?;
    Ok(Body::Spooled(Arc::new(file.into_temp_path())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fetch::Wanted;

    fn answer(url: &Url, text: &str) -> Answer {
        Answer::Content {
            url: url.clone(),
            content_type: Some("text/turtle".to_owned()),
            body: Body::Memory(text.as_bytes().into()),
            validators: Validators::default(),
        }
    }

    fn text(answer: Option<Answer>) -> Option<String> {
        match answer? {
            Answer::Content { body, .. } => Some(String::from_utf8(body.read().unwrap()).unwrap()),
            Answer::NotModified => None,
        }
    }

    #[test]
    fn answers_come_back_in_their_order_and_a_cut_entry_is_not_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("job.tape");
        let url = Url::parse("https://data.example/catalog").unwrap();
        let request = Request::new(&url, Wanted::Rdf);
        let tape = Tape::open(&path, TapeMode::Recording).unwrap();
        for page in ["first", "second", "third"] {
            tape.record(&request, &answer(&url, page)).unwrap();
        }
        assert!(tape.play(&request).unwrap().is_none(), "what was just recorded is not given back");
        let size = std::fs::metadata(&path).unwrap().len();
        OpenOptions::new().write(true).open(&path).unwrap().set_len(size - 3).unwrap();
        let again = Tape::open(&path, TapeMode::Recording).unwrap();
        assert_eq!(again.kept(), 2);
        assert_eq!(text(again.play(&request).unwrap()).as_deref(), Some("first"));
        assert!(again.play(&Request::new(&url, Wanted::Json)).unwrap().is_none());
        assert_eq!(text(again.play(&request).unwrap()).as_deref(), Some("second"));
        again.record(&request, &answer(&url, "third, again")).unwrap();
        let replayed = Tape::open(&path, TapeMode::Replaying).unwrap();
        let pages: Vec<_> = (0..4).map(|_| text(replayed.play(&request).unwrap())).collect();
        assert_eq!(pages[2].as_deref(), Some("third, again"));
        assert_eq!(pages[3], None);
    }
}
