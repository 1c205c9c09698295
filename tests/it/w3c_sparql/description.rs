//! Tests of the service description (SPARQL 1.1 Service Description), which say in words alone what they check.

use super::Failure;
use super::answer::{Answer, Format};
use super::document::SUITES;
use super::endpoint::{ADDRESS, Endpoint, Request};
use super::node::Node;
use oxrdf::vocab::rdf;
use oxrdf::{NamedNodeRef, Term, Triple};
use oxrdfio::RdfFormat;

const ENDPOINT: NamedNodeRef<'_> =
    NamedNodeRef::new_unchecked("http://www.w3.org/ns/sparql-service-description#endpoint");
const SERVICE: NamedNodeRef<'_> =
    NamedNodeRef::new_unchecked("http://www.w3.org/ns/sparql-service-description#Service");

/// What a test asks of the description.
#[derive(Debug, Clone, Copy)]
pub(super) enum Aspect {
    IsRdf,
    NamesEndpoint,
    FitsSchema,
}

impl Aspect {
    pub(super) fn of_test(test: Node<'_>) -> Self {
        match test.name_in(SUITES) {
            "service-description/manifest#returns-rdf" => Self::IsRdf,
            "service-description/manifest#has-endpoint-triple" => Self::NamesEndpoint,
            "service-description/manifest#conforms-to-schema" => Self::FitsSchema,
            other => panic!("{other} is not known"),
        }
    }
}

/// Asks the endpoint without a query, and looks at what describes it.
pub(super) fn describe(endpoint: &Endpoint, aspect: Aspect) -> Result<(), Failure> {
    let turtle = Format::Rdf(RdfFormat::Turtle);
    let reply = endpoint.send(&Request::get("/sparql".to_owned(), turtle.media_type()));
    if reply.status != 200 {
        return Err(Failure::status(&reply));
    }
    let Answer::Graph(triples) = Answer::read(&reply, turtle)? else { unreachable!("Turtle is a graph") };
    let endpoints: Vec<&Triple> = triples.iter().filter(|triple| triple.predicate == ENDPOINT).collect();
    let is_service = |triple: &&Triple| {
        triples.iter().any(|other| {
            other.subject == triple.subject
                && other.predicate == rdf::TYPE
                && other.object == Term::from(SERVICE.into_owned())
        })
    };
    let is_address = |triple: &&Triple| {
        let Term::NamedNode(node) = &triple.object else { return false };
        node.as_str().strip_prefix(ADDRESS) == Some("/sparql")
    };
    let is_as_expected = match aspect {
        Aspect::IsRdf => !triples.is_empty(),
        Aspect::NamesEndpoint => endpoints.iter().any(is_address),
        Aspect::FitsSchema => !endpoints.is_empty() && endpoints.iter().all(is_service),
    };
    if is_as_expected { Ok(()) } else { Err(Failure::Differs(format!("{aspect:?}: {triples:?}"))) }
}
