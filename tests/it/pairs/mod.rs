//! Compares an expected graph with the graph that was made, after a stated normalisation.
//!
//! Nodes without a name are paired from the roots on: by the predicate that leads to them, those first
//! whose contents agree most. Siblings have each a partner of their own, but for an expected node that only
//! repeats what its sibling's partner says, which adds nothing to a graph (RDF 1.1 Semantics, section 5).
//! A node that several triples lead to may have several partners, as one side may repeat what the other
//! shares. Named nodes are their own partners. Each expected triple counts once.

pub(crate) mod normalisation;
pub(crate) mod untangled;

use normalisation::Normalisation;
use oxrdf::{NamedNode, NamedOrBlankNode as Node, Term, Triple};
use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

/// What a comparison found: `expected` is the sum of the lengths of `present`, `missing` and `excused`.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// The number of expected triples that differ after normalisation.
    pub(crate) expected: usize,
    /// The expected triples that were found, as they were given.
    pub(crate) present: Vec<Triple>,
    /// `path from a root | predicate | value`, normalised, in the order of the expected graph.
    pub(crate) missing: Vec<String>,
    /// The same, for missing triples with a reason.
    pub(crate) excused: Vec<(String, &'static str)>,
    /// The same, for triples that were found and not expected.
    pub(crate) additional: Vec<String>,
}

/// Compares two graphs; each root of the expected graph stands for a root of the found one.
pub(crate) fn compare(
    expected: &[Triple],
    found: &[Triple],
    roots: &[(Node, Node)],
    normalise: &Normalisation,
) -> Outcome {
    let roots: Vec<_> = roots.iter().map(|(left, right)| (normalise.node(left), normalise.node(right))).collect();
    let expected = Graph::new(expected, normalise, roots.iter().map(|(left, _)| left));
    let found = Graph::new(found, normalise, roots.iter().map(|(_, right)| right));
    let mut pairing =
        Pairing { expected: &expected, found: &found, partners: HashMap::new(), scores: HashMap::new() };
    pairing.pair_from(roots);
    pairing.outcome(normalise)
}

/// A normalised graph, by subject.
struct Graph {
    originals: Vec<Triple>,
    triples: Vec<Triple>,
    by_subject: HashMap<Node, Vec<usize>>,
    /// Nodes without a name, but for roots, whose partner is given.
    unnamed: HashSet<Node>,
    /// The predicates that lead from a root to a node, by the shortest way.
    paths: HashMap<Node, String>,
}

impl Graph {
    fn new<'a>(graph: &[Triple], normalise: &Normalisation, roots: impl Iterator<Item = &'a Node>) -> Self {
        let (triples, originals) = normalise.triples(graph);
        let mut by_subject = HashMap::<_, Vec<_>>::new();
        let mut unnamed = HashSet::new();
        for (at, triple) in triples.iter().enumerate() {
            by_subject.entry(triple.subject.clone()).or_default().push(at);
            let nodes = std::iter::once(triple.subject.clone()).chain(node(&triple.object));
            unnamed.extend(nodes.filter(|node| normalise.is_unnamed(node)));
        }
        let mut graph = Self { originals, triples, by_subject, unnamed, paths: HashMap::new() };
        graph.trace(roots);
        graph
    }

    fn trace<'a>(&mut self, roots: impl Iterator<Item = &'a Node>) {
        let mut queue = VecDeque::new();
        for root in roots {
            self.unnamed.remove(root);
            self.paths.insert(root.clone(), ".".to_owned());
            queue.push_back(root.clone());
        }
        while let Some(subject) = queue.pop_front() {
            for &at in self.by_subject.get(&subject).map_or(&[][..], Vec::as_slice) {
                let Some(object) = node(&self.triples[at].object) else { continue };
                if !self.paths.contains_key(&object) {
                    let path = format!("{}/{}", self.paths[&subject], shorten(&self.triples[at].predicate));
                    self.paths.insert(object.clone(), path);
                    queue.push_back(object);
                }
            }
        }
    }

    fn about(&self, subject: &Node) -> impl Iterator<Item = &Triple> {
        self.by_subject.get(subject).into_iter().flatten().map(|&at| &self.triples[at])
    }

    /// The nodes without a name that a subject leads to.
    fn children(&self, subject: &Node) -> BTreeMap<&NamedNode, Vec<Node>> {
        let mut children = BTreeMap::<_, Vec<_>>::new();
        for triple in self.about(subject) {
            if let Some(child) = node(&triple.object).filter(|child| self.unnamed.contains(child)) {
                children.entry(&triple.predicate).or_default().push(child);
            }
        }
        children
    }

    /// Counts the triples of a node and of the nodes without a name below it, each way down for itself.
    fn size(&self, subject: &Node, above: &mut Vec<Node>) -> usize {
        if above.contains(subject) {
            return 0;
        }
        above.push(subject.clone());
        let children = self.children(subject).into_values().flatten();
        let below: usize = children.map(|child| self.size(&child, above)).sum();
        above.pop();
        below + self.about(subject).count()
    }

    /// Prints the path to the triple, its predicate and its value.
    fn parts(&self, triple: &Triple) -> (String, String, String) {
        let path = self.paths.get(&triple.subject);
        let path = path.cloned().unwrap_or_else(|| print(&triple.subject.clone().into()));
        let value = match node(&triple.object) {
            Some(object) if self.unnamed.contains(&object) => "[]".to_owned(),
            _ => print(&triple.object),
        };
        (path, shorten(&triple.predicate), value)
    }

    /// Prints a triple, with the name of its subject where the path leads to many.
    fn line(&self, triple: &Triple) -> String {
        let (path, predicate, value) = self.parts(triple);
        let is_below = self.paths.get(&triple.subject).is_some_and(|path| path != ".");
        match &triple.subject {
            Node::NamedNode(iri) if is_below && !self.unnamed.contains(&triple.subject) => {
                format!("{path} {} | {predicate} | {value}", shorten(iri))
            }
            _ => format!("{path} | {predicate} | {value}"),
        }
    }
}

/// Which found nodes stand for which expected ones.
struct Pairing<'a> {
    expected: &'a Graph,
    found: &'a Graph,
    partners: HashMap<Node, Vec<Node>>,
    /// How many expected triples of the first node's subtree the second's has.
    scores: HashMap<(Node, Node), usize>,
}

impl Pairing<'_> {
    fn pair_from(&mut self, roots: Vec<(Node, Node)>) {
        for (left, right) in &roots {
            self.partners.entry(left.clone()).or_default().push(right.clone());
        }
        let named = self.expected.triples.iter().map(|triple| &triple.subject);
        let named =
            named.filter(|node| !self.expected.unnamed.contains(node) && !self.partners.contains_key(node));
        let named: Vec<_> = named.map(|node| (node.clone(), node.clone())).collect();
        let mut queue = VecDeque::from(roots);
        queue.extend(named);
        let mut seen = HashSet::new();
        while let Some((left, right)) = queue.pop_front() {
            if !seen.insert((left.clone(), right.clone())) {
                continue;
            }
            let partners = self.partners.entry(left.clone()).or_default();
            if !partners.contains(&right) {
                partners.push(right.clone());
            }
            queue.extend(self.pair_children(&left, &right).into_iter().map(|(left, right, _)| (left, right)));
        }
    }

    /// Pairs the children of a pair, those first whose contents agree most.
    fn pair_children(&mut self, left: &Node, right: &Node) -> Vec<(Node, Node, usize)> {
        let found = self.found.children(right);
        let mut pairs = Vec::new();
        for (predicate, expected) in self.expected.children(left) {
            let Some(found) = found.get(predicate) else { continue };
            pairs.extend(self.pair_siblings(&expected, found));
        }
        pairs
    }

    fn pair_siblings(&mut self, expected: &[Node], found: &[Node]) -> Vec<(Node, Node, usize)> {
        let mut candidates = Vec::new();
        for left in expected {
            let size = self.expected.size(left, &mut Vec::new());
            for right in found {
                let score = self.similarity(left, right);
                if score > 0 || size == 0 {
                    let is_known = self.partners.get(left).is_some_and(|partners| partners.contains(right));
                    candidates.push((Reverse((is_known, score)), left, right, score >= size));
                }
            }
        }
        candidates.sort_by_key(|candidate| candidate.0);
        let (mut taken_left, mut taken_right) = (HashSet::new(), HashSet::new());
        let mut pairs = Vec::new();
        for only_repeats in [false, true] {
            for (Reverse((_, score)), left, right, is_whole) in &candidates {
                let is_free = if only_repeats { *is_whole } else { !taken_right.contains(right) };
                if is_free && !taken_left.contains(left) {
                    taken_left.insert(left);
                    taken_right.insert(right);
                    pairs.push(((*left).clone(), (*right).clone(), *score));
                }
            }
        }
        pairs
    }

    /// Counts the expected triples below a node that would be present, were they a pair. While its children
    /// are counted a pair is worth its own values only, which ends cycles.
    fn similarity(&mut self, left: &Node, right: &Node) -> usize {
        let key = (left.clone(), right.clone());
        if let Some(&score) = self.scores.get(&key) {
            return score;
        }
        let (expected, found) = (self.expected, self.found);
        let has = |triple: &Triple| found.about(right).any(|other| self.agree(triple, other));
        let own =
            expected.about(left).filter(|triple| !is_child(expected, triple)).filter(|triple| has(triple)).count();
        self.scores.insert(key.clone(), own.max(1));
        let below: usize = self.pair_children(left, right).iter().map(|(_, _, score)| 1 + score).sum();
        self.scores.insert(key, own + below);
        own + below
    }

    /// Whether two triples of a pair have the same predicate, and objects that are equal or paired.
    fn agree(&self, expected: &Triple, found: &Triple) -> bool {
        expected.predicate == found.predicate
            && match (node(&expected.object), node(&found.object)) {
                (Some(left), Some(right)) => match self.partners.get(&left) {
                    Some(partners) => partners.contains(&right),
                    None => left == right && !self.expected.unnamed.contains(&left),
                },
                _ => expected.object == found.object,
            }
    }

    fn outcome(&self, normalise: &Normalisation) -> Outcome {
        let mut outcome = Outcome { expected: self.expected.triples.len(), ..Outcome::default() };
        let mut matched = HashSet::new();
        for (triple, original) in self.expected.triples.iter().zip(&self.expected.originals) {
            let partners = self.partners.get(&triple.subject).into_iter().flatten();
            let others = partners.flat_map(|partner| self.found.about(partner));
            let agreeing: Vec<_> = others.filter(|other| self.agree(triple, other)).collect();
            if !agreeing.is_empty() {
                matched.extend(agreeing);
                outcome.present.push(original.clone());
                continue;
            }
            let (path, predicate, value) = self.expected.parts(triple);
            match normalise.excuses.iter().find(|excuse| excuse.covers(&path, &predicate, &value)) {
                Some(excuse) => outcome.excused.push((self.expected.line(triple), excuse.reason)),
                None => outcome.missing.push(self.expected.line(triple)),
            }
        }
        let additional = self.found.triples.iter().filter(|triple| !matched.contains(triple));
        outcome.additional = additional.map(|triple| self.found.line(triple)).collect();
        outcome
    }
}

fn is_child(graph: &Graph, triple: &Triple) -> bool {
    node(&triple.object).is_some_and(|object| graph.unnamed.contains(&object))
}

fn node(term: &Term) -> Option<Node> {
    Node::try_from(term.clone()).ok()
}

const PREFIXES: [(&str, &str); 18] = [
    ("rdf", "http://www.w3.org/1999/02/22-rdf-syntax-ns#"),
    ("rdfs", "http://www.w3.org/2000/01/rdf-schema#"),
    ("xsd", "http://www.w3.org/2001/XMLSchema#"),
    ("owl", "http://www.w3.org/2002/07/owl#"),
    ("skos", "http://www.w3.org/2004/02/skos/core#"),
    ("dct", "http://purl.org/dc/terms/"),
    ("dcat", "http://www.w3.org/ns/dcat#"),
    ("dcatap", "http://data.europa.eu/r5r/"),
    ("geodcatap", "http://data.europa.eu/930/"),
    ("adms", "http://www.w3.org/ns/adms#"),
    ("foaf", "http://xmlns.com/foaf/0.1/"),
    ("vcard", "http://www.w3.org/2006/vcard/ns#"),
    ("prov", "http://www.w3.org/ns/prov#"),
    ("org", "http://www.w3.org/ns/org#"),
    ("locn", "http://www.w3.org/ns/locn#"),
    ("cnt", "http://www.w3.org/2011/content#"),
    ("dqv", "http://www.w3.org/ns/dqv#"),
    ("geo", "http://www.opengis.net/ont/geosparql#"),
];

fn shorten(iri: &NamedNode) -> String {
    let short = PREFIXES.iter().find_map(|(prefix, start)| Some((prefix, iri.as_str().strip_prefix(start)?)));
    short.map_or_else(|| iri.to_string(), |(prefix, rest)| format!("{prefix}:{rest}"))
}

/// Prints a term, a long text with its first hundred characters.
fn print(term: &Term) -> String {
    const MOST: usize = 100;
    match term {
        Term::NamedNode(iri) => shorten(iri),
        Term::BlankNode(label) => label.to_string(),
        Term::Literal(literal) => {
            let cut = literal.value().char_indices().nth(MOST).map(|(at, _)| at);
            let text = cut.map_or_else(|| literal.value().to_owned(), |at| format!("{}…", &literal.value()[..at]));
            match literal.language() {
                Some(tag) => format!("{text:?}@{tag}"),
                None if literal.datatype() == oxrdf::vocab::xsd::STRING => format!("{text:?}"),
                None => format!("{text:?}^^{}", shorten(&literal.datatype().into_owned())),
            }
        }
    }
}

mod tests;
