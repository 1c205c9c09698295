//! XML as triples that mirror it, in the way in which ISO 19139 and GML are written.
//!
//! Both alternate properties and classes (ISO 19136, 5.2: `citation/CI_Citation/title/CharacterString`). So a
//! property is a predicate, the class in it the type of the node that it leads to, and a path of predicates reads
//! as the path of the standard's model: `x:citation/x:title`. Names go without their namespaces: `gmd`, the `mdb`
//! family of ISO 19115-3 and the profiles of countries say the same by the same names, in a dozen namespaces.
//!
//! A text is a literal in its language: that of the record, or that of its `LocalisedCharacterString`. A class with
//! attributes, such as an anchor, a code or a measure, is a node with these (`a:href`, `a:codeListValue`, `a:uom`)
//! and its text as `rdf:value`; an anchor's text is a literal of the property too. A geometry of GML stays whole.
//! A node's IRI is made of its record's identifier and of its number in the order of the document.

use super::element::{Attribute, Element};
use crate::lift::json::encode;
use crate::vocab::{LIFTED, XML_ATTRIBUTE, XML_ELEMENT, geosparql, moisson, rdf, xsd};
use oxilangtag::LanguageTag;
use oxrdf::{Literal, NamedNode, Term, Triple};
use rustc_hash::FxHashMap;

/// The geometries of GML 3.1 and 3.2 that metadata bound regions by.
const GEOMETRIES: [&str; 12] = [
    "Polygon",
    "MultiSurface",
    "MultiPolygon",
    "Surface",
    "CompositeSurface",
    "MultiGeometry",
    "Point",
    "MultiPoint",
    "Curve",
    "LineString",
    "MultiCurve",
    "Envelope",
];

/// Attributes that say nothing of what is described.
const MARKS: [&str; 5] = ["schemaLocation", "codeList", "codeSpace", "space", "isoType"];

/// Lifts a record: gives its triples and returns its node. The identifier is what the catalogue calls it.
pub fn lift_xml(id: &str, record: &Element, take: &mut dyn FnMut(Triple)) -> NamedNode {
    let base = format!("{LIFTED}{}", encode(id));
    let node = NamedNode::new_unchecked(base.clone());
    let languages = Languages::of(record);
    let mut lifting = Lifting { base, languages, number: 0, names: FxHashMap::default(), take };
    lifting.class(&node, record);
    lifting.attributes(&node, record);
    lifting.children(&node, record);
    node
}

/// The languages of a record: its own, and those of its locales by their names.
struct Languages {
    own: Option<String>,
    locales: Vec<(String, String)>,
}

impl Languages {
    fn of(record: &Element) -> Self {
        let mut locales = Vec::new();
        gather_locales(record, &mut locales);
        let stated = [
            &["language", "LanguageCode"][..],
            &["defaultLocale", "PT_Locale", "language", "LanguageCode"],
            &["language"],
        ];
        let own = stated.iter().find_map(|way| record.at(way).find_map(code_text).and_then(tag));
        Self { own, locales }
    }

    fn of_locale(&self, reference: &str) -> Option<String> {
        let name = reference.rsplit('#').next()?;
        let known = self.locales.iter().find(|(id, _)| id == name);
        known.map_or_else(|| tag(name), |(_, tag)| Some(tag.clone()))
    }
}

fn gather_locales(element: &Element, locales: &mut Vec<(String, String)>) {
    for child in &element.children {
        if child.local() != "PT_Locale" {
            gather_locales(child, locales);
            continue;
        }
        let ways = [&["languageCode", "LanguageCode"][..], &["language", "LanguageCode"]];
        let named = ways.iter().find_map(|way| child.at(way).find_map(code_text).and_then(tag));
        locales.extend(child.attribute("id").zip(named).map(|(id, tag)| (id.to_owned(), tag)));
    }
}

/// What a code says: its value, else its text.
fn code_text(element: &Element) -> Option<&str> {
    element.attribute("codeListValue").filter(|value| !value.trim().is_empty()).or_else(|| element.any_text())
}

/// A language as a tag: `fre`, `fr`, `fr-CA`, or the end of the address of a code.
fn tag(written: &str) -> Option<String> {
    let code = written.trim().rsplit(['/', '#']).next()?.replace('_', "-").to_lowercase();
    let code = code.split([';', ' ']).next()?;
    let language = code.split('-').next()?;
    let is_code = (2..=3).contains(&language.len()) && language.bytes().all(|byte| byte.is_ascii_lowercase());
    (is_code && LanguageTag::parse(code).is_ok()).then(|| code.to_owned())
}

struct Lifting<'t> {
    base: String,
    languages: Languages,
    /// The number of the element that was met last.
    number: usize,
    /// Predicates by the name of the element or attribute.
    names: FxHashMap<String, NamedNode>,
    take: &'t mut dyn FnMut(Triple),
}

impl Lifting<'_> {
    fn add(&mut self, node: &NamedNode, predicate: NamedNode, object: impl Into<Term>) {
        (self.take)(Triple::new(node.clone(), predicate, object));
    }

    fn name(&mut self, namespace: &str, local: &str) -> NamedNode {
        if let Some(known) = self.names.get(local) {
            return known.clone();
        }
        let name = NamedNode::new_unchecked(format!("{namespace}{}", encode(local)));
        self.names.insert(local.to_owned(), name.clone());
        name
    }

    fn element(&mut self, local: &str) -> NamedNode {
        self.name(XML_ELEMENT, local)
    }

    fn class(&mut self, node: &NamedNode, element: &Element) {
        let class = self.element(element.local());
        self.add(node, rdf::TYPE.into_owned(), class);
    }

    fn attributes(&mut self, node: &NamedNode, element: &Element) {
        for attribute in element.attributes.iter().filter(|attribute| is_told(attribute)) {
            let predicate = NamedNode::new_unchecked(format!("{XML_ATTRIBUTE}{}", encode(attribute.local())));
            self.add(node, predicate, Literal::new_simple_literal(attribute.value.trim()));
        }
    }

    /// The node of an element's number.
    fn node(&self, number: usize) -> NamedNode {
        NamedNode::new_unchecked(format!("{}#{number}", self.base))
    }

    fn children(&mut self, node: &NamedNode, element: &Element) {
        for (position, child) in element.children.iter().enumerate() {
            self.number += 1;
            let before = element.children[..position].iter().filter(|other| other.name == child.name).count();
            self.property(node, child, before);
        }
    }

    /// A property with what it holds: a text, a class, several texts, or properties at once.
    fn property(&mut self, node: &NamedNode, property: &Element, before: usize) {
        let name = self.element(property.local());
        match property.children.as_slice() {
            [] => self.bare(node, &name, property, before),
            [only] if is_class(only) => {
                self.number += 1;
                self.value(node, &name, property, only, before);
            }
            several if several.iter().all(is_text) => self.texts(node, &name, property),
            _ => {
                let child = self.child(node, &name, self.number, before);
                self.attributes(&child, property);
                self.children(&child, property);
            }
        }
    }

    /// Links a node to that of an element, which keeps its place among its like.
    fn child(&mut self, node: &NamedNode, name: &NamedNode, number: usize, before: usize) -> NamedNode {
        let child = self.node(number);
        self.add(node, name.clone(), child.clone());
        if before > 0 {
            let place = Literal::new_typed_literal(before.to_string(), xsd::INTEGER);
            self.add(&child, moisson::POSITION.into_owned(), place);
        }
        child
    }

    /// A property without elements: a text, or what its attributes say.
    fn bare(&mut self, node: &NamedNode, name: &NamedNode, property: &Element, before: usize) {
        if !property.attributes.iter().any(is_told) {
            if !property.text.is_empty() {
                self.add(node, name.clone(), Literal::new_simple_literal(&property.text));
            }
            return;
        }
        let child = self.child(node, name, self.number, before);
        self.attributes(&child, property);
        if !property.text.is_empty() {
            self.add(&child, rdf::VALUE.into_owned(), Literal::new_simple_literal(&property.text));
        }
    }

    /// A property with the class that it holds.
    fn value(&mut self, node: &NamedNode, name: &NamedNode, property: &Element, class: &Element, before: usize) {
        if GEOMETRIES.contains(&class.local()) {
            let written = Literal::new_typed_literal(class.to_string(), geosparql::GML_LITERAL);
            self.add(node, name.clone(), written);
            self.number += class_size(class);
            return;
        }
        if is_free(class) {
            self.free_text(node, name, class);
            return;
        }
        let has_attributes = class.attributes.iter().chain(&property.attributes).any(is_told);
        if class.children.is_empty() && !has_attributes {
            self.text(node, name, class);
            return;
        }
        let child = self.child(node, name, self.number, before);
        self.class(&child, class);
        self.attributes(&child, property);
        self.attributes(&child, class);
        if !class.text.is_empty() {
            self.add(&child, rdf::VALUE.into_owned(), Literal::new_simple_literal(&class.text));
            if is_text(class) {
                self.text(node, name, class);
            }
        }
        self.children(&child, class);
    }

    /// The same text in several languages.
    fn texts(&mut self, node: &NamedNode, name: &NamedNode, property: &Element) {
        for class in &property.children {
            self.number += 1;
            if is_free(class) {
                self.free_text(node, name, class);
            } else {
                self.value(node, name, &Element::default(), class, 0);
            }
        }
    }

    fn free_text(&mut self, node: &NamedNode, name: &NamedNode, class: &Element) {
        for localised in class.at(&["*", "*"]) {
            let tag = localised.attribute("locale").and_then(|locale| self.languages.of_locale(locale));
            if !localised.text.is_empty() {
                self.add(node, name.clone(), literal(&localised.text, tag.as_deref()));
            }
        }
        self.number += class_size(class);
    }

    fn text(&mut self, node: &NamedNode, name: &NamedNode, class: &Element) {
        if class.text.is_empty() {
            return;
        }
        let tag = if is_text(class) && class.local() != "URL" { self.languages.own.as_deref() } else { None };
        let text = literal(&class.text, tag);
        self.add(node, name.clone(), text);
    }
}

fn literal(text: &str, tag: Option<&str>) -> Literal {
    match tag {
        Some(tag) => Literal::new_language_tagged_literal_unchecked(text, tag),
        None => Literal::new_simple_literal(text),
    }
}

/// Classes are written with a capital, properties without.
fn is_class(element: &Element) -> bool {
    element.local().starts_with(|c: char| c.is_ascii_uppercase())
}

fn is_text(element: &Element) -> bool {
    matches!(element.local(), "CharacterString" | "Anchor" | "URL" | "LocalisedCharacterString")
        || is_free(element)
}

/// A text in several languages, or an address in the profile of Switzerland.
fn is_free(element: &Element) -> bool {
    matches!(element.local(), "PT_FreeText" | "PT_FreeURL")
}

fn is_told(attribute: &Attribute) -> bool {
    let local = attribute.local();
    // `xlink:type` and `xsi:type` are marks too.
    let is_mark = MARKS.contains(&local) || (local == "type" && attribute.name != "type");
    !is_mark && !attribute.value.trim().is_empty()
}

/// How many elements stand below one.
fn class_size(element: &Element) -> usize {
    element.children.iter().map(|child| 1 + class_size(child)).sum()
}
