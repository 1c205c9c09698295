//! The bytes of an answer or a file.

use std::fs::File;
use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempPath;

/// The bytes of an answer, in memory or in a file.
#[derive(Debug, Clone)]
pub enum Body {
    /// A short one.
    Memory(Arc<[u8]>),
    /// A local file.
    File(PathBuf),
    /// A long one, removed with its last copy.
    Spooled(Arc<TempPath>),
}

impl Body {
    /// Opens the bytes for one reading from the start.
    pub fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        Ok(match self {
            Self::Memory(bytes) => Box::new(Cursor::new(Arc::clone(bytes))),
            Self::File(path) => Box::new(File::open(path)?),
            Self::Spooled(path) => Box::new(File::open(path.as_ref() as &Path)?),
        })
    }

    /// The number of bytes.
    pub fn size(&self) -> io::Result<u64> {
        match self {
            Self::Memory(bytes) => Ok(bytes.len() as u64),
            Self::File(path) => Ok(path.metadata()?.len()),
            Self::Spooled(path) => Ok((path.as_ref() as &Path).metadata()?.len()),
        }
    }

    /// The last bytes, at most so many.
    pub fn tail(&self, most: u64) -> io::Result<Vec<u8>> {
        let start = self.size()?.saturating_sub(most);
        let mut bytes = Vec::new();
        let mut file = match self {
            Self::Memory(bytes) => return Ok(bytes[usize::try_from(start).unwrap_or(0)..].to_vec()),
            Self::File(path) => File::open(path)?,
            Self::Spooled(path) => File::open(path.as_ref() as &Path)?,
        };
        file.seek(SeekFrom::Start(start))?;
        file.read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// The bytes from a position on, at most so many.
    pub fn part(&self, start: u64, most: u64) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let mut file = match self {
            Self::Memory(bytes) => {
                let start = usize::try_from(start).unwrap_or(usize::MAX).min(bytes.len());
                let end = start.saturating_add(usize::try_from(most).unwrap_or(usize::MAX)).min(bytes.len());
                return Ok(bytes[start..end].to_vec());
            }
            Self::File(path) => File::open(path)?,
            Self::Spooled(path) => File::open(path.as_ref() as &Path)?,
        };
        file.seek(SeekFrom::Start(start))?;
        // Read at once; a file may be much shorter than what is asked for.
        bytes.reserve(usize::try_from(most).unwrap_or(usize::MAX).min(1 << 20));
        file.take(most).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// All bytes at once.
    pub fn read(&self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.open()?.read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}
