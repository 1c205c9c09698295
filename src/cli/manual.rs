//! `moisson completions` and `moisson manual`: what shells and `man` know of the command line.

use super::{Command, Outcome};
use anyhow::Context;
use clap::{Args, CommandFactory};
use clap_complete::Shell;
use std::io;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(crate) struct CompletionsArguments {
    /// The shell to write completions for
    #[arg(value_enum)]
    shell: Shell,
}

#[derive(Debug, Args)]
pub(crate) struct ManualArguments {
    /// The folder in which the man pages are written, one for each command
    folder: PathBuf,
}

/// Prints the completions of a shell, to be put where the shell looks for them.
pub(crate) fn completions(arguments: &CompletionsArguments) -> Outcome {
    let mut command = Command::command();
    // Into memory first: the writer of completions panics where its output is closed, as `| head` does.
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut command, "moisson", &mut script);
    let _ = io::Write::write_all(&mut io::stdout().lock(), &script);
    Outcome::Done
}

/// Writes a man page for the program and one for each of its commands: `moisson.1`, `moisson-harvest.1`, …
pub(crate) fn manual(arguments: &ManualArguments) -> anyhow::Result<Outcome> {
    let folder = &arguments.folder;
    std::fs::create_dir_all(folder)
        .and_then(|()| clap_mangen::generate_to(Command::command(), folder))
        .with_context(|| format!("{}: the man pages cannot be written", folder.display()))?;
    Ok(Outcome::Done)
}
