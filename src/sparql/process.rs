//! A worker, seen from the server: a process with two pipes, which ends when it is dropped.

use super::pool::PoolSettings;
use super::question::{Question, Reply};
use super::wire::{length, packed};
use rustix::process::{Pid, setpriority_process};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// The priority of long queries, as `nice` has it.
const GIVING_WAY: i32 = 15;

/// A worker's process.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    /// Where its long answers go.
    spool: PathBuf,
    gives_way: bool,
}

/// What is said to a worker, and what it says.
#[derive(Debug)]
pub(super) struct Pipes {
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Process {
    /// Starts a worker, whose long answers go to a file of that name.
    pub(super) fn start(settings: &PoolSettings, spool: PathBuf) -> io::Result<(Self, Pipes)> {
        let mut command = Command::new(&settings.program);
        command.arg("query-worker").arg("--store").arg(settings.folder.root());
        command.arg("--memory-mb").arg((settings.memory >> 20).to_string());
        for service in &settings.services {
            command.arg("--service").arg(service);
        }
        if settings.allow_loopback {
            command.arg("--allow-loopback");
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn()?;
        let missing = || io::Error::other("a worker has no pipes");
        let input = child.stdin.take().ok_or_else(missing)?;
        let output = BufReader::new(child.stdout.take().ok_or_else(missing)?);
        Ok((Self { child, spool, gives_way: false }, Pipes { input, output }))
    }

    pub(super) fn spool(&self) -> &Path {
        &self.spool
    }

    pub(super) fn lives(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Whether it leaves the processor to others, for good.
    pub(super) fn gives_way(&self) -> bool {
        self.gives_way
    }

    pub(super) fn give_way(&mut self) {
        self.gives_way = true;
        let _ = setpriority_process(Pid::from_raw(self.pid().cast_signed()), GIVING_WAY);
    }

    /// The memory that it has for itself, in bytes; nothing where the system does not tell.
    pub(super) fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
        let kilobytes = line.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok());
        kilobytes.unwrap_or(0) << 10
    }

    fn pid(&self) -> u32 {
        self.child.id().unwrap_or(0)
    }
}

impl Drop for Process {
    /// Nobody reads its answer any more.
    fn drop(&mut self) {
        let _ = self.child.start_kill();
        let _ = std::fs::remove_file(&self.spool);
    }
}

impl Pipes {
    /// Sends a question and reads the reply, and the answer where it is not in a file.
    pub(super) async fn exchange(&mut self, question: &Question) -> io::Result<(Reply, Vec<u8>)> {
        self.input.write_all(&packed(question)).await?;
        self.input.flush().await?;
        let mut head = [0; 4];
        self.output.read_exact(&mut head).await?;
        let mut text = vec![0; length(head)?];
        self.output.read_exact(&mut text).await?;
        let reply: Reply = serde_json::from_slice(&text)?;
        let mut bytes = Vec::new();
        if let Reply::Answer { bytes: length, is_spooled: false, .. } = &reply {
            bytes = vec![0; usize::try_from(*length).unwrap_or(0)];
            self.output.read_exact(&mut bytes).await?;
        }
        Ok((reply, bytes))
    }
}
