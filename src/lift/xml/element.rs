//! An element of an XML document, with what it holds.

use std::fmt::{self, Write};

/// An attribute that is no declaration of a namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// Its name as written, with its prefix.
    pub name: String,
    /// Its value, unescaped.
    pub value: String,
}

impl Attribute {
    /// The name without its prefix.
    #[must_use]
    pub fn local(&self) -> &str {
        local(&self.name)
    }
}

/// An element with what it holds. Comments and processing instructions are left out.
#[derive(Debug, Clone, Default)]
pub struct Element {
    /// Its name as written, with its prefix.
    pub name: String,
    /// The namespace of its prefix; empty where there is none, or where the prefix is not declared.
    pub namespace: String,
    /// Its attributes.
    pub attributes: Vec<Attribute>,
    /// The elements in it.
    pub children: Vec<Element>,
    /// Its own text, without white space around.
    pub text: String,
    /// The line in which it starts, from 1.
    pub line: u32,
    /// Where it stands in the document's text, in bytes.
    pub span: std::ops::Range<usize>,
}

impl Element {
    /// The name without its prefix.
    #[must_use]
    pub fn local(&self) -> &str {
        local(&self.name)
    }

    /// The value of an attribute, by its name without prefix.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes
            .iter()
            .find(|attribute| attribute.local() == name)
            .map(|attribute| attribute.value.as_str())
    }

    /// The elements at the end of a way of names without prefixes: each step leads to the elements of that name,
    /// and `*` to all.
    #[must_use]
    pub fn at<'e>(&'e self, way: &'e [&'e str]) -> Box<dyn Iterator<Item = &'e Element> + 'e> {
        let Some((name, rest)) = way.split_first() else { return Box::new(std::iter::once(self)) };
        let found = self.children.iter().filter(move |child| *name == "*" || child.local() == *name);
        Box::new(found.flat_map(|child| child.at(rest)))
    }

    /// The first text at or below this element.
    #[must_use]
    pub fn any_text(&self) -> Option<&str> {
        if !self.text.is_empty() {
            return Some(&self.text);
        }
        self.children.iter().find_map(Self::any_text)
    }

    /// The element of a number: this one has 0, and the others follow in the order of the document.
    #[must_use]
    pub fn numbered(&self, number: usize) -> Option<&Element> {
        let mut way = Vec::new();
        self.find(&mut { number }, &mut way).then(|| way.into_iter().fold(self, |at, child| &at.children[child]))
    }

    fn write(&self, f: &mut fmt::Formatter<'_>, declaration: &str) -> fmt::Result {
        write!(f, "<{}{declaration}", self.name)?;
        for Attribute { name, value } in &self.attributes {
            write!(f, " {name}=\"{}\"", escape(value))?;
        }
        write!(f, ">{}", escape(&self.text))?;
        self.children.iter().try_for_each(|child| child.write(f, ""))?;
        write!(f, "</{}>", self.name)
    }

    fn find(&self, left: &mut usize, way: &mut Vec<usize>) -> bool {
        if *left == 0 {
            return true;
        }
        for (position, child) in self.children.iter().enumerate() {
            *left -= 1;
            way.push(position);
            if child.find(left, way) {
                return true;
            }
            way.pop();
        }
        false
    }

    /// The `XPath` to the element of a number, in the document's own prefixes, behind the one to this element.
    #[must_use]
    pub fn path_to(&self, number: usize, start: &str) -> Option<String> {
        let mut way = Vec::new();
        if !self.find(&mut { number }, &mut way) {
            return None;
        }
        let mut path = start.to_owned();
        let mut at = self;
        for position in way {
            let child = &at.children[position];
            let alike = |others: &[Element]| others.iter().filter(|other| other.name == child.name).count();
            // Writing to a String cannot fail.
            let _ = write!(path, "/{}", child.name);
            if alike(&at.children) > 1 {
                let _ = write!(path, "[{}]", alike(&at.children[..=position]));
            }
            at = child;
        }
        Some(path)
    }
}

/// The element as a document of its own, with the namespace of its name.
impl fmt::Display for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let declaration = match self.name.split_once(':') {
            _ if self.namespace.is_empty() => String::new(),
            Some((prefix, _)) => format!(" xmlns:{prefix}=\"{}\"", escape(&self.namespace)),
            None => format!(" xmlns=\"{}\"", escape(&self.namespace)),
        };
        self.write(f, &declaration)
    }
}

fn escape(text: &str) -> std::borrow::Cow<'_, str> {
    quick_xml::escape::escape(text)
}

/// A name without its prefix.
pub(super) fn local(name: &str) -> &str {
    name.rsplit_once(':').map_or(name, |(_, local)| local)
}
