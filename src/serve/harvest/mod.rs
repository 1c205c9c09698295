//! `/api/1/harvest/`: sources, jobs and items in the terms of udata's API, and what goes beyond it.

mod backends;
mod forms;
mod jobs;
mod links;
mod preview;
mod removal;
mod sources;
mod written;

pub(super) use backends::{__path_backends, backends};
pub(super) use forms::Page;
pub(super) use jobs::{
    __path_cancel, __path_items, __path_job, __path_of_source, __path_replay_job, cancel, items, job, of_source,
    replay_job,
};
pub(super) use links::{__path_check_links, __path_links, check_links, links};
pub(super) use preview::{__path_preview_one, __path_preview_unsaved, preview_one, preview_unsaved};
pub(super) use removal::{__path_decide, __path_removal, decide, removal};
pub(super) use sources::{
    __path_create, __path_edit, __path_list, __path_one, __path_remove, __path_run, __path_schedule,
    __path_unschedule, __path_validate, create, edit, list, one, remove, run, schedule, unschedule, validate,
};
