//! One job: the pipeline over the windows of a crawl.

use super::desk::Desk;
use super::options::Options;
use super::outcome::{FailedJob, HarvestError, Harvested, Progress};
use super::profiles::Profiles;
use super::report::{JobReport, Status};
use super::spool::Spool;
use super::state::{Clock, Pending, State};
use super::turn::Turn;
use super::workplace::Workplace;
use crate::catalog::{DatasetKey, GraphHash, ItemError, SourceId, SourceKind, with_causes};
use crate::convert::{Converter, CustomMapping, Identifier, Mapper, QueryError, RecordFilter};
use crate::derive::Deriver;
use crate::fetch::{Client, Stopping, Tape, TapeMode};
use crate::operations::StoredFindings;
use crate::source::{Detected, FilterError, Target, detect};
use crate::store::{GraphNames, SourceGraph, Writer};
use jiff::Timestamp;
use oxrdf::Quad;
use std::collections::HashMap;
use std::time::Instant;
use tokio::runtime::Handle;

/// Runs jobs on one store.
pub struct Harvest<'h> {
    /// The store and the operations database.
    pub workplace: &'h Workplace,
    /// The HTTP client.
    pub client: &'h Client,
    /// The runtime for requests and the operations database.
    pub runtime: Handle,
    /// The profiles.
    pub profiles: &'h Profiles,
}

impl Harvest<'_> {
    /// Harvests a source. Runs on a thread that may block.
    ///
    /// # Errors
    /// When the source cannot be read at all or the store fails; everything less is in the report.
    pub fn run(
        &self,
        target: &Target,
        options: &Options,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Harvested, Box<FailedJob>> {
        let started = Instant::now();
        let mut reported = None;
        self.run_job(target, options, progress, &mut reported).map_err(|error| {
            let name = options.source.clone().unwrap_or_else(|| SourceId::of_address(target.url().as_str()));
            let job = uuid::Uuid::now_v7().to_string();
            let report = reported.unwrap_or_else(|| JobReport::failed(&name, &job, &with_causes(&error), started));
            Box::new(FailedJob { report, error })
        })
    }

    /// The kind asked for, else the one the source is known by, else what its address or its portal tells.
    pub(super) fn kind(
        &self,
        target: &Target,
        options: &Options,
    ) -> Result<(SourceKind, Option<Detected>), HarvestError> {
        let url = target.url();
        if let Some(kind) = options.kind {
            return Ok((kind, None));
        }
        let known = super::desk::known_source(self, url.as_str(), options.source.as_ref())?;
        if let Some(kind) = known.and_then(|row| SourceKind::parse(&row.kind)) {
            return Ok((kind, None));
        }
        let kind = SourceKind::of_address(url.as_str());
        let detected = if kind == SourceKind::Dcat {
            let client = self.client.clone().stopped_by(options.stop.clone());
            detect(&client, &self.runtime, target, options.token.as_ref())
        } else {
            None
        };
        Ok((detected.as_ref().map_or(kind, |detected| detected.kind), detected))
    }

    fn run_job(
        &self,
        target: &Target,
        options: &Options,
        progress: &mut dyn FnMut(Progress),
        reported: &mut Option<JobReport>,
    ) -> Result<Harvested, HarvestError> {
        let started = Instant::now();
        let (kind, detected) = self.kind(target, options)?;
        let target = detected.as_ref().map_or(target, |detected| &detected.target);
        let custom = &options.mapping;
        let filters = JobFilters::of(kind, options)?;
        let converter = converter_of(kind, custom)?;
        let mapper = Mapper::of(kind, custom)?;
        let mapping = fingerprint(&converter, mapper.as_ref());
        let names = GraphNames::new(&options.base);
        let deriver = Deriver::new(&options.languages)?;
        let rules = format!("{}-{mapping}", self.profiles.fingerprint());
        let mut desk = Desk::open(self, target, kind, options, &names, &rules)?;
        desk.tell_first(detected.as_ref().map(|detected| detected.why.clone()));
        let (client, went_on) = self.client_of(&desk, options)?;
        desk.tell_first(went_on);
        let source = SourceGraph {
            source: desk.row.slug.clone(),
            url: target.public_url(),
            backend: kind.as_str().to_owned(),
            languages: Vec::new(),
        };
        let mut job = Job {
            id: desk.job.clone(),
            now: options.now.to_string(),
            names: &names,
            catalogue: None,
            identifier: Identifier { source: desk.row.slug.clone(), base: names.base().to_owned() },
            source,
            mapping,
            rules,
            converter: &converter,
            mapper: mapper.as_ref(),
            kind,
            filters,
            deriver: &deriver,
            profiles: self.profiles,
            options,
            state: State::default(),
            error: None,
            pending: Pending::default(),
            writer: desk.opened.as_ref().map(|opened| Writer::new(opened.store(), &names)),
            turn: None,
            meanwhile: HashMap::new(),
            spool: Spool::default(),
            workplace: self.workplace,
            desk: &desk,
            runtime: &self.runtime,
            clock: Clock::default(),
        };
        job.begin()?;
        let ran = job.run(&client, target, started, progress);
        ran.inspect_err(|error| match job.finish_failed(error, started) {
            Ok(report) => *reported = Some(report),
            // Why the job failed matters more than why that cannot be noted.
            Err(second) => tracing::error!(error = with_causes(&second), "the end of the job cannot be noted"),
        })
    }

    /// The client of a job, which keeps what it is answered, and first gives what an interrupted run of the
    /// same job was answered; and what is told of that.
    fn client_of(&self, desk: &Desk, options: &Options) -> Result<(Client, Option<String>), HarvestError> {
        let client = self.client.clone().stopped_by(options.stop.clone());
        if let Some(tape) = &options.replay {
            return Ok((client.with_tape(tape.clone()), None));
        }
        if desk.opened.is_none() {
            return Ok((client, None));
        }
        let path = self.workplace.tape(&desk.job);
        let failed = |source| HarvestError::Tape { path: path.clone(), source };
        let folder = path.parent().unwrap_or(&path);
        std::fs::create_dir_all(folder).map_err(failed)?;
        if !desk.goes_on(options) {
            match std::fs::remove_file(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed(error)),
                _ => {}
            }
        }
        let tape = Tape::open(&path, TapeMode::Recording).map_err(failed)?;
        let note = (tape.kept() > 0).then(|| {
            format!("the job goes on from {} answers that it had before it was interrupted", tape.kept())
        });
        Ok((client.with_tape(tape), note))
    }
}

/// The converter of a source: its own queries read DCAT where it speaks DCAT, else its platform's fields.
pub(super) fn converter_of(kind: SourceKind, custom: &CustomMapping) -> Result<Converter, QueryError> {
    let converter = Converter::dcat(custom)?;
    Ok(if kind == SourceKind::Dcat { converter.with_queries_of(custom) } else { converter })
}

/// What changes when the queries of a kind of source do.
fn fingerprint(converter: &Converter, mapper: Option<&Mapper>) -> String {
    let Some(mapper) = mapper else { return converter.fingerprint() };
    let mut both = GraphHash::of(&format!("{}{}", converter.fingerprint(), mapper.fingerprint())).to_string();
    both.truncate(16);
    both
}

/// A source's filters, by what they look at.
pub(super) struct JobFilters {
    pub(super) of_platform: Option<RecordFilter>,
    pub(super) of_dcat: Option<RecordFilter>,
}

impl JobFilters {
    fn of(kind: SourceKind, options: &Options) -> Result<Self, HarvestError> {
        let has_own_language = matches!(kind, SourceKind::Ckan | SourceKind::Opendatasoft | SourceKind::Csw);
        if options.filters.platform_query.is_some() && !has_own_language {
            return Err(FilterError::PlatformQuery { kind: kind.as_str() }.into());
        }
        Ok(Self {
            of_platform: RecordFilter::of_platform(kind, &options.filters)?,
            of_dcat: RecordFilter::of_dcat(kind, &options.filters, options.mapping.functions())?,
        })
    }
}

pub(super) struct Job<'j> {
    pub(super) id: String,
    pub(super) now: String,
    pub(super) names: &'j GraphNames,
    pub(super) identifier: Identifier,
    /// What the store says of the source, as far as the crawl has told.
    pub(super) source: SourceGraph,
    /// The graph of the source's catalogue as it is to be, where it is to change.
    pub(super) catalogue: Option<Vec<Quad>>,
    pub(super) mapping: String,
    /// The fingerprint of mapping and profiles.
    pub(super) rules: String,
    pub(super) converter: &'j Converter,
    /// For sources that do not speak DCAT.
    pub(super) mapper: Option<&'j Mapper>,
    pub(super) kind: SourceKind,
    pub(super) filters: JobFilters,
    pub(super) deriver: &'j Deriver,
    pub(super) profiles: &'j Profiles,
    pub(super) options: &'j Options,
    pub(super) desk: &'j Desk,
    pub(super) runtime: &'j Handle,
    pub(super) writer: Option<Writer<'j>>,
    /// Leave to write, from the first change on.
    pub(super) turn: Option<Turn<'j>>,
    /// What is known of records when the job begins to write, where people can do something to them meanwhile.
    pub(super) meanwhile: HashMap<DatasetKey, StoredFindings>,
    /// Changes that wait until all was read.
    pub(super) spool: Spool,
    pub(super) workplace: &'j Workplace,
    pub(super) state: State,
    pub(super) pending: Pending,
    pub(super) error: Option<HarvestError>,
    pub(super) clock: Clock,
}

impl Job<'_> {
    fn begin(&self) -> Result<(), HarvestError> {
        if let Some(opened) = &self.desk.opened {
            let (operations, slug) = (opened.operations(), &self.desk.row.slug);
            self.runtime.block_on(async {
                operations.start_job(&self.id, slug, &self.now).await?;
                operations.forget_items(&self.id).await?;
                operations.forget_validators(slug).await
            })?;
        }
        Ok(())
    }

    fn run(
        &mut self,
        client: &Client,
        target: &Target,
        started: Instant,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Harvested, HarvestError> {
        let outcome = self.crawl(client, target, progress)?;
        let announced = outcome.announced;
        self.bring_in()?;
        let report = self.finish(outcome, started, progress)?;
        let state = &mut self.state;
        Ok(Harvested {
            report,
            findings: std::mem::take(&mut state.findings),
            announced,
            records: std::mem::take(&mut state.records),
            differences: std::mem::take(&mut state.differences),
            different: state.different,
        })
    }

    /// Ends a job that stored nothing: what it had written is undone by whoever opens the store next.
    fn finish_failed(&mut self, error: &HarvestError, started: Instant) -> Result<JobReport, HarvestError> {
        // What is being loaded needs the store; its own fate is of no interest any more.
        self.pending.loading = None;
        self.turn = None;
        let status = match error {
            HarvestError::Cancelled => Status::Cancelled,
            HarvestError::Interrupted | HarvestError::Spoiled => Status::Interrupted,
            _ => Status::Failed,
        };
        let note = Some(with_causes(error));
        let errors = std::mem::take(&mut self.state.errors);
        let report = self.report(status, false, 0, errors, started, note);
        self.end(&report)?;
        Ok(report)
    }

    /// Notes how the job ended, and what became of its records.
    pub(super) fn end(&mut self, report: &JobReport) -> Result<(), HarvestError> {
        self.note_failed_items(&report.errors);
        self.note_items()?;
        let Some(opened) = &self.desk.opened else { return Ok(()) };
        let operations = opened.operations();
        let text = serde_json::to_string(report).expect("a report is plain values");
        let ended = Timestamp::now().max(self.options.now).to_string();
        self.runtime.block_on(async {
            if report.status == Status::Interrupted {
                return operations.put_back(&self.id).await;
            }
            operations.end_job(&self.id, report.status.state(), &text, &ended).await
        })?;
        Ok(())
    }

    /// What was asked of the job meanwhile.
    pub(super) fn heed(&self) -> Result<(), HarvestError> {
        match self.options.stop.asked() {
            Stopping::No => Ok(()),
            Stopping::AfterThePage | Stopping::ForNow => Err(HarvestError::Interrupted),
            Stopping::AtOnce => Err(HarvestError::Cancelled),
        }
    }

    pub(super) fn report(
        &self,
        status: Status,
        complete: bool,
        pages: u64,
        errors: Vec<ItemError>,
        started: Instant,
        note: Option<String>,
    ) -> JobReport {
        JobReport {
            job: self.id.clone(),
            source: self.desk.row.slug.to_string(),
            kind: self.kind.as_str().to_owned(),
            status,
            complete,
            pages,
            records: self.state.counts,
            services: self.state.services,
            findings: self.state.finding_counts,
            errors,
            held_back: self.state.held_back.clone(),
            unmapped: self.state.unmapped.fields(),
            shared: self.state.shared,
            changed_since: self.state.changed_since.map(|since| since.to_string()),
            at: self.now.clone(),
            syntax: self.state.syntax,
            prefixes: self.state.prefixes.clone().unwrap_or_default(),
            examples: self.state.examples.clone(),
            seconds: started.elapsed().as_secs_f64(),
            note,
            phases: self.clock.phases.iter().map(|(name, time)| (*name, time.as_secs_f64())).collect(),
        }
    }
}
