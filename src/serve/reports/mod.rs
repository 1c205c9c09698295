//! `/source/{slug}/report`, `/dataset/{key}/report`, `/job/{id}/report`, `/rules/`: what to mend, for people and for
//! their tools. A job's report has its address for as long as the job is kept.

mod asked;
mod corrected;
mod download;
mod page;
mod quality;
mod rules;
mod views;

pub(super) use asked::{of_dataset, of_job, of_source};
pub(super) use rules::{rule, rules};
pub(super) use views::{Language, day, minute};
