//! The text of a page, to say where in it a value stands.

use crate::fetch::Body;
use std::sync::OnceLock;

/// Lines between two of which the positions are kept.
const STEP: u32 = 64;
/// Bytes that are looked through for a value: a long description.
const STRETCH: u64 = 32 << 10;
/// Bytes between a property and its value.
const APART: usize = 4 << 10;
/// Places of a property's name that are looked at, and how far from one its value stands if it follows at once.
const NAMES: usize = 64;
const AT_ONCE: usize = 24;

/// The text of a page; it is read a stretch at a time, however long the page is.
#[derive(Debug)]
pub struct PageText {
    body: Body,
    /// The position of each so many-th line, found when the first is asked for.
    positions: OnceLock<Vec<u64>>,
}

impl PageText {
    /// The text of a page's bytes.
    #[must_use]
    pub fn new(body: Body) -> Self {
        Self { body, positions: OnceLock::new() }
    }

    /// The line and the column, both from 1, at which a value of a property stands, from a line on: behind the
    /// property's own name where the text has it. The column counts characters.
    #[must_use]
    pub fn find(&self, line: u32, property: Option<&str>, value: &str) -> Option<(u32, u32)> {
        self.find_besides(line, property, value, &[])
    }

    /// The same, besides some places that are another's.
    #[must_use]
    pub fn find_besides(
        &self,
        line: u32,
        property: Option<&str>,
        value: &str,
        of_others: &[(u32, u32)],
    ) -> Option<(u32, u32)> {
        let stretch = self.stretch(line)?;
        let forms = written_forms(value);
        let is_free = |at: usize| of_others.is_empty() || !of_others.contains(&position(&stretch, at, line));
        let near = property.and_then(|property| {
            let name = property.rsplit(['#', '/']).next().filter(|name| !name.is_empty())?;
            nearest(&stretch, name, &forms, &is_free)
        });
        let at = near.or_else(|| first_of(&stretch, 0, APART * 2, &forms).filter(|at| is_free(*at)))?;
        Some(position(&stretch, at, line))
    }

    /// The same for a value that stands on a line or on one before it.
    #[must_use]
    pub fn find_before(&self, line: u32, value: &str) -> Option<(u32, u32)> {
        let first = line.saturating_sub(20).max(1);
        let stretch = self.stretch(first)?;
        let lines = usize::try_from(line - first + 1).unwrap_or(1);
        let end = memchr::memchr_iter(b'\n', &stretch).nth(lines - 1).unwrap_or(stretch.len());
        let before = &stretch[..end];
        let at =
            written_forms(value).iter().filter_map(|form| memchr::memmem::rfind(before, form.as_bytes())).max()?;
        Some(position(&stretch, at, first))
    }

    /// The text from a line on, as bytes: it is cut anywhere, and what is looked for in it is few.
    fn stretch(&self, line: u32) -> Option<Vec<u8>> {
        let positions = self.positions.get_or_init(|| positions(&self.body));
        let before = line.checked_sub(1)?;
        let start = *positions.get((before / STEP) as usize)?;
        let mut bytes = self.body.part(start, STRETCH + u64::from(STEP) * 512).ok()?;
        let skipped = before % STEP;
        let from = match skipped {
            0 => 0,
            lines => memchr::memchr_iter(b'\n', &bytes).nth(lines as usize - 1)? + 1,
        };
        bytes.drain(..from);
        Some(bytes)
    }
}

/// The place of any of some forms that stands next behind a property's name, of all places of the name: a short value is
/// part of many texts. One that follows at once is not looked beyond.
fn nearest(stretch: &[u8], name: &str, forms: &[String], is_free: &dyn Fn(usize) -> bool) -> Option<usize> {
    let mut nearest: Option<(usize, usize)> = None;
    for at in memchr::memmem::find_iter(stretch, name).take(NAMES) {
        let behind = at + name.len();
        if let Some(found) = first_of(stretch, behind, APART, forms)
            && nearest.is_none_or(|(distance, _)| found - behind < distance)
            && is_free(found)
        {
            nearest = Some((found - behind, found));
        }
        if nearest.is_some_and(|(distance, _)| distance <= AT_ONCE) {
            break;
        }
    }
    nearest.map(|(_, found)| found)
}

/// The first place of any of some forms, as a word of its own, from a position on, within so many bytes.
fn first_of(stretch: &[u8], from: usize, within: usize, forms: &[String]) -> Option<usize> {
    let end = stretch.len().min(from + within);
    let is_word = |at: usize, form: &str| {
        let apart = |edge: Option<&u8>, beyond: Option<&u8>| {
            !(edge.is_some_and(u8::is_ascii_alphanumeric) && beyond.is_some_and(u8::is_ascii_alphanumeric))
        };
        let before = at.checked_sub(1).and_then(|before| stretch.get(before));
        apart(form.as_bytes().first(), before) && apart(form.as_bytes().last(), stretch.get(at + form.len()))
    };
    let first = |form: &String| {
        let found = memchr::memmem::find_iter(&stretch[from..end], form.as_bytes()).map(|at| from + at);
        found.into_iter().find(|at| is_word(*at, form))
    };
    forms.iter().filter_map(first).min()
}

/// How a value may be written: as it is, escaped as XML or JSON does, its first line, an IRI by its last part.
fn written_forms(value: &str) -> Vec<String> {
    let line = value.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or(value);
    let json = serde_json::to_string(line).unwrap_or_default();
    let json = json.trim_matches('"').to_owned();
    let mut forms =
        vec![line.to_owned(), quick_xml::escape::escape(line).into_owned(), json.replace('/', "\\/"), json];
    if forms.iter().all(|form| form == line) && line.contains("://") {
        forms.extend(line.rsplit(['#', '/']).next().filter(|name| name.len() > 2).map(ToOwned::to_owned));
    }
    forms.retain(|form| !form.is_empty());
    forms.dedup();
    forms
}

fn position(stretch: &[u8], at: usize, line: u32) -> (u32, u32) {
    let before = &stretch[..at];
    let breaks = memchr::memchr_iter(b'\n', before).count();
    let start = memchr::memrchr(b'\n', before).map_or(0, |at| at + 1);
    let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    (line + number(breaks), number(String::from_utf8_lossy(&before[start..]).chars().count()) + 1)
}

fn positions(body: &Body) -> Vec<u64> {
    let mut found = vec![0];
    let (mut lines, mut start) = (0_u32, 0_u64);
    loop {
        let Ok(bytes) = body.part(start, 1 << 20) else { return found };
        if bytes.is_empty() {
            return found;
        }
        for at in memchr::memchr_iter(b'\n', &bytes) {
            lines += 1;
            if lines % STEP == 0 {
                found.push(start + at as u64 + 1);
            }
        }
        start += bytes.len() as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_found_behind_its_property_from_a_line_on() {
        let filler = "# a line with 2021\n".repeat(500);
        let text = format!(
            "{filler}<a> dct:title \"12/06/2021\" ;\n  dct:issued \"12/06/2021\" ;\n  foaf:page <http://e/x y> .\n"
        );
        let page = PageText::new(Body::Memory(text.into_bytes().into()));
        let issued = Some("http://purl.org/dc/terms/issued");
        assert_eq!(page.find(501, issued, "12/06/2021"), Some((502, 15)));
        assert_eq!(page.find(501, None, "12/06/2021"), Some((501, 16)));
        assert_eq!(page.find_before(503, "http://e/x y"), Some((503, 14)));
        assert_eq!(page.find(501, issued, "elsewhere"), None);
        assert_eq!(page.find(9_999, issued, "12/06/2021"), None);
        let short = PageText::new(Body::Memory(
            b"<dct:language>it</dct:language> default\n<dct:language>de</dct:language>".as_slice().into(),
        ));
        assert_eq!(short.find(1, Some("http://purl.org/dc/terms/language"), "de"), Some((2, 15)));
        let language = Some("http://purl.org/dc/terms/language");
        assert_eq!(short.find_besides(1, language, "it", &[(1, 15)]), None);
        let escaped = PageText::new(Body::Memory(b"<a>\n<dct:issued>a &amp; b</dct:issued>".as_slice().into()));
        assert_eq!(escaped.find(1, issued, "a & b"), Some((2, 13)));
    }
}
