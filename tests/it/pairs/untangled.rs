//! What GeoNetwork's DCAT entangles, told apart for comparison.

use oxrdf::vocab::rdf;
use oxrdf::{BlankNode, NamedNode, NamedOrBlankNode, Term, Triple};

/// GeoNetwork names three things by one IRI: the dataset, its landing page and the record that it came of; names agents
/// by their pages; and puts the name of an organisation behind a node of its own (`vcard:org`), under a property that
/// vCard has not. These are told apart here, agents go without a name, and the name of the organisation is that of the
/// card, or of the organisation of the person who has the card.
pub(crate) fn untangled(graph: &[Triple]) -> Vec<Triple> {
    let tangle = Tangle { root: root(graph), graph };
    let kept = graph.iter().filter(|triple| !is_vcard(&triple.predicate, "org")).cloned();
    kept.map(|triple| without_agents(tangle.named_card(tangle.told_apart(triple)))).collect()
}

struct Tangle<'g> {
    root: NamedOrBlankNode,
    graph: &'g [Triple],
}

impl Tangle<'_> {
    /// Gives the dataset another name, so that its old one is left to the page; the record goes without.
    fn told_apart(&self, mut triple: Triple) -> Triple {
        let dataset: NamedOrBlankNode = NamedNode::new_unchecked("urn:x:dataset").into();
        let source = BlankNode::new_unchecked("source");
        let (predicate, object) = (triple.predicate.as_str().to_owned(), triple.object.to_string());
        if triple.object == Term::from(self.root.clone()) {
            if predicate.ends_with("dc/terms/source") {
                triple.object = source.clone().into();
            } else if !predicate.ends_with("dcat#landingPage") {
                triple.object = dataset.clone().into();
            }
        }
        if triple.subject == self.root {
            let of_page = ["foaf/0.1/Document", "\"Complete metadata\"", "\"All information about"];
            let is_of_source = object.contains("dcat#CatalogRecord")
                || predicate.ends_with("content#characterEncoding")
                || (predicate.ends_with("terms/conformsTo") && is_of_iso(self.graph, &triple.object));
            if is_of_source {
                triple.subject = source.into();
            } else if !of_page.iter().any(|words| object.contains(words)) {
                triple.subject = dataset;
            }
        }
        triple
    }

    fn named_card(&self, mut triple: Triple) -> Triple {
        if is_vcard(&triple.predicate, "organisation-name") {
            let is_of_it = |other: &&Triple| {
                is_vcard(&other.predicate, "org") && other.object == triple.subject.clone().into()
            };
            let card = &self.graph.iter().find(is_of_it).expect("the name of a card").subject;
            let is_of_person =
                self.graph.iter().any(|other| other.subject == *card && is_vcard(&other.predicate, "fn"));
            let name = if is_of_person { "organization-name" } else { "fn" };
            triple.predicate = NamedNode::new_unchecked(format!("http://www.w3.org/2006/vcard/ns#{name}"));
            triple.subject = card.clone();
        }
        triple
    }
}

fn is_vcard(predicate: &NamedNode, name: &str) -> bool {
    predicate.as_str().strip_prefix("http://www.w3.org/2006/vcard/ns#") == Some(name)
}

fn without_agents(mut triple: Triple) -> Triple {
    // A homepage is an address, which is written as a text.
    if triple.predicate.as_str().ends_with("foaf/0.1/workplaceHomepage")
        && let Term::Literal(address) = &triple.object
    {
        triple.object = NamedNode::new_unchecked(address.value()).into();
    }
    let is_homepage = triple.predicate.as_str().ends_with("workplaceHomepage");
    for agent in ["https://geoportail.wallonie.be", "https://orcid.org/jb98765"] {
        let (named, blank) =
            (NamedNode::new_unchecked(agent), BlankNode::new_unchecked(format!("agent{}", agent.len())));
        if triple.subject == named.clone().into() {
            triple.subject = blank.clone().into();
        }
        if triple.object == named.into() && !is_homepage {
            triple.object = blank.into();
        }
    }
    triple
}

fn is_of_iso(graph: &[Triple], standard: &Term) -> bool {
    graph.iter().any(|triple| {
        Term::from(triple.subject.clone()) == *standard && triple.object.to_string().contains("\"ISO 19115\"")
    })
}

/// The dataset, series or service that a graph describes.
pub(crate) fn root(graph: &[Triple]) -> NamedOrBlankNode {
    let is = |triple: &&Triple, ends: &[&str]| {
        ends.iter().any(|end| triple.object.to_string().ends_with(&format!("/dcat#{end}>")))
    };
    let inner: Vec<Term> = graph
        .iter()
        .filter(|triple| triple.predicate.as_str().ends_with("dcat#accessService"))
        .map(|triple| triple.object.clone())
        .collect();
    let typed = graph.iter().filter(|triple| triple.predicate == rdf::TYPE);
    let mut roots = typed.filter(|triple| is(triple, &["Dataset", "DatasetSeries", "DataService"]));
    let found = roots.find(|triple| !inner.contains(&triple.subject.clone().into()));
    found.expect("a resource").subject.clone()
}
