//! The blocks of a long page, put aside in a temporary file between its lifting and the making of its
//! windows: reading them again costs a small part of lifting the page again.

use crate::lift::LiftedTriple;
use crate::triples::{GraphBuilder, TermId};
use crate::vocab::xsd;
use oxrdf::{BlankNode, Literal, NamedNode, NamedOrBlankNode, Term};
use rustc_hash::FxHashMap;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, Write};

/// Tells where a page can be cut into blocks of some triples. A run of triples about one subject is never
/// cut: a half of a description would look like another one.
#[derive(Debug)]
pub(super) struct Cutter {
    size: usize,
    read: usize,
    last: Option<NamedOrBlankNode>,
}

impl Cutter {
    pub(super) fn of(size: usize) -> Self {
        Self { size: size.max(1), read: 0, last: None }
    }

    /// Whether another block begins with the page's next triple.
    pub(super) fn cuts_before(&mut self, subject: &NamedOrBlankNode) -> bool {
        let cuts = self.read >= self.size && self.last.as_ref() != Some(subject);
        if cuts {
            self.read = 0;
        }
        self.read += 1;
        if self.read == self.size {
            self.last = Some(subject.clone());
        }
        cuts
    }
}

/// Triples in a row of a page, and the line at which each of their subjects first comes.
#[derive(Debug, Default)]
pub(super) struct Block {
    pub(super) terms: Vec<Term>,
    pub(super) rows: Vec<[TermId; 3]>,
    pub(super) lines: Vec<(TermId, u32)>,
}

/// A block in the making.
#[derive(Debug, Default)]
pub(super) struct BlockBuilder {
    builder: GraphBuilder,
    lines: FxHashMap<TermId, u32>,
}

impl BlockBuilder {
    pub(super) fn add(&mut self, lifted: &LiftedTriple) {
        let [subject, ..] = self.builder.insert_numbered(&lifted.triple);
        self.lines.entry(subject).or_insert(lifted.line);
    }

    fn build(self) -> Block {
        let (terms, rows) = self.builder.into_parts();
        Block { terms, rows, lines: self.lines.into_iter().collect() }
    }
}

/// Blocks put aside.
pub(super) struct Aside {
    file: BufWriter<File>,
    blocks: u32,
}

impl Aside {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self { file: BufWriter::with_capacity(BUFFER, tempfile::tempfile()?), blocks: 0 })
    }

    pub(super) fn put(&mut self, block: BlockBuilder) -> io::Result<()> {
        self.blocks += 1;
        block.build().write(&mut self.file)
    }

    /// The blocks, in the order in which they were put aside.
    pub(super) fn blocks(self) -> io::Result<impl Iterator<Item = io::Result<Block>>> {
        let mut file = self.file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.rewind()?;
        let mut file = BufReader::with_capacity(BUFFER, file);
        Ok((0..self.blocks).map(move |_| Block::read(&mut file)))
    }
}

const BUFFER: usize = 1 << 18;

const IRI: u8 = 0;
const BLANK: u8 = 1;
const PLAIN: u8 = 2;
const TAGGED: u8 = 3;
const TYPED: u8 = 4;

impl Block {
    fn write(&self, to: &mut impl Write) -> io::Result<()> {
        write_number(to, self.terms.len())?;
        for term in &self.terms {
            write_term(to, term)?;
        }
        write_number(to, self.rows.len())?;
        for id in self.rows.as_flattened() {
            to.write_all(&id.to_le_bytes())?;
        }
        write_number(to, self.lines.len())?;
        for (subject, line) in &self.lines {
            to.write_all(&subject.to_le_bytes())?;
            to.write_all(&line.to_le_bytes())?;
        }
        Ok(())
    }

    fn read(from: &mut impl Read) -> io::Result<Self> {
        let terms = (0..read_number(from)?).map(|_| read_term(from)).collect::<io::Result<_>>()?;
        let rows = (0..read_number(from)?)
            .map(|_| Ok([read_number(from)?, read_number(from)?, read_number(from)?]))
            .collect::<io::Result<_>>()?;
        let lines = (0..read_number(from)?)
            .map(|_| Ok((read_number(from)?, read_number(from)?)))
            .collect::<io::Result<_>>()?;
        Ok(Self { terms, rows, lines })
    }
}

fn write_term(to: &mut impl Write, term: &Term) -> io::Result<()> {
    let (tag, text, more) = match term {
        Term::NamedNode(node) => (IRI, node.as_str(), None),
        Term::BlankNode(node) => (BLANK, node.as_str(), None),
        Term::Literal(literal) => match literal.language() {
            Some(language) => (TAGGED, literal.value(), Some(language)),
            None if literal.datatype() == xsd::STRING => (PLAIN, literal.value(), None),
            None => (TYPED, literal.value(), Some(literal.datatype().as_str())),
        },
    };
    to.write_all(&[tag])?;
    [Some(text), more].into_iter().flatten().try_for_each(|text| {
        write_number(to, text.len())?;
        to.write_all(text.as_bytes())
    })
}

fn read_term(from: &mut impl Read) -> io::Result<Term> {
    let mut tag = [0];
    from.read_exact(&mut tag)?;
    let text = read_text(from)?;
    Ok(match tag[0] {
        IRI => NamedNode::new_unchecked(text).into(),
        BLANK => BlankNode::new_unchecked(text).into(),
        PLAIN => Literal::new_simple_literal(text).into(),
        TAGGED => Literal::new_language_tagged_literal_unchecked(text, read_text(from)?).into(),
        _ => Literal::new_typed_literal(text, NamedNode::new_unchecked(read_text(from)?)).into(),
    })
}

fn write_number(to: &mut impl Write, number: usize) -> io::Result<()> {
    to.write_all(&u32::try_from(number).map_err(io::Error::other)?.to_le_bytes())
}

fn read_number(from: &mut impl Read) -> io::Result<u32> {
    let mut bytes = [0; 4];
    from.read_exact(&mut bytes)?;
    Ok(u32::from_le_bytes(bytes))
}

fn read_text(from: &mut impl Read) -> io::Result<String> {
    let mut text = vec![0; read_number(from)? as usize];
    from.read_exact(&mut text)?;
    String::from_utf8(text).map_err(io::Error::other)
}
