//! The source kind `dcat`: a catalogue in any RDF syntax, paged or not.

use super::census::Census;
use super::crawl::{Appetite, Crawl, CrawlOutcome, PageNotes, Sink, SourceError, Target, page_name, with_causes};
use super::paging::{Links, without_fragment};
use super::window::{Window, Windower};
use crate::catalog::{ItemError, Place};
use crate::fetch::{Answer, Body, Request, Validators, Wanted};
use crate::lift::{self, Input, LiftError, LiftedTriple, Reading, SyntaxProblem};
use oxrdf::{NamedOrBlankNode, Term};
use oxrdfio::RdfFormat;
use std::collections::{HashSet, VecDeque};
use url::Url;

/// JSON-LD contexts that one page may need; more is a loop.
const MAX_CONTEXTS: usize = 20;

impl Crawl<'_> {
    /// Reads a DCAT catalogue and gives its windows, page by page.
    ///
    /// # Errors
    /// When the first page cannot be read, or nothing in the source is a record.
    pub fn dcat(
        mut self,
        target: &Target,
        known: &Validators,
        sink: &mut Sink<'_>,
    ) -> Result<CrawlOutcome, SourceError> {
        let first = without_fragment(target.url());
        let mut visited = HashSet::from([first.clone()]);
        let mut queue = VecDeque::from([first.clone()]);
        while let Some(url) = queue.pop_front() {
            let is_first = self.outcome.pages == 0;
            if self.is_at_its_limit(&url) {
                break;
            }
            let known = if is_first { known.clone() } else { Validators::default() };
            let step = self.page(&url, target, &known, is_first, sink);
            let (url, links, appetite) = match step {
                Ok(Step::Read { url, links, appetite }) => (url, links, appetite),
                Ok(Step::NotModified) => return Ok(self.outcome),
                Err(error) if is_first => return Err(error),
                Err(error) => {
                    self.fail(&url, None, with_causes(&error));
                    continue;
                }
            };
            if appetite == Appetite::Enough {
                self.outcome.complete = false;
                break;
            }
            if let Target::Web(_) = target {
                visited.insert(without_fragment(url.clone()));
                self.enqueue(&url, &links, &mut visited, &mut queue);
            }
        }
        Ok(self.outcome)
    }

    /// Adds the next page and the other catalogues of a page, each address once.
    fn enqueue(&mut self, url: &Url, links: &Links, visited: &mut HashSet<Url>, queue: &mut VecDeque<Url>) {
        if let Some(next) = links.next_page(url) {
            let next = without_fragment(next);
            if visited.insert(next.clone()) {
                queue.push_front(next);
            } else {
                self.fail(url, None, format!("the next page is said to be {next}, which was read before"));
            }
        }
        for catalogue in links.other_catalogues(url) {
            if visited.insert(catalogue.clone()) {
                queue.push_back(catalogue);
            }
        }
    }

    fn page(
        &mut self,
        url: &Url,
        target: &Target,
        known: &Validators,
        is_first: bool,
        sink: &mut Sink<'_>,
    ) -> Result<Step, SourceError> {
        let (url, content_type, body) = match target {
            Target::File(path) => (url.clone(), None, Body::File(path.clone())),
            Target::Web(_) => match self.get(&Request { known: Some(known), ..Request::new(url, Wanted::Rdf) })? {
                Answer::NotModified => {
                    self.outcome.not_modified = true;
                    return Ok(Step::NotModified);
                }
                Answer::Content { url, content_type, body, validators } => {
                    if is_first {
                        self.outcome.validators = validators;
                    }
                    (url, content_type, body)
                }
            },
        };
        let input = lift::open(&url, content_type.as_deref(), body)?;
        let size = input.body.size().unwrap_or(0);
        let (links, appetite) = if size >= self.limits.windowed_from {
            self.read_in_windows(&input, sink)?
        } else {
            self.read_whole(&input, sink)?
        };
        self.outcome.pages += 1;
        self.outcome.announced = self.outcome.announced.max(links.total_items());
        Ok(Step::Read { url, links: Box::new(links), appetite })
    }

    /// Reads a page of usual size at once.
    fn read_whole(&mut self, input: &Input, sink: &mut Sink<'_>) -> Result<(Links, Appetite), SourceError> {
        let (triples, reading) = self.lift_all(input)?;
        let mut census = Census::of_roles();
        let mut links = Links::default();
        let mut windower = Windower::default();
        for lifted in &triples {
            census.observe(&lifted.triple);
            links.observe(&lifted.triple);
            windower.add(lifted);
        }
        self.outcome.triples += triples.len() as u64;
        let cut = Cut { census: &census, triples: Some(&triples) };
        let notes = self.notes(input, reading, &links, &cut);
        let window = windower.close(&census);
        self.report_unread(input, &notes, &links, &|term| {
            window.graph.id(term).is_some_and(|id| !window.graph.rows_of_subject(id).is_empty())
        });
        Ok((links, sink(window, &notes)))
    }

    /// Reads all triples, fetching the contexts that JSON-LD turns out to need.
    fn lift_all(&mut self, input: &Input) -> Result<(Vec<LiftedTriple>, Reading), SourceError> {
        for _ in 0..MAX_CONTEXTS {
            let mut triples = Vec::new();
            match lift::read(input, &self.contexts, |lifted| triples.push(lifted)) {
                Ok(reading) => return Ok((triples, reading)),
                Err(LiftError::MissingContext { url, .. }) => self.fetch_context(input, url)?,
                Err(error) => return Err(error.into()),
            }
        }
        Err(LiftError::MissingContext { page: input.page.to_string(), url: "more than 20 contexts".to_owned() }
            .into())
    }

    fn fetch_context(&mut self, input: &Input, url: String) -> Result<(), SourceError> {
        let missing = || LiftError::MissingContext { page: input.page.to_string(), url: url.clone() };
        let address = Url::parse(&url).map_err(|_| missing())?;
        let answer = self.get(&Request::new(&address, Wanted::JsonLdContext))?;
        let Answer::Content { body, .. } = answer else { return Err(missing().into()) };
        let content = body.read().map_err(|source| LiftError::Io { page: url.clone(), source })?;
        self.contexts.add(url, content);
        Ok(())
    }

    /// Reads a long page twice: once for who is who and until where, once for the records.
    fn read_in_windows(&mut self, input: &Input, sink: &mut Sink<'_>) -> Result<(Links, Appetite), SourceError> {
        let mut census = Census::of_roles_and_lives();
        let mut links = Links::default();
        let mut triples = 0;
        let mut contexts = 0;
        let reading = loop {
            let outcome = lift::read(input, &self.contexts, |lifted| {
                triples += 1;
                census.observe(&lifted.triple);
                links.observe(&lifted.triple);
            });
            match outcome {
                Ok(reading) => break reading,
                Err(LiftError::MissingContext { url, .. }) if contexts < MAX_CONTEXTS => {
                    contexts += 1;
                    self.fetch_context(input, url)?;
                }
                Err(error) => return Err(error.into()),
            }
        };
        census.finish();
        self.outcome.triples += triples;
        let cut = Cut { census: &census, triples: None };
        let notes = self.notes(input, reading, &links, &cut);
        self.report_unread(input, &notes, &links, &|term| {
            super::census::node_of(term).is_some_and(|node| census.is_described(census.hash(node)))
        });
        let appetite = self.give_windows(input, &census, &notes, sink)?;
        Ok((links, appetite))
    }

    fn give_windows(
        &mut self,
        input: &Input,
        census: &Census,
        notes: &PageNotes,
        sink: &mut Sink<'_>,
    ) -> Result<Appetite, SourceError> {
        let mut windower = Windower::default();
        let mut appetite = Appetite::More;
        let mut size = self.limits.window;
        let mut give = |window: Window, appetite: &mut Appetite| {
            if *appetite == Appetite::More {
                *appetite = sink(window, notes);
            }
        };
        lift::read(input, &self.contexts, |lifted| {
            if appetite == Appetite::Enough {
                return;
            }
            windower.add(&lifted);
            if windower.len() >= size {
                give(windower.close(census), &mut appetite);
                // A page that keeps much unfinished would otherwise be gone through again and again.
                size = self.limits.window.max(windower.len() * 2);
            }
        })?;
        give(windower.close(census), &mut appetite);
        Ok(appetite)
    }

    /// Gathers what reading found, and which descriptions are cut by a syntax error.
    fn notes(&mut self, input: &Input, reading: Reading, links: &Links, cut: &Cut<'_>) -> PageNotes {
        let page = page_name(&input.page);
        let mut notes = PageNotes { page, languages: links.catalogue_languages(), ..PageNotes::default() };
        for repair in reading.repairs {
            notes.repairs.entry(repair.subject.clone()).or_default().push(repair);
        }
        if let RdfFormat::JsonLd { .. } = input.format
            && let Ok(bytes) = input.body.read()
        {
            notes.json_lines = lift::json_places(&String::from_utf8_lossy(&bytes));
        }
        for problem in reading.problems {
            self.fail(&input.page, Some(problem.line), format!("syntax error: {}", problem.message));
            for subject in cut.by(&problem) {
                notes.cut.insert(subject, problem.message.clone());
            }
        }
        notes
    }

    /// Names the records that the catalogue lists and that a syntax error kept from being read.
    fn report_unread(
        &mut self,
        input: &Input,
        notes: &PageNotes,
        links: &Links,
        is_described: &dyn Fn(&Term) -> bool,
    ) {
        if self.outcome.errors.iter().all(|error| error.place.page != notes.page) {
            return;
        }
        let page = page_name(&input.page);
        for listed in links.listed().iter().filter(|listed| !is_described(listed)) {
            let Term::NamedNode(node) = listed else { continue };
            self.outcome.unread += 1;
            self.outcome.errors.push(ItemError {
                record: Some(node.as_str().to_owned()),
                place: Place { page: page.clone(), line: None },
                message: "the catalogue lists this dataset, but its description was not reached: mend the \
                          syntax error before it"
                    .to_owned(),
            });
        }
    }
}

enum Step {
    Read { url: Url, links: Box<Links>, appetite: Appetite },
    NotModified,
}

/// Finds whose description a syntax error cuts.
///
/// Parsers give the triples of an inner node before the one that leads to it: a distribution that an
/// error cuts hangs on no dataset yet. So the record is the last one that was spoken of, in the order of
/// the text; and nodes of which nothing was said before are cut themselves.
struct Cut<'c> {
    census: &'c Census,
    /// The page's triples, where it is read whole; else any node of the tail counts as cut.
    triples: Option<&'c [LiftedTriple]>,
}

impl Cut<'_> {
    fn by(&self, problem: &SyntaxProblem) -> Vec<NamedOrBlankNode> {
        let mut found = Vec::new();
        for subject in &problem.tail {
            if self.census.kind(self.census.hash(subject.as_ref())).is_some() {
                found.push(subject.clone());
                break;
            }
            if !found.contains(subject) && self.is_new(subject, problem) {
                found.push(subject.clone());
            }
        }
        found
    }

    /// Whether a node was first described near the error: a publisher described before, and once more
    /// here, loses nothing.
    fn is_new(&self, subject: &NamedOrBlankNode, problem: &SyntaxProblem) -> bool {
        let Some(triples) = self.triples else { return true };
        let runs = problem.tail.iter().filter(|other| *other == subject).count();
        let mut described = 0;
        let mut last = None;
        for lifted in triples {
            let is_start = last.replace(&lifted.triple.subject) != Some(&lifted.triple.subject);
            described += usize::from(is_start && lifted.triple.subject == *subject);
        }
        described <= runs
    }
}
