//! Reading an XML document: the records in it, and what stands around them.
//!
//! No document type is read, so that no entity is fetched or expanded. A record that is not well formed is given as
//! what it is, and reading goes on behind it.

use super::element::{Attribute, Element};
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use std::collections::{BTreeSet, HashMap};
use std::ops::ControlFlow;

/// Elements within elements: deeper is an attack.
const DEPTH: usize = 200;

/// A piece of a document.
#[derive(Debug)]
pub enum XmlPart {
    /// An element around records, without what it holds.
    Around(Element),
    /// A record.
    Record {
        /// Its element.
        element: Element,
        /// The `XPath` to it from the root of the document, in the document's own prefixes.
        path: String,
        /// The namespaces that are declared around it: prefix and IRI.
        scope: Vec<(String, String)>,
        /// Prefixes that nothing declares.
        undeclared: BTreeSet<String>,
    },
    /// A record, or what is left of the document, that is not well formed.
    Broken(Broken),
}

/// What is not well formed.
#[derive(Debug)]
pub struct Broken {
    /// Its text, as far as it goes.
    pub text: String,
    /// The line of the fault.
    pub line: u32,
    /// The fault.
    pub message: String,
}

/// Reads a document, and gives each element that `is_record` names whole, the others without what they hold.
pub fn read_xml(
    text: &str,
    is_record: &dyn Fn(&Element) -> bool,
    take: &mut dyn FnMut(XmlPart) -> ControlFlow<()>,
) -> ControlFlow<()> {
    let mut document = Document::of(text);
    loop {
        match document.step(is_record) {
            Ok(Some(part)) => take(part)?,
            Ok(None) => return ControlFlow::Continue(()),
            Err(message) => {
                let broken = document.pass_over(message);
                take(XmlPart::Broken(broken))?;
            }
        }
    }
}

struct Document<'t> {
    text: &'t str,
    reader: Reader<&'t [u8]>,
    /// Where the reader began: it begins again behind what is not well formed.
    base: usize,
    /// The lines before a position, as far as they were counted.
    counted: (usize, u32),
    /// The declarations of the open elements.
    scopes: Vec<Vec<(String, String)>>,
    /// The open elements around records.
    way: Vec<Step>,
    /// Where the piece that is being read starts, and the elements that are open around it.
    start: usize,
    around: usize,
    undeclared: BTreeSet<String>,
}

/// An element around records.
#[derive(Debug, Default)]
struct Step {
    path: String,
    /// How many elements of each name it was found to hold.
    met: HashMap<String, usize>,
}

impl<'t> Document<'t> {
    fn of(text: &'t str) -> Self {
        let text = text.trim_start_matches('\u{feff}');
        Self {
            text,
            reader: reader(text),
            base: 0,
            counted: (0, 1),
            scopes: Vec::new(),
            way: Vec::new(),
            start: 0,
            around: 0,
            undeclared: BTreeSet::new(),
        }
    }

    fn position(&self) -> usize {
        self.base + usize::try_from(self.reader.buffer_position()).unwrap_or(usize::MAX)
    }

    fn line_of(&mut self, position: usize) -> u32 {
        let (from, line) = if position >= self.counted.0 { self.counted } else { (0, 1) };
        let breaks = memchr::memchr_iter(b'\n', &self.text.as_bytes()[from..position]).count();
        self.counted = (position, line.saturating_add(u32::try_from(breaks).unwrap_or(u32::MAX)));
        self.counted.1
    }

    /// The next part; `None` at the end.
    fn step(&mut self, is_record: &dyn Fn(&Element) -> bool) -> Result<Option<XmlPart>, String> {
        loop {
            let before = self.position();
            (self.start, self.around) = (before, self.scopes.len());
            match self.reader.read_event().map_err(|error| error.to_string())? {
                Event::Start(tag) => {
                    let element = self.open(&tag, before)?;
                    let path = self.path_to_next(&element.name);
                    if !is_record(&element) {
                        self.way.push(Step { path, ..Step::default() });
                        return Ok(Some(XmlPart::Around(element)));
                    }
                    return self.record(element, path).map(Some);
                }
                Event::Empty(tag) => {
                    let element = self.open(&tag, before)?;
                    self.scopes.pop();
                    let _ = self.path_to_next(&element.name);
                    return Ok(Some(XmlPart::Around(element)));
                }
                Event::End(_) => {
                    self.scopes.pop();
                    self.way.pop();
                }
                Event::Eof => return Ok(None),
                Event::DocType(_) => return Err("a document type".to_owned()),
                Event::Text(_) | Event::CData(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            }
        }
    }

    /// The `XPath` to the element that begins. Whether others of its name follow is not known yet, so that it always
    /// has its number, unless it is the root.
    fn path_to_next(&mut self, name: &str) -> String {
        let Some(around) = self.way.last_mut() else { return format!("/{name}") };
        let number = around.met.entry(name.to_owned()).or_default();
        *number += 1;
        format!("{}/{name}[{number}]", around.path)
    }

    fn record(&mut self, mut element: Element, path: String) -> Result<XmlPart, String> {
        self.undeclared.clear();
        let scope = self.scopes[..self.around].iter().flatten().cloned().collect();
        self.fill(&mut element)?;
        Ok(XmlPart::Record { element, path, scope, undeclared: std::mem::take(&mut self.undeclared) })
    }

    /// Opens an element: its name, its attributes, the namespaces that it declares.
    fn open(&mut self, tag: &BytesStart<'_>, start: usize) -> Result<Element, String> {
        let utf8 = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (mut attributes, mut declared) = (Vec::new(), Vec::new());
        for attribute in tag.attributes() {
            let attribute = attribute.map_err(|error| error.to_string())?;
            let name = utf8(attribute.key.as_ref());
            let value = attribute.unescape_value().map_err(|error| error.to_string())?.into_owned();
            match name.strip_prefix("xmlns") {
                Some("") => declared.push((String::new(), value)),
                Some(prefix) if prefix.starts_with(':') => declared.push((prefix[1..].to_owned(), value)),
                _ => attributes.push(Attribute { name, value }),
            }
        }
        self.scopes.push(declared);
        let name = utf8(tag.name().as_ref());
        let namespace = self.namespace(&name);
        let line = self.line_of(start);
        Ok(Element { name, namespace, attributes, line, span: start..start, ..Element::default() })
    }

    fn namespace(&mut self, name: &str) -> String {
        let prefix = name.split_once(':').map_or("", |(prefix, _)| prefix);
        let mut declared = self.scopes.iter().rev().flat_map(|scope| scope.iter().rev());
        if let Some((_, namespace)) = declared.find(|(known, _)| known == prefix) {
            namespace.clone()
        } else {
            if !prefix.is_empty() {
                self.undeclared.insert(prefix.to_owned());
            }
            String::new()
        }
    }

    /// Reads what an element holds, until its end.
    fn fill(&mut self, root: &mut Element) -> Result<(), String> {
        let mut open: Vec<Element> = vec![std::mem::take(root)];
        loop {
            let before = self.position();
            let mut text = None;
            match self.reader.read_event().map_err(|error| error.to_string())? {
                Event::Start(tag) => {
                    if open.len() == DEPTH {
                        return Err(format!("elements within elements to a depth of more than {DEPTH}"));
                    }
                    open.push(self.open(&tag, before)?);
                }
                Event::Empty(tag) => {
                    let mut element = self.open(&tag, before)?;
                    self.scopes.pop();
                    element.span.end = self.position();
                    open.last_mut().expect("the record is open").children.push(element);
                }
                Event::End(_) => {
                    self.scopes.pop();
                    let mut element = open.pop().expect("as many ends as starts");
                    element.span.end = self.position();
                    element.text.truncate(element.text.trim_end().len());
                    element.text.drain(..element.text.len() - element.text.trim_start().len());
                    if let Some(parent) = open.last_mut() {
                        parent.children.push(element);
                    } else {
                        *root = element;
                        return Ok(());
                    }
                }
                Event::Text(found) => {
                    text = Some(found.unescape().map_err(|error| error.to_string())?.into_owned());
                }
                Event::CData(found) => text = Some(String::from_utf8_lossy(&found).into_owned()),
                Event::Eof => return Err("the document ends in the middle of an element".to_owned()),
                Event::DocType(_) => return Err("a document type".to_owned()),
                Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            }
            if let Some(text) = text.filter(|text| !text.trim().is_empty()) {
                open.last_mut().expect("the record is open").text.push_str(&text);
            }
        }
    }

    /// Goes on behind an element that is not well formed: behind its end tag, as it is written, where there is one.
    fn pass_over(&mut self, message: String) -> Broken {
        let start = self.start.min(self.text.len());
        let fault = self.position().clamp(start, self.text.len());
        let line = self.line_of(fault);
        let rest = &self.text[start..];
        let is_end = |c: char| c.is_whitespace() || matches!(c, '>' | '/');
        let name = rest.strip_prefix('<').and_then(|tag| tag.split(is_end).next()).filter(|name| !name.is_empty());
        let end = name.and_then(|name| {
            let tag = rest.find(&format!("</{name}"))?;
            rest[tag..].find('>').map(|length| start + tag + length + 1)
        });
        let end = end.unwrap_or(self.text.len());
        self.scopes.truncate(self.around);
        // A reader passes over a byte order mark at its start without counting it.
        self.base = self.text.len() - self.text[end..].trim_start_matches('\u{feff}').len();
        self.reader = reader(&self.text[self.base..]);
        // The ends of what stands around the record follow without their starts.
        self.reader.config_mut().allow_unmatched_ends = true;
        Broken { text: self.text[start..end].to_owned(), line, message }
    }
}

fn reader(text: &str) -> Reader<&[u8]> {
    Reader::from_str(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> Vec<String> {
        let mut found = Vec::new();
        let is_record = |element: &Element| element.local() == "R";
        let _ = read_xml(text, &is_record, &mut |part| {
            found.push(match part {
                XmlPart::Around(element) => format!("around {}", element.name),
                XmlPart::Record { element, .. } => {
                    format!("record {}, line {}", element.any_text().unwrap_or_default(), element.line)
                }
                XmlPart::Broken(broken) => format!("broken, line {}: {}", broken.line, broken.text),
            });
            ControlFlow::Continue(())
        });
        found
    }

    #[test]
    fn a_broken_record_costs_itself() {
        let text = "<a:L xmlns:a='u'>\n<a:R><x>1</x></a:R>\n<!-- c -->\n<a:R><x>2</y></a:R><?p?>\n<a:R><x>&nope;</x></a:R>\n<a:R><x>3</x></a:R></a:L>";
        assert_eq!(
            parts(text),
            [
                "around a:L",
                "record 1, line 2",
                "broken, line 4: <a:R><x>2</y></a:R>",
                "broken, line 5: <a:R><x>&nope;</x></a:R>",
                "record 3, line 6",
            ]
        );
    }

    #[test]
    fn the_way_to_a_record_begins_at_the_root() {
        let ways = |text: &str| {
            let mut ways = Vec::new();
            let _ = read_xml(text, &|element| element.local() == "R", &mut |part| {
                if let XmlPart::Record { path, .. } = part {
                    ways.push(path);
                }
                ControlFlow::Continue(())
            });
            ways
        };
        let text = "<a:L><S/><S><a:R/><R><x/></R><R><x></y></R><a:R/></S><S><a:R> </a:R><R>1</R></S></a:L>";
        assert_eq!(ways(text), ["/a:L/S[2]/R[1]", "/a:L/S[3]/a:R[1]", "/a:L/S[3]/R[1]"]);
        assert_eq!(ways("<a:R><x/></a:R>"), ["/a:R"]);
    }

    #[test]
    fn what_ends_too_early_is_broken() {
        assert_eq!(
            parts("<L><R><x>1</x></R><R><x>2"),
            ["around L", "record 1, line 1", "broken, line 1: <R><x>2"]
        );
        let marked = "<L><R><x>1</y></R>\u{feff}<R><x>é</y></R><R><x>2</x></R></L>";
        assert_eq!(parts(marked)[2..], ["broken, line 1: <R><x>é</y></R>", "record 2, line 1"]);
        let deep = format!("<L>{}{}</L>", "<R>".repeat(300), "</R>".repeat(300));
        assert!(parts(&deep)[1].starts_with("broken"), "a depth without bound is refused");
    }

    #[test]
    fn namespaces_are_resolved_and_missing_ones_noted() {
        let mut seen = Vec::new();
        let text = "<L xmlns='d' xmlns:a='u'><R><a:x/><b:y/></R></L>";
        let _ = read_xml(text, &|element| element.local() == "R", &mut |part| {
            if let XmlPart::Record { element, scope, undeclared, .. } = part {
                let inner = element.children.iter().map(|child| child.namespace.clone());
                seen.extend(std::iter::once(element.namespace.clone()).chain(inner));
                seen.extend(undeclared);
                seen.push(scope.len().to_string());
            }
            ControlFlow::Continue(())
        });
        assert_eq!(seen, ["d", "u", "", "b", "2"]);
    }
}
