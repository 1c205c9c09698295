//! Every rule has a case that breaks it and one that keeps it.

use crate::shared::graph;
use crate::stand_in::{Page, StandIn};
use moisson::catalog::Finding;
use moisson::config::Config;
use moisson::fetch::{Client, Limits, Reach};
use moisson::harvest::{FailedJob, Harvest, Harvested, Pace, Profiles, Workplace, Writing};
use moisson::jobs::default_options;
use moisson::report::{Rule, Rules};
use moisson::source::Target;
use moisson::store::Folder;
use moisson::validate::{Data, Details};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn cases() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/rules")
}

/// What validates files and addresses as `moisson check` does, in this process.
pub(crate) struct Checker {
    runtime: tokio::runtime::Runtime,
    folder: tempfile::TempDir,
    client: Client,
    config: Config,
}

impl Checker {
    pub(crate) fn new() -> Self {
        // A second installation fails and changes nothing.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = tempfile::tempdir().expect("a folder");
        let config = Config::load(folder.path(), |_| None).expect("a configuration");
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let client = Client::new(Limits::default(), Reach::PublicAndLoopback, "test@example.org");
        Self { runtime: runtime.expect("a runtime"), folder, client, config }
    }

    fn findings(&self, target: &Target, profiles: &Profiles) -> Vec<Finding> {
        self.check(target, profiles).unwrap_or_else(|failed| panic!("{}", failed.error)).findings
    }

    /// The report and the findings of a dry run.
    pub(crate) fn check(&self, target: &Target, profiles: &Profiles) -> Result<Harvested, Box<FailedJob>> {
        let workplace = Workplace::new(Folder::new(self.folder.path()), Pace::AsItGoes);
        let runtime = self.runtime.handle().clone();
        let harvest = Harvest { workplace: &workplace, client: &self.client, runtime, profiles };
        let options = default_options(&self.config, Writing::DryRun);
        harvest.run(target, &options, &mut |_| ())
    }
}

fn case_file(folder: &Path, name: &str) -> PathBuf {
    let files = ["ttl", "rdf", "jsonld"].map(|ending| folder.join(format!("{name}.{ending}")));
    files.into_iter().find(|file| file.exists()).unwrap_or_else(|| panic!("{} lacks {name}.ttl", folder.display()))
}

/// Whether a case breaks its rule, as a harvest tells it.
fn breaks(checker: &Checker, rule: &Rule, profiles: &Profiles, file: &Path) -> bool {
    let target = Target::parse(file.to_str().expect("a path")).expect("a file");
    checker.findings(&target, profiles).iter().any(|finding| finding.rule == rule.name)
}

/// Whether a case breaks its rule, as the shapes alone tell it.
fn breaks_by_shapes(rule: &Rule, profiles: &Profiles, file: &Path) -> bool {
    let data = graph(&[file]);
    let report = profiles.all()[0].plan().validate(Data::from(&data), Details::Omitted);
    let shape = format!("<https://moisson.dev/shapes/{}>", rule.name.replacen('/', "#", 1));
    report.results.iter().any(|result| result.source_shape.to_string() == shape)
}

#[test]
fn every_rule_has_a_case_that_breaks_it_and_one_that_keeps_it() {
    let unreachable = std::fs::read_to_string(cases().join("unreachable.txt")).expect("a list");
    let unreachable: BTreeSet<&str> = unreachable.lines().collect();
    let checker = Checker::new();
    let rules = Rules::of_program().expect("the program's profiles");
    let mut wrong = Vec::new();
    let mut last: Option<(String, Profiles)> = None;
    for rule in rules.all().iter().filter(|rule| rule.name != "identity/described-twice") {
        let (profile, _) = rule.name.split_once('/').expect("a profile");
        let name =
            if moisson::harvest::built_in_profiles().any(|known| known == profile) { profile } else { "moisson" };
        if last.as_ref().is_none_or(|(known, _)| known != name) {
            let compiled = Profiles::compile(&[name.to_owned()], &[]).expect("a profile");
            last = Some((name.to_owned(), compiled));
        }
        let profiles = &last.as_ref().expect("just compiled").1;
        let folder = cases().join(&rule.name);
        if !folder.exists() {
            wrong.push(format!("{} has no case", rule.name));
            continue;
        }
        for (file, is_broken) in [("fails", true), ("passes", false)] {
            let file = case_file(&folder, file);
            // Cases of high-value datasets are single nodes, no catalogues.
            let found = if profile == "dcat-ap-hvd" || unreachable.contains(rule.name.as_str()) {
                breaks_by_shapes(rule, profiles, &file)
            } else {
                breaks(&checker, rule, profiles, &file)
            };
            if found != is_broken {
                wrong.push(format!("{}: {} says {found}", rule.name, file.display()));
            }
        }
    }
    assert!(rules.all().len() > 450, "the rules were not found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_record_on_two_pages_is_described_twice_where_they_differ() {
    let (checker, portal) = (Checker::new(), StandIn::start());
    let profiles = Profiles::compile(&["moisson".to_owned()], &[]).expect("a profile");
    let folder = cases().join("identity/described-twice");
    for (name, is_broken) in [("fails", true), ("passes", false)] {
        for page in [format!("{name}.ttl"), format!("{name}-2.ttl")] {
            let text = std::fs::read_to_string(folder.join(&page)).expect("a case");
            portal.set(&format!("/{page}"), Page::turtle(text));
        }
        let target = Target::parse(&portal.url(&format!("/{name}.ttl"))).expect("an address");
        let found = checker.findings(&target, &profiles);
        assert_eq!(found.iter().any(|finding| finding.rule == "identity/described-twice"), is_broken, "{name}");
    }
}

#[test]
fn every_case_is_of_a_rule_that_there_is() {
    let rules = Rules::of_program().expect("the program's profiles");
    for profile in std::fs::read_dir(cases()).expect("the cases").flatten().filter(|entry| entry.path().is_dir()) {
        for case in std::fs::read_dir(profile.path()).expect("cases").flatten() {
            let name = format!("{}/{}", profile.file_name().to_string_lossy(), case.file_name().to_string_lossy());
            assert!(rules.named(&name).is_some(), "{name} is no rule");
        }
    }
}
