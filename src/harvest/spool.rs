//! Changes that wait until their job has read all: in memory up to a bound, then in a file that no crash leaves
//! behind.

use super::writing::{Was, Written};
use crate::catalog::{DatasetKey, GraphHash, RecordKind, SourceId};
use crate::operations::{DerivedRow, RecordRow};
use crate::store::{CatalogueRecord, Change};
use oxrdf::{NamedNode, Triple};
use oxrdfio::{RdfFormat, RdfParser};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, Write};
use std::path::Path;

/// Statements that wait in memory.
const IN_MEMORY: usize = 150_000;
/// Records that are given back together.
const PORTION: usize = 1_000;

/// Changes that wait.
#[derive(Default)]
pub(super) struct Spool {
    waiting: Vec<Written>,
    statements: usize,
    file: Option<BufWriter<File>>,
}

impl Spool {
    /// Adds changes; those that are too many for memory go into a file of the folder.
    pub(super) fn push(&mut self, written: Vec<Written>, folder: &Path) -> io::Result<()> {
        self.statements +=
            written.iter().map(|one| one.change.stated.len() + one.change.normalised.len()).sum::<usize>();
        self.waiting.extend(written);
        if self.statements < IN_MEMORY {
            return Ok(());
        }
        let file = match &mut self.file {
            Some(file) => file,
            None => self.file.insert(BufWriter::new(tempfile::tempfile_in(folder)?)),
        };
        for written in self.waiting.drain(..) {
            write(file, &written)?;
        }
        self.statements = 0;
        Ok(())
    }

    /// Gives the changes back, in the order in which they came.
    pub(super) fn into_portions(self) -> io::Result<Portions> {
        let file = match self.file {
            Some(file) => {
                let mut file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
                file.rewind()?;
                Some(BufReader::new(file))
            }
            None => None,
        };
        Ok(Portions { file, waiting: self.waiting.into_iter() })
    }
}

/// Changes, a portion at a time.
pub(super) struct Portions {
    file: Option<BufReader<File>>,
    waiting: std::vec::IntoIter<Written>,
}

impl Portions {
    /// The next portion; none when all were given.
    pub(super) fn next(&mut self) -> io::Result<Option<Vec<Written>>> {
        let mut portion = Vec::new();
        if let Some(file) = &mut self.file {
            while portion.len() < PORTION {
                let Some(written) = read(file)? else {
                    self.file = None;
                    break;
                };
                portion.push(written);
            }
        }
        if portion.len() < PORTION {
            let room = PORTION - portion.len();
            portion.extend(self.waiting.by_ref().take(room));
        }
        Ok((!portion.is_empty()).then_some(portion))
    }
}

/// What stands before the statements of a record.
#[derive(Serialize, Deserialize)]
struct Head {
    row: RecordRow,
    was: Was,
    /// The state that the record was derived from, where it was derived.
    derived: Option<String>,
    node: String,
    kind: RecordKind,
    mapping: String,
    first_seen: String,
    modified: String,
    /// How many of the statements are the source's own.
    stated: usize,
}

/// A record in the file: its head, what was derived, its statements, each behind its length.
fn write(out: &mut impl Write, written: &Written) -> io::Result<()> {
    let record = &written.change.record;
    let head = Head {
        row: written.row.clone(),
        was: written.was,
        derived: written.derived.as_ref().map(|derived| derived.state.clone()),
        node: record.node.as_str().to_owned(),
        kind: record.kind,
        mapping: record.mapping.clone(),
        first_seen: record.first_seen.clone(),
        modified: record.modified.clone(),
        stated: written.change.stated.len(),
    };
    let head = serde_json::to_vec(&head)?;
    let derived = written.derived.as_ref().map_or(&[][..], |row| &row.record);
    let mut statements = Vec::new();
    for triple in written.change.stated.iter().chain(&written.change.normalised) {
        writeln!(statements, "{triple} .")?;
    }
    for part in [&head[..], derived, &statements[..]] {
        out.write_all(&(part.len() as u64).to_le_bytes())?;
        out.write_all(part)?;
    }
    Ok(())
}

/// The next record of the file.
fn read(file: &mut impl Read) -> io::Result<Option<Written>> {
    let Some(head) = read_part(file)? else { return Ok(None) };
    let cut = || io::Error::from(io::ErrorKind::UnexpectedEof);
    let head: Head = serde_json::from_slice(&head)?;
    let derived = read_part(file)?.ok_or_else(cut)?;
    let statements = read_part(file)?.ok_or_else(cut)?;
    // What was written is given back, whatever a strict parser thinks of its IRIs.
    let parser = RdfParser::from_format(RdfFormat::NTriples).lenient().for_slice(&statements);
    let mut stated: Vec<Triple> =
        parser.map(|quad| quad.map(Triple::from).map_err(io::Error::other)).collect::<Result<_, _>>()?;
    let normalised = stated.split_off(head.stated);
    let wrong = |what: &str| io::Error::other(format!("the spool holds no {what}"));
    let key = DatasetKey::parse(&head.row.key).ok_or_else(|| wrong("key"))?;
    let record = CatalogueRecord {
        key,
        node: NamedNode::new_unchecked(head.node),
        kind: head.kind,
        source: SourceId::parse(&head.row.source).map_err(io::Error::other)?,
        remote_id: head.row.remote_id.clone(),
        hash: GraphHash::parse(&head.row.hash).ok_or_else(|| wrong("hash"))?,
        mapping: head.mapping,
        first_seen: head.first_seen,
        modified: head.modified,
        missing_since: None,
    };
    let derived = head.derived.map(|state| DerivedRow { key, state, record: derived });
    Ok(Some(Written {
        row: head.row,
        derived,
        change: Change { key, stated, normalised, record, ours: Vec::new() },
        was: head.was,
    }))
}

fn read_part(file: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut length = [0; 8];
    match file.read_exact(&mut length) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        outcome => outcome?,
    }
    let mut bytes = Vec::new();
    file.take(u64::from_le_bytes(length)).read_to_end(&mut bytes)?;
    Ok(Some(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use oxrdf::Literal;

    fn written(number: u32) -> Written {
        let source = SourceId::parse("s").unwrap();
        let remote_id = format!("record \"{number}\"");
        let key = DatasetKey::of(&source, &remote_id);
        let node = NamedNode::new_unchecked(format!("https://data.example/{number}"));
        let title = Literal::new_language_tagged_literal_unchecked("un \"titre\"\n\tà suivre", "fr");
        let hash = GraphHash::of("x");
        let record = CatalogueRecord {
            key,
            node: node.clone(),
            kind: RecordKind::Series,
            source: source.clone(),
            remote_id: remote_id.clone(),
            hash,
            mapping: "m".to_owned(),
            first_seen: "2026-01-01T00:00:00Z".to_owned(),
            modified: "2026-01-02T00:00:00Z".to_owned(),
            missing_since: None,
        };
        let row = RecordRow {
            key: key.to_string(),
            source: source.to_string(),
            node: node.as_str().to_owned(),
            remote_id,
            hash: hash.to_string(),
            violation: 1,
            warning: 0,
            info: 0,
            findings: Vec::new(),
            quality: None,
        };
        let triple = Triple::new(node.clone(), node, title);
        let derived = Some(DerivedRow { key, state: "s".to_owned(), record: vec![0, 255, 10] });
        let change =
            Change { key, stated: vec![triple.clone(); 2], normalised: vec![triple], record, ours: Vec::new() };
        Written { row, derived, change, was: Was::New }
    }

    #[test]
    fn what_goes_through_the_file_comes_back_as_it_was_and_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let mut spool = Spool::default();
        spool.push(vec![written(0), written(1)], folder.path()).unwrap();
        spool.statements = IN_MEMORY;
        spool.push(vec![written(2)], folder.path()).unwrap();
        spool.push(vec![written(3)], folder.path()).unwrap();
        assert_eq!(
            std::fs::read_dir(folder.path()).unwrap().count(),
            0,
            "no name that a crash could leave behind"
        );
        let mut portions = spool.into_portions().unwrap();
        let back = portions.next().unwrap().unwrap();
        assert!(portions.next().unwrap().is_none());
        for (number, one) in (0..).zip(&back) {
            let wanted = written(number);
            assert_eq!(one.change.record, wanted.change.record);
            assert_eq!(
                (&one.change.stated, &one.change.normalised),
                (&wanted.change.stated, &wanted.change.normalised)
            );
            assert_eq!(
                (&one.row.remote_id, &one.derived, one.was),
                (&wanted.row.remote_id, &wanted.derived, wanted.was)
            );
        }
        assert_eq!(back.len(), 4);
    }
}
