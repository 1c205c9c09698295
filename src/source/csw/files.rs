//! ISO records in files: one, a folder of them, a MEF archive of `GeoNetwork`; over HTTP a listing of XML files (WAF).

use super::document::{PageRead, Reading, text_of};
use crate::catalog::with_causes;
use crate::fetch::Body;
use crate::lift::LiftError;
use crate::source::crawl::{Crawl, SourceError, page_name};
use crate::source::json::interface_error;
use crate::source::records::PortionSink;
use regex::Regex;
use std::collections::BTreeSet;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use url::Url;

/// Bytes of one file of an archive, unpacked; and files of an archive.
const MOST_UNPACKED: u64 = 64 << 20;
const MOST_FILES: usize = 100_000;

impl Crawl<'_> {
    /// Reads a file, or the files of a folder in the order of their names.
    pub(super) fn local(&mut self, path: &Path, sink: &mut PortionSink<'_>) -> Result<(), SourceError> {
        let url = Url::from_file_path(path).expect("the path is absolute");
        if !path.is_dir() && !is_archive(path) {
            let content = text_of(&url, None, &Body::File(path.to_owned()))?;
            return self.document(&url, &content, sink);
        }
        let mut reading = Reading::of_files(&url);
        let files = if path.is_dir() {
            xml_files(path).map_err(|source| unreadable(&url, source))?
        } else {
            vec![path.to_owned()]
        };
        let mut given = 0;
        for file in files {
            let url = Url::from_file_path(&file).expect("below an absolute path");
            if self.is_at_its_limit(&url) {
                return Ok(());
            }
            // A file that is too long costs itself, as a page of the web does.
            let (length, most) = (file.metadata().map_or(0, |file| file.len()), self.client.limits().body);
            if length > most {
                self.fail(&url, None, format!("the file has {length} bytes, and --max-bytes is {most}"));
                continue;
            }
            let read = if is_archive(&file) {
                self.archive(&url, &file, &mut reading, sink)
            } else {
                text_of(&url, None, &Body::File(file))
                    .map(|content| self.read_page(&url, &content, &mut reading, sink))
            };
            self.outcome.pages += 1;
            match read {
                Ok(read) if read.appetite_lost => {
                    self.outcome.complete = false;
                    return Ok(());
                }
                Ok(read) => given += read.given + read.broken,
                Err(error) => self.fail(&url, None, with_causes(&error)),
            }
        }
        if given == 0 && self.outcome.errors.is_empty() {
            return Err(interface_error(&page_name(&url), "no record was found in its files"));
        }
        Ok(())
    }

    /// Reads the metadata of a MEF archive, whose versions 1 and 2 keep it at other places.
    fn archive(
        &mut self,
        url: &Url,
        path: &Path,
        reading: &mut Reading<'_>,
        sink: &mut PortionSink<'_>,
    ) -> Result<PageRead, LiftError> {
        let broken = |error: zip::result::ZipError| LiftError::Io { page: page_name(url), source: error.into() };
        let file = std::fs::File::open(path).map_err(|source| LiftError::Io { page: page_name(url), source })?;
        let mut archive = zip::ZipArchive::new(std::io::BufReader::new(file)).map_err(broken)?;
        if archive.len() > MOST_FILES {
            let (held, read) = (archive.len(), MOST_FILES);
            self.fail(
                url,
                None,
                format!("the archive has {held} files, of which the first {read} were looked at"),
            );
        }
        let mut names = Vec::new();
        for name in archive.file_names().take(MOST_FILES) {
            match name {
                Ok(name) => names.push(name.into_owned()),
                Err(error) => {
                    self.fail(url, None, format!("a file of the archive has no name that can be read: {error}"));
                }
            }
        }
        let mut read = PageRead::default();
        for name in metadata_files(&names) {
            let place = member_url(url, &name);
            // A file that cannot be unpacked costs itself alone.
            let content = unpacked(&mut archive, &name, &place)
                .and_then(|bytes| text_of(&place, None, &Body::Memory(bytes.into())));
            match content {
                Ok(content) => {
                    let page = self.read_page(&place, &content, reading, sink);
                    read.given += page.given;
                    read.broken += page.broken;
                    read.appetite_lost |= page.appetite_lost;
                }
                Err(error) => self.fail(&place, None, with_causes(&error)),
            }
            if read.appetite_lost {
                break;
            }
        }
        Ok(read)
    }

    /// Reads the XML files that a web page lists, and those of the folders in it.
    pub(super) fn listing(
        &mut self,
        url: &Url,
        content: &str,
        sink: &mut PortionSink<'_>,
    ) -> Result<(), SourceError> {
        let mut folders = vec![(url.clone(), content.to_owned())];
        let mut reading = Reading::of_files(url);
        let mut visited = BTreeSet::from([url.as_str().to_owned()]);
        let mut files = 0;
        while let Some((folder, content)) = folders.pop() {
            for link in links(&folder, url, &content) {
                if !visited.insert(link.as_str().to_owned()) {
                    continue;
                }
                if self.is_at_its_limit(&link) {
                    return Ok(());
                }
                match self.xml(&link, None) {
                    Ok((_, content)) if link.path().ends_with('/') => folders.push((link, content)),
                    Ok((_, content)) => {
                        files += 1;
                        let read = self.read_page(&link, &content, &mut reading, sink);
                        self.outcome.pages += 1;
                        if read.appetite_lost {
                            self.outcome.complete = false;
                            return Ok(());
                        }
                    }
                    Err(error) => {
                        files += 1;
                        self.outcome.unread += 1;
                        self.fail(&link, None, with_causes(&error));
                    }
                }
            }
        }
        if files == 0 {
            let message = "this is a web page without links to XML files: give the address of a catalogue service, which often ends in /csw, or that of a folder of records";
            return Err(interface_error(&page_name(url), message));
        }
        Ok(())
    }
}

/// The bytes of a file of an archive.
fn unpacked(
    archive: &mut zip::ZipArchive<std::io::BufReader<std::fs::File>>,
    name: &str,
    place: &Url,
) -> Result<Vec<u8>, LiftError> {
    let page = || page_name(place);
    let member = archive.by_name(name).map_err(|error| LiftError::Io { page: page(), source: error.into() })?;
    let mut bytes = Vec::new();
    member
        .take(MOST_UNPACKED + 1)
        .read_to_end(&mut bytes)
        .map_err(|source| LiftError::Io { page: page(), source })?;
    if bytes.len() as u64 > MOST_UNPACKED {
        return Err(LiftError::TooLong { page: page(), limit: MOST_UNPACKED });
    }
    Ok(bytes)
}

/// The XML files and folders that a page links to, below the first folder.
fn links(page: &Url, root: &Url, content: &str) -> BTreeSet<Url> {
    static HREF: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r#"(?i)<a\b[^>]*\bhref\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))"#)
            .expect("a static expression")
    });
    let base = root.path().rsplit_once('/').map_or("/", |(folder, _)| folder);
    let base = format!("{}/", base.trim_end_matches('/'));
    HREF.captures_iter(content)
        .filter_map(|found| found.get(1).or_else(|| found.get(2)).or_else(|| found.get(3)))
        .filter_map(|href| page.join(&href.as_str().replace("&amp;", "&")).ok())
        .filter(|link| link.origin() == root.origin() && link.path().starts_with(&base) && link.query().is_none())
        .filter(|link| link.path().to_lowercase().ends_with(".xml") || link.path().ends_with('/'))
        // A page links to itself and to the folders above it.
        .filter(|link| !page.path().starts_with(link.path()))
        .map(|mut link| {
            link.set_fragment(None);
            link
        })
        .collect()
}

/// Whether a web page is a server's listing of a folder with XML files or further folders: Apache, nginx, IIS and others
/// have these words in it.
pub(in crate::source) fn is_listing(url: &Url, page: &str) -> bool {
    let lower = page.to_lowercase();
    let words = ["index of", "parent directory", "directory listing"];
    words.iter().any(|word| lower.contains(word)) && !links(url, url, page).is_empty()
}

fn unreadable(url: &Url, source: std::io::Error) -> SourceError {
    LiftError::Io { page: page_name(url), source }.into()
}

/// The files of a folder and of those in it that may hold records.
fn xml_files(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut entries: Vec<PathBuf> =
        std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?;
    entries.sort();
    for path in entries {
        if path.is_symlink() {
            continue;
        }
        if path.is_dir() {
            found.extend(xml_files(&path)?);
        } else if is_xml(&path) || is_archive(&path) {
            found.push(path);
        }
    }
    Ok(found)
}

/// Whether a folder has XML files, or folders that may; an archive has records.
pub(in crate::source) fn holds_records(path: &Path) -> bool {
    let mut entries = std::fs::read_dir(path).into_iter().flatten().flatten();
    is_archive(path) || entries.any(|entry| entry.path().is_dir() || is_xml(&entry.path()))
}

fn is_xml(path: &Path) -> bool {
    path.extension().is_some_and(|suffix| suffix.eq_ignore_ascii_case("xml"))
}

pub(in crate::source) fn is_archive(path: &Path) -> bool {
    path.extension().is_some_and(|suffix| suffix.eq_ignore_ascii_case("zip") || suffix.eq_ignore_ascii_case("mef"))
}

/// The metadata of each record of an archive: the whole record where it is kept in several forms.
fn metadata_files(names: &[String]) -> Vec<String> {
    let is_metadata = |name: &&String| name.rsplit('/').next() == Some("metadata.xml");
    let found: Vec<String> = names.iter().filter(is_metadata).cloned().collect();
    if !found.is_empty() {
        return found;
    }
    names
        .iter()
        .filter(|name| name.to_lowercase().ends_with(".xml") && !name.ends_with("info.xml"))
        .cloned()
        .collect()
}

fn member_url(archive: &Url, name: &str) -> Url {
    let mut url = archive.clone();
    url.path_segments_mut().expect("a file's address has a path").extend(name.split('/'));
    url
}
