//! Until where a long page speaks of each of its nodes, in memory that does not grow with the page.
//!
//! A page is read in blocks. Most nodes are spoken of in one block alone: when it ends they are over, and
//! nothing of them is kept. The others are found by a filter of all nodes seen so far, which may take a new
//! node for a known one (a few bytes too many are kept then) and never a known one for new.

use super::census::NodeHash;
use rustc_hash::FxHashMap;
use std::io::{self, BufReader, BufWriter, Read, Seek, Write};

/// How a triple speaks of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mention {
    /// As its object.
    Object,
    /// As the topic of a catalogue record, which belongs to its description.
    Topic,
}

/// The last blocks that speak of a node that several blocks speak of.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Life {
    /// The last that describes it: says something that was not said before.
    pub(super) described: u32,
    /// The last whose triples have it as an object.
    pub(super) mentioned: u32,
    /// The last where it is the topic of a catalogue record.
    pub(super) topic: u32,
}

/// What the present block says of a node.
#[derive(Debug, Clone, Copy, Default)]
struct Present {
    described: Option<Said>,
    is_mentioned: bool,
    is_topic: bool,
}

/// The runs of triples about a node in one block.
#[derive(Debug, Clone, Copy)]
struct Said {
    /// The first run. Half a hash is enough: it is compared with the other runs of one node alone.
    content: u32,
    /// Whether another run says something else.
    varies: bool,
}

/// Triples in a row about one node. Portals repeat the description of a publisher beside each of its
/// datasets: a repeated run says nothing new, and must not keep every dataset waiting for the last.
#[derive(Debug, Default)]
struct Run {
    node: NodeHash,
    /// The sum of the triples' hashes: the same for the same triples in any order.
    content: u32,
}

/// Gathers the lives of nodes block by block.
#[derive(Debug)]
pub(super) struct Lives {
    block: u32,
    present: FxHashMap<NodeHash, Present>,
    run: Run,
    seen: Filter,
    lasting: FxHashMap<NodeHash, Life>,
    aside: Option<BufWriter<std::fs::File>>,
    failure: Option<io::Error>,
}

impl Default for Lives {
    fn default() -> Self {
        Self {
            block: 0,
            present: FxHashMap::default(),
            run: Run::default(),
            seen: Filter::new(),
            lasting: FxHashMap::default(),
            aside: None,
            failure: None,
        }
    }
}

impl Lives {
    /// A triple about a node; `content` is a hash of what it says.
    pub(super) fn describe(&mut self, node: NodeHash, content: u64) {
        if self.run.node != node {
            self.end_run();
            self.run = Run { node, content: 0 };
            self.present.entry(node).or_default();
        }
        self.run.content = self.run.content.wrapping_add((content >> 32) as u32);
    }

    /// A triple that refers to a node.
    pub(super) fn mention(&mut self, node: NodeHash, how: Mention) {
        let present = self.present.entry(node).or_default();
        present.is_mentioned = true;
        present.is_topic |= how == Mention::Topic;
    }

    fn end_run(&mut self) {
        let run = std::mem::take(&mut self.run);
        let Some(present) = self.present.get_mut(&run.node) else { return };
        let said = present.described.get_or_insert(Said { content: run.content, varies: false });
        said.varies |= said.content != run.content;
    }

    /// Ends a block: of its nodes, those are remembered that earlier blocks spoke of too; what the block
    /// says of each is put aside, for the case that a later block shows that it should have been.
    pub(super) fn end_block(&mut self) {
        self.end_run();
        let mut present = std::mem::take(&mut self.present);
        for (node, present) in present.drain() {
            if self.seen.insert(node) {
                let life = self.lasting.entry(node).or_default();
                if present.is_mentioned {
                    life.mentioned = self.block;
                }
                if present.is_topic {
                    life.topic = self.block;
                }
            }
            if let Some(said) = present.described
                && let Err(error) = self.put_aside(node, said)
            {
                self.failure.get_or_insert(error);
            }
        }
        self.present = present;
        self.block += 1;
    }

    fn put_aside(&mut self, node: NodeHash, said: Said) -> io::Result<()> {
        if self.aside.is_none() {
            self.aside = Some(BufWriter::new(tempfile::tempfile()?));
        }
        let Some(aside) = &mut self.aside else { return Ok(()) };
        let mut record = [0; RECORD];
        record[..8].copy_from_slice(&node.to_le_bytes());
        record[8..12].copy_from_slice(&self.block.to_le_bytes());
        record[12..16].copy_from_slice(&said.content.to_le_bytes());
        record[16] = u8::from(said.varies);
        aside.write_all(&record)
    }

    /// Ends the page: the lives of the nodes that several of its blocks speak of.
    ///
    /// # Errors
    /// When the temporary file of what was put aside cannot be written or read.
    pub(super) fn finish(mut self) -> io::Result<FxHashMap<NodeHash, Life>> {
        self.end_block();
        if let Some(failure) = self.failure {
            return Err(failure);
        }
        let Some(aside) = self.aside else { return Ok(FxHashMap::default()) };
        let mut aside = aside.into_inner().map_err(io::IntoInnerError::into_error)?;
        aside.rewind()?;
        let mut aside = BufReader::with_capacity(RECORD << 12, aside);
        let mut first_said: FxHashMap<NodeHash, u32> = FxHashMap::default();
        let mut record = [0; RECORD];
        while read_record(&mut aside, &mut record)? {
            let (node, block, said) = parse(&record);
            let Some(life) = self.lasting.get_mut(&node) else { continue };
            let repeats = first_said.get(&node) == Some(&said.content) && !said.varies;
            if !repeats {
                life.described = block;
            }
            first_said.entry(node).or_insert(said.content);
        }
        self.lasting.retain(|node, _| first_said.contains_key(node));
        Ok(self.lasting)
    }
}

/// Bytes of what one block says of one node: its hash, the block, the content, whether it varies.
const RECORD: usize = 17;

fn parse(record: &[u8; RECORD]) -> (NodeHash, u32, Said) {
    let number =
        |from: usize| u32::from_le_bytes([record[from], record[from + 1], record[from + 2], record[from + 3]]);
    let node = u64::from(number(0)) | (u64::from(number(4)) << 32);
    (node, number(8), Said { content: number(12), varies: record[16] != 0 })
}

fn read_record(from: &mut impl Read, record: &mut [u8; RECORD]) -> io::Result<bool> {
    match from.read_exact(record) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

/// A Bloom filter of hashes with two bits each: 8 MB, for pages of millions of nodes.
#[derive(Debug)]
struct Filter {
    bits: Vec<u64>,
}

impl Filter {
    const WORDS: usize = 1 << 20;

    fn new() -> Self {
        Self { bits: vec![0; Self::WORDS] }
    }

    /// Adds a hash; gives whether it seems to have been there.
    fn insert(&mut self, hash: NodeHash) -> bool {
        let mut was_there = true;
        for half in [hash & u64::from(u32::MAX), hash >> 32] {
            let word = &mut self.bits[(half >> 6) as usize % Self::WORDS];
            let bit = 1 << (half % 64);
            was_there &= *word & bit != 0;
            *word |= bit;
        }
        was_there
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lives of a page given as blocks of runs: the node described, what is said of it, whom it mentions.
    fn lives(page: &[&[(NodeHash, u64, NodeHash)]]) -> FxHashMap<NodeHash, Life> {
        let mut lives = Lives::default();
        for (number, block) in page.iter().enumerate() {
            if number > 0 {
                lives.end_block();
            }
            for (node, content, mentioned) in *block {
                lives.describe(*node, content << 32);
                lives.mention(*mentioned, Mention::Object);
            }
        }
        lives.finish().unwrap()
    }

    const PUBLISHER: NodeHash = 77 << 32 | 7;

    #[test]
    fn what_one_block_speaks_of_is_forgotten() {
        let found = lives(&[&[(1 << 40, 1, 2 << 40), (2 << 40, 1, 9)], &[(3 << 40, 1, 9)]]);
        assert!(found.is_empty(), "{found:?}");
    }

    #[test]
    fn a_repeated_description_is_no_new_one() {
        let page = [(1 << 40, 1, PUBLISHER), (PUBLISHER, 5, 9)];
        let life = lives(&[&page, &page, &page])[&PUBLISHER];
        assert_eq!((life.described, life.mentioned), (0, 2));
    }

    #[test]
    fn another_description_is_waited_for() {
        let [first, other] = [5, 6].map(|content| [(1 << 40, 1, PUBLISHER), (PUBLISHER, content, 9)]);
        assert_eq!(lives(&[&first, &other, &first])[&PUBLISHER].described, 1);
        let both = [(PUBLISHER, 5, 9), (1 << 40, 1, 9), (PUBLISHER, 6, 9)];
        assert_eq!(lives(&[&first, &first, &both])[&PUBLISHER].described, 2);
        let late = lives(&[&[(1 << 40, 1, PUBLISHER)], &first[1..]])[&PUBLISHER];
        assert_eq!((late.described, late.mentioned), (1, 0));
    }
}
