//! Points at which a test can have this process killed, and guards that a test can switch off.
//!
//! In debug builds only: a release build has neither the points nor the names of the variables. That is
//! checked by `! grep -q FACECTL_KILL_AT target/release/facectl`.
//!
//! | variable | what it does |
//! |---|---|
//! | `FACECTL_KILL_AT=POINT[@N]` | a real SIGKILL when the point is reached for the N-th time, the first without `@N` |
//! | `FACECTL_BREAK=GUARD` | switches a guard off, so that the tests can show that they would notice |
//!
//! # Points
//! `STEP.before-write`, `STEP.unflushed` (the database took it, nothing is durable), `STEP.between` (the
//! database is durable, its copy is not), `STEP.written`; STEP is `begun`, `settled`, `refused`, `in-doubt`,
//! `absent`, `adopted`, `updated`, `forgotten`, `pal-repointed`, `replaced`, `rolled-back`, `deleted`, `moved`,
//! `pushed`, `plan-applied`, or `noted` for what has no line in the history.
//! `create.before-send`, `create.mid-body`, `create.sent` (all of it, and no answer read), `create.answered`,
//! `create.postponed` (after the wait that a 429 asked for); `update.before-send`, `update.answered`;
//! `switch.before-pal`, `switch.pal-done` (one PAL uses the new face, nothing is written), `switch.before-record` (none
//! uses the old one any more); `delete.before-send`, `delete.answered`.
//!
//! # Guards
//! `journal`: an open create blocks nothing and is not looked for. `token`: creates are sent without one.

#[cfg(debug_assertions)]
pub(crate) use armed::{die_while_sending, is_off, kill_point};
#[cfg(not(debug_assertions))]
pub(crate) use unarmed::{is_off, kill_point};

#[cfg(not(debug_assertions))]
mod unarmed {
    /// Does nothing.
    #[inline(always)]
    pub(crate) fn kill_point(_step: &str, _moment: &str) {}

    /// No guard can be off.
    #[inline(always)]
    pub(crate) fn is_off(_guard: &str) -> bool {
        false
    }
}

#[cfg(debug_assertions)]
mod armed {
    use std::io::Write;
    use std::net::TcpStream;
    use std::process::{Command, Stdio};
    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// The point that is armed, and how often it is passed before.
    static ARMED: LazyLock<Option<(String, usize)>> = LazyLock::new(|| {
        let text = std::env::var("FACECTL_KILL_AT").ok()?;
        let (point, times) = text.split_once('@').unwrap_or((&text, "1"));
        Some((point.to_owned(), times.parse().unwrap_or(1)))
    });
    static OFF: LazyLock<Option<String>> = LazyLock::new(|| std::env::var("FACECTL_BREAK").ok());
    static PASSED: AtomicUsize = AtomicUsize::new(0);

    /// Dies here if this is the armed point, and it is reached for the chosen time.
    pub(crate) fn kill_point(step: &str, moment: &str) {
        if is_due(step, moment) {
            die();
        }
    }

    /// Returns whether a test switched this guard off.
    pub(crate) fn is_off(guard: &str) -> bool {
        OFF.as_deref() == Some(guard)
    }

    /// Sends half a create and dies, or all of it and dies before the answer is read, if one of these points is
    /// armed. By hand, as the HTTP library does not say when which byte has left.
    pub(crate) fn die_while_sending(url: &str, key: &[u8], body: &[u8]) {
        let share = match (is_due("create", "mid-body"), is_due("create", "sent")) {
            (true, _) => &body[..body.len() / 2],
            (false, true) => body,
            (false, false) => return,
        };
        let Some(url) = url::Url::parse(url).ok() else { return };
        let (host, path) = (url.host_str().unwrap_or_default(), url.path());
        let Ok(mut line) = TcpStream::connect((host, url.port_or_known_default().unwrap_or(80))) else { return };
        let length = body.len();
        let mut bytes = format!("POST {path} HTTP/1.1\r\nhost: {host}\r\ncontent-length: {length}\r\n").into_bytes();
        bytes.extend_from_slice(b"content-type: application/json\r\nx-api-key: ");
        bytes.extend_from_slice(key);
        bytes.extend_from_slice(b"\r\n\r\n");
        bytes.extend_from_slice(share);
        // Whether it worked is the same to the next run.
        let _ = line.write_all(&bytes).and_then(|()| line.flush());
        die();
    }

    fn is_due(step: &str, moment: &str) -> bool {
        let Some((point, times)) = &*ARMED else { return false };
        let is_it = point.strip_prefix(step).and_then(|rest| rest.strip_prefix('.')) == Some(moment);
        is_it && PASSED.fetch_add(1, Ordering::SeqCst) + 1 == *times
    }

    /// Kills this process as a power cut of its own would. Other threads may go on until the signal comes, as
    /// they may in life; this one does nothing more.
    fn die() -> ! {
        let kill = format!("kill -9 {}", std::process::id());
        let _ = Command::new("sh").args(["-c", &kill]).stdin(Stdio::null()).status();
        loop {
            std::thread::park();
        }
    }
}
