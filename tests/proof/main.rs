//! The proof that nothing that goes wrong pays twice, loses a face, or hides what happened: the real binary,
//! killed by a real SIGKILL, against a sandbox that speaks real HTTP and misbehaves, judged by the sandbox's
//! own books.
//!
//! | file | holds |
//! |---|---|
//! | `case.rs` | one face or two, runs that die, and what must be true after each |
//! | `matrix.rs` | every kill point, alone and in pairs, times everything that the server may do |
//! | `later.rs` | the kill points of a replacement and of a deletion, with PALs that use the face meanwhile |
//! | `storm.rs` | seeded random runs: faults, kills, lost disks, two machines |
//! | `control.rs` | with a guard switched off the same tests do find double payments |
//!
//! The ordinary suite runs a part. All of it:
//!
//! ```text
//! FACECTL_PROOF=full cargo test --test proof -- --nocapture            # every case, and 500 storms
//! FACECTL_STORMS=2000 cargo test --test proof storm -- --nocapture
//! FACECTL_STORM_SEED=17 cargo test --test proof storm -- --nocapture    # replays one
//! ```
//!
//! Kill points and switches are in `src/killpoint.rs`, in debug builds only: run without `--release`.

#![cfg(all(unix, debug_assertions))]

mod case;
mod control;
#[path = "../cli/environment.rs"]
#[allow(dead_code, reason = "shared with the tests of the command line, which use all of it")]
mod environment;
mod later;
mod matrix;
#[path = "../cli/server.rs"]
#[allow(dead_code, reason = "as above")]
mod server;
mod storm;
