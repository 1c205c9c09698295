//! SERVICE, for the services that the operator named.

use crate::fetch::{Answer, Client, FetchError, Request, Wanted};
use oxiri::Iri;
use oxrdf::NamedNode;
use sparesults::{QueryResultsFormat, QueryResultsParser, ReaderQueryResultsParserOutput};
use spareval::{DefaultServiceHandler, QueryEvaluationError, QuerySolutionIter};
use spargebra::Query;
use spargebra::algebra::GraphPattern;
use std::sync::Arc;
use tokio::runtime::Handle;
use url::Url;

/// Asks named services by the SPARQL 1.1 Protocol.
#[derive(Clone)]
pub(super) struct Federation {
    pub(super) client: Client,
    pub(super) runtime: Handle,
}

/// Why a service gave no solutions.
#[derive(Debug, thiserror::Error)]
enum ServiceError {
    #[error("the service's name is no address")]
    Name(#[from] url::ParseError),
    #[error(transparent)]
    Fetch(#[from] FetchError),
    #[error("the service's answer cannot be read")]
    Read(#[from] std::io::Error),
    #[error("the service gave no table of solutions")]
    NoSolutions,
    #[error("the service's answer is no result of a query")]
    Parse(#[from] sparesults::QueryResultsParseError),
    #[error("the service said that nothing changed, though it was asked for the first time")]
    NotModified,
}

impl DefaultServiceHandler for Federation {
    type Error = QueryEvaluationError;

    fn handle(
        &self,
        service_name: &NamedNode,
        pattern: &GraphPattern,
        base_iri: Option<&Iri<String>>,
    ) -> Result<QuerySolutionIter<'static>, QueryEvaluationError> {
        self.ask(service_name, pattern, base_iri).map_err(|error| QueryEvaluationError::Service(Box::new(error)))
    }
}

impl Federation {
    fn ask(
        &self,
        service: &NamedNode,
        pattern: &GraphPattern,
        base: Option<&Iri<String>>,
    ) -> Result<QuerySolutionIter<'static>, ServiceError> {
        let query = Query::Select { dataset: None, pattern: pattern.clone(), base_iri: base.cloned() };
        let mut url = Url::parse(service.as_str())?;
        url.query_pairs_mut().append_pair("query", &query.to_string());
        let answer = self.runtime.block_on(self.client.get(&Request::new(&url, Wanted::Solutions)))?;
        let Answer::Content { content_type, body, .. } = answer else { return Err(ServiceError::NotModified) };
        let mut bytes = Vec::new();
        bytes.append(&mut body.read()?);
        let format = content_type.as_deref().and_then(QueryResultsFormat::from_media_type);
        let parser = QueryResultsParser::from_format(format.unwrap_or(QueryResultsFormat::Json));
        match parser.for_reader(std::io::Cursor::new(bytes))? {
            ReaderQueryResultsParserOutput::Solutions(solutions) => {
                let variables: Arc<[oxrdf::Variable]> = solutions.variables().into();
                let rows =
                    solutions.map(|row| row.map_err(|error| QueryEvaluationError::Service(Box::new(error))));
                Ok(QuerySolutionIter::new(variables, rows))
            }
            ReaderQueryResultsParserOutput::Boolean(_) => Err(ServiceError::NoSolutions),
        }
    }
}
