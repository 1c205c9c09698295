//! The source kind `dcat`: a catalogue in any RDF syntax, paged or not.

use super::block::{Aside, BlockBuilder, Cutter};
use super::catalogue::CatalogueReader;
use super::census::Census;
use super::crawl::{Appetite, Crawl, CrawlOutcome, PageNotes, Sink, SourceError, Target, page_name};
use super::paging::{Links, without_fragment};
use super::window::Windower;
use crate::catalog::with_causes;
use crate::catalog::{ItemError, Place, Syntax};
use crate::fetch::{Answer, Body, Request, Validators, Wanted};
use crate::lift::{self, Input, LiftError, LiftedTriple, PageText, Reading, SyntaxProblem};
use crate::vocab::dcat;
use oxrdf::{NamedOrBlankNode, Term};
use oxrdfio::RdfFormat;
use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
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
            Target::File(path) => (file_base(url), None, Body::File(path.clone())),
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
        let mut notes = self.notes(input, reading, &links, &cut);
        // Pages repeat it: the first that describes it will do.
        if !self.has_catalogue {
            notes.catalogue = CatalogueReader::of_page(&triples).map(Arc::new);
            self.has_catalogue = notes.catalogue.is_some();
        }
        let window = windower.close(&census, u32::MAX);
        self.report_unread(input, &notes)?;
        Ok((links, sink(window, notes)))
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

    /// Fetches a context. Where it cannot be had, a document is not read; of the scripts of a page, one is not.
    fn fetch_context(&mut self, input: &Input, url: String) -> Result<(), SourceError> {
        match self.context(input, url.clone()) {
            Err(error) if !input.scripts.is_empty() => {
                self.contexts.give_up(url, with_causes(&error));
                Ok(())
            }
            fetched => fetched,
        }
    }

    fn context(&mut self, input: &Input, url: String) -> Result<(), SourceError> {
        let missing = || LiftError::MissingContext { page: input.page.to_string(), url: url.clone() };
        let address = Url::parse(&url).map_err(|_| missing())?;
        let answer = self.get(&Request::new(&address, Wanted::JsonLdContext))?;
        let Answer::Content { body, .. } = answer else { return Err(missing().into()) };
        let content = body.read().map_err(|source| LiftError::Io { page: url.clone(), source })?;
        self.contexts.add(url, content);
        Ok(())
    }

    /// Lifts a long page once, putting its blocks aside until it is known who is who and until where each
    /// node is spoken of; then makes windows of them.
    fn read_in_windows(&mut self, input: &Input, sink: &mut Sink<'_>) -> Result<(Links, Appetite), SourceError> {
        let mut contexts = 0;
        let lifted = loop {
            match self.put_aside(input) {
                Ok(lifted) => break lifted,
                Err(LiftError::MissingContext { url, .. }) if contexts < MAX_CONTEXTS => {
                    contexts += 1;
                    self.fetch_context(input, url)?;
                }
                Err(error) => return Err(error.into()),
            }
        };
        let PutAside { census, links, reading, triples, aside, catalogue } = lifted;
        self.outcome.triples += triples;
        let cut = Cut { census: &census, triples: None };
        let mut notes = self.notes(input, reading, &links, &cut);
        notes.catalogue = catalogue.and_then(CatalogueReader::finish).map(Arc::new);
        self.has_catalogue |= notes.catalogue.is_some();
        self.report_unread(input, &notes)?;
        let appetite = give_windows(aside, &census, &notes, sink).map_err(|error| unspooled(input, error))?;
        Ok((links, appetite))
    }

    fn put_aside(&self, input: &Input) -> Result<PutAside, LiftError> {
        let mut census = Census::of_roles_and_lives();
        let mut links = Links::default();
        let mut triples = 0;
        let mut cutter = Cutter::of(self.limits.window);
        let mut block = BlockBuilder::default();
        let mut aside = Aside::new().map_err(|error| unspooled(input, error))?;
        let mut failure = None;
        let mut catalogue = (!self.has_catalogue).then(CatalogueReader::default);
        let reading = lift::read(input, &self.contexts, |lifted| {
            triples += 1;
            if cutter.cuts_before(&lifted.triple.subject) {
                let put = aside.put(std::mem::take(&mut block));
                failure = failure.take().or(put.err());
                census.end_block();
            }
            census.observe(&lifted.triple);
            links.observe(&lifted.triple);
            if let Some(catalogue) = &mut catalogue {
                catalogue.observe(&lifted);
            }
            if !census.is_in_a_list(&lifted.triple) {
                block.add(&lifted);
            }
        })?;
        let put = failure.map_or_else(|| aside.put(block), Err);
        put.and_then(|()| census.finish()).map_err(|error| unspooled(input, error))?;
        Ok(PutAside { census, links, reading, triples, aside, catalogue })
    }

    /// Gathers what reading found, and which descriptions are cut by a syntax error.
    fn notes(&mut self, input: &Input, reading: Reading, links: &Links, cut: &Cut<'_>) -> PageNotes {
        let page = page_name(&input.page);
        let mut notes = PageNotes::of_repairs(page, reading.repairs);
        notes.languages = links.catalogue_languages();
        notes.syntax = Some(syntax_of(input.format));
        notes.prefixes = Some(lift::prefixes(input));
        notes.text = Some(Arc::new(PageText::new(input.body.clone())));
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

    /// Names the records that the catalogue lists and that a syntax error kept from being read, for which
    /// the page is read once more.
    fn report_unread(&mut self, input: &Input, notes: &PageNotes) -> Result<(), LiftError> {
        if self.outcome.errors.iter().all(|error| error.place.page != notes.page) {
            return Ok(());
        }
        let mut listed = Vec::new();
        let mut described = HashSet::new();
        lift::read(input, &self.contexts, |LiftedTriple { triple, .. }| {
            if triple.predicate == dcat::HAS_DATASET {
                listed.push(triple.object);
            }
            described.insert(triple.subject);
        })?;
        let page = page_name(&input.page);
        for node in listed {
            let Term::NamedNode(node) = node else { continue };
            if described.contains(&NamedOrBlankNode::from(node.clone())) {
                continue;
            }
            self.outcome.unread += 1;
            self.outcome.errors.push(ItemError::new(
                Some(node.into_string()),
                Place::of_page(&page),
                "the catalogue lists this dataset, but its description was not reached: mend the syntax error before it",
            ));
        }
        Ok(())
    }
}

/// The base of a local file: its name alone, so that no relative IRI tells where it is on this machine.
fn file_base(url: &Url) -> Url {
    let mut base = url.clone();
    let name = url.path().rsplit('/').next().unwrap_or_default().to_owned();
    base.set_path(&name);
    base
}

fn syntax_of(format: RdfFormat) -> Syntax {
    match format {
        RdfFormat::RdfXml => Syntax::RdfXml,
        RdfFormat::JsonLd { .. } => Syntax::JsonLd,
        _ => Syntax::Turtle,
    }
}

/// A long page, lifted and put aside.
struct PutAside {
    census: Census,
    links: Links,
    reading: Reading,
    triples: u64,
    aside: Aside,
    /// Nothing where an earlier page described it.
    catalogue: Option<CatalogueReader>,
}

/// What was put aside cannot be written or read again.
fn unspooled(input: &Input, source: std::io::Error) -> LiftError {
    LiftError::Io { page: page_name(&input.page), source }
}

fn give_windows(
    aside: Aside,
    census: &Census,
    notes: &PageNotes,
    sink: &mut Sink<'_>,
) -> std::io::Result<Appetite> {
    let mut windower = Windower::default();
    let mut due = 0;
    for (number, block) in (0..).zip(aside.blocks()?) {
        windower.add_block(&block?);
        if windower.len() >= due {
            if sink(windower.close(census, number), notes.clone()) == Appetite::Enough {
                return Ok(Appetite::Enough);
            }
            // A page that keeps much unfinished would otherwise be gone through again and again.
            due = windower.len() * 2;
        }
    }
    Ok(sink(windower.close(census, u32::MAX), notes.clone()))
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
