//! Programs that we start: what they print is bounded, and they end with all that they started.

use std::ffi::OsStr;
use std::process::{ExitStatus, Stdio};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStdin, Command};
use tokio::time::{Instant, timeout_at};

/// What a program printed, as far as it was wanted, and how it ended.
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
}

/// Why nothing came of a program.
pub(crate) enum Unfinished {
    /// It could not be started, or waited for.
    Io(std::io::Error),
    /// It was not done in time, and was ended with all that it started.
    TimedOut,
}

/// Makes a program ready to be run in a group of its own, so that what it starts ends with it, and Ctrl-C is ours to hear.
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    #[cfg(unix)]
    command.process_group(0);
    command
}

/// Runs a program to its end, or ends it. It reads `input`; of each of its outputs so many bytes are kept, and the rest
/// passes.
pub(crate) async fn finish(
    mut command: Command,
    input: &[u8],
    deadline: Instant,
    (most_stdout, most_stderr): (u64, u64),
) -> Result<Ended, Unfinished> {
    if !input.is_empty() {
        command.stdin(Stdio::piped());
    }
    let mut child = command.spawn().map_err(Unfinished::Io)?;
    let mut group = Group::of(&child);
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let work =
        async { tokio::join!(child.wait(), write(stdin, input), read(stdout, most_stdout), read(stderr, most_stderr)) };
    let (ended, (), stdout, stderr) = timeout_at(deadline, work).await.map_err(|_| Unfinished::TimedOut)?;
    group.has_ended();
    Ok(Ended { status: ended.map_err(Unfinished::Io)?, stdout, stderr })
}

/// Writes all of the input beside the reading: a program may answer before it has heard all of it. One that stops
/// listening says why.
async fn write(pipe: Option<ChildStdin>, input: &[u8]) {
    if let Some(mut pipe) = pipe {
        let _ = pipe.write_all(input).await;
    }
}

/// Reads the beginning of what comes, and lets the rest pass, so that nobody waits for a reader.
async fn read(pipe: Option<impl AsyncRead + Unpin>, most: u64) -> Vec<u8> {
    let mut kept = Vec::new();
    let Some(mut pipe) = pipe else { return kept };
    // An error is an end as well: what counts is how the program ended.
    let _ = (&mut pipe).take(most).read_to_end(&mut kept).await;
    let _ = tokio::io::copy(&mut pipe, &mut tokio::io::sink()).await;
    kept
}

/// A program and all it started. Ended when this is dropped before the program has ended.
struct Group {
    #[cfg(unix)]
    leader: Option<rustix::process::Pid>,
}

impl Group {
    #[cfg(unix)]
    fn of(child: &Child) -> Self {
        let id = child.id().and_then(|id| i32::try_from(id).ok());
        Self { leader: id.and_then(rustix::process::Pid::from_raw) }
    }

    #[cfg(not(unix))]
    fn of(_child: &Child) -> Self {
        Self {}
    }

    /// Notes that the program was waited for: its number may belong to somebody else from now on.
    fn has_ended(&mut self) {
        #[cfg(unix)]
        {
            self.leader = None;
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        #[cfg(unix)]
        if let Some(leader) = self.leader {
            // It fails only if all of them have ended.
            let _ = rustix::process::kill_process_group(leader, rustix::process::Signal::KILL);
        }
    }
}
