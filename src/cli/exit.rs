//! Exit codes: a promise to everybody who writes a script.

use std::process::ExitCode;

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exit(pub u8);

impl Exit {
    /// Success, or no changes.
    pub const SUCCESS: Self = Self(0);
    /// An error that has no code of its own, a bad command line included.
    pub const ERROR: Self = Self(1);
    /// Changes or drift are present; only with `--detailed-exitcode`.
    pub const CHANGES: Self = Self(2);
    /// The API refused the key (401, 403).
    pub const KEY_REFUSED: Self = Self(3);
    /// At least one face failed: its training, or the creation was refused (402 included). Others may have succeeded.
    pub const FACE_FAILED: Self = Self(4);
    /// Refused by a safety rule: a limit, protection, a stale or used plan, an ambiguous adoption, a listing that was not
    /// complete.
    pub const UNSAFE: Self = Self(5);
    /// The state is held by another run.
    pub const HELD: Self = Self(6);
    /// There were changes, and `--expect-no-changes` was given.
    pub const UNEXPECTED_CHANGES: Self = Self(7);
    /// Interrupted; the state is safe, run again.
    pub const INTERRUPTED: Self = Self(8);
    /// The time to wait is up, faces are still training, nothing is wrong; run `wait`.
    pub const STILL_TRAINING: Self = Self(9);
    /// Nobody knows what became of a create; run `recover`.
    pub const IN_DOUBT: Self = Self(10);

    /// Every code with what it means, in order.
    pub const ALL: [(Self, &'static str); 11] = [
        (Self::SUCCESS, "success, or no changes"),
        (Self::ERROR, "an error that has no code of its own, a bad command line included"),
        (Self::CHANGES, "changes or drift are present (only with --detailed-exitcode)"),
        (Self::KEY_REFUSED, "the API refused the key (401, 403)"),
        (Self::FACE_FAILED, "at least one face failed (training, or creation refused); others may have succeeded"),
        (Self::UNSAFE, "refused by a safety rule: limit, protection, stale plan, unclear adoption or listing"),
        (Self::HELD, "the state is held by another run"),
        (Self::UNEXPECTED_CHANGES, "there are changes, and --expect-no-changes was given"),
        (Self::INTERRUPTED, "interrupted; the state is safe, run again"),
        (Self::STILL_TRAINING, "the time to wait is up, faces still train, nothing is wrong; run `facectl wait`"),
        (Self::IN_DOUBT, "a create is in doubt; run `facectl recover`"),
    ];
}

impl Exit {
    /// Returns what it means, in words.
    pub fn meaning(self) -> &'static str {
        Self::ALL.iter().find(|(exit, _)| *exit == self).map_or("", |(_, meaning)| meaning)
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.0)
    }
}
