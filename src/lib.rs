//! facectl: declarative GitOps for Tavus faces. This page is the map.
//!
//! People declare faces in YAML. We load that ([`manifest`]), look at what we last applied ([`state`]) and
//! at what the API shows ([`tavus`]), and compute a [`plan`]: a plain value that says what to do to each
//! face and why. A person or a policy approves it. Only then do effects happen ([`apply`]), one at a time,
//! each written down before it is sent and settled after it returned.
//!
//! ```text
//! load -> resolve -> observe -> plan -> review -> execute -> record -> report
//! ```
//!
//! `facectl reconcile` goes round this again and again: the same functions, from a source that somebody else changes.
//!
//! # Rooms
//!
//! | room | what it does | may know |
//! |---|---|---|
//! | [`face`] | the words: one face seen three ways (desired, recorded, observed) | nothing else |
//! | [`http`] | how a server is talked to: whose secret goes where, what an answer proves, what is sent again | `face`, `clock` |
//! | [`clock`] | the time, and waiting; nobody else asks for it | nothing else |
//! | [`manifest`] | YAML into desired faces, or every problem at once; its fields explained, its files laid out, a live face written as one | `face` |
//! | [`media`] | training material: where it lies, whether it can be fetched, what is in it | `face`, `clock`, `http` |
//! | [`plan`] | three views and a policy into one action with one reason for each face; pure | `face` |
//! | [`tavus`] | the API: URLs, field names, status words; three-valued creates | `face`, `clock`, `http` |
//! | [`forge`] | GitHub and GitLab: one comment, one issue for each project, safe for jobs at the same time | `face`, `clock`, `http` |
//! | [`state`] | what we remember: faces, open creates, history; durable or refused | `face` |
//! | [`apply`] | the only room that causes effects: settle, execute, wait | all of the above |
//! | [`report`] | values into text, JSON, its schemas, and lines of events; prints nothing | values of `plan`, `apply`, `state` and `manifest` |
//! | [`controller`] | what a loop stands on: when to look again, a git branch that is followed, health, metrics and callbacks over HTTP | all but `cli` |
//! | [`sandbox`] | a server that speaks the API on loopback, with faults and a ledger of what was paid for | `clock` |
//! | `files` | files written as a whole, and opened without following a link | nothing else |
//! | `git` | git's command line: what it may do, what it is told, and what it must not hear | `face`, `process` |
//! | `process` | programs that we start: bounded, and ended with all they started | nothing else |
//! | `shortage` | what the machine still gives this process: threads, memory, open files | nothing else |
//! | [`text`] | the one sanitiser: every text from outside that is shown, logged or stored goes through it; links are redacted; every room may use it | nothing else |
//! | `yaml` | the one writer of YAML that others read | `text` |
//! | `boundary` | what may be read for a project, by where it really lies | nothing else |
//! | `killpoint` | points at which tests kill the process; in debug builds only | nothing else |
//! | [`cli`] | arguments, settings, one thin file per command, exit codes; the only room that prints | all |
//!
//! # Files we keep on disk
//!
//! All but saved plans below the state directory, `.facectl/` beside `facectl.yaml` (with `--sandbox`: `.facectl/sandbox/`).
//!
//! | file | what it holds | room |
//! |---|---|---|
//! | `lock`, `lock.holder.json` | who is working, since when; the kernel releases the lock | `state/lease.rs` |
//! | `db/` | faces, journal of creates, history, meta: a sled database | `state/sled.rs` |
//! | `snapshot.json`, `snapshot.log` | a copy of it for readers beside the holder, and to rebuild a damaged database from | `state/snapshot.rs` |
//! | `history.log` | a copy of the history, for the same two reasons | `state/history_copy.rs` |
//! | `lock-file.base.yaml` | the lock file as this state wrote it last: the base of a merge | `state/lockfile.rs` |
//! | `backups/state-*.json` | what a `state push` replaced | `state/transfer.rs` |
//! | `lock-file.serial` | up to which serial the lock file says all that the state does | `state/published.rs` |
//! | `db.damaged-*/` | a database that could not be read, moved aside | `state/sled.rs` |
//! | `facectl.lock.yaml` | the record as a file to commit, beside `facectl.yaml` | `state/lockfile.rs` |
//! | `media-hashes.json` | what is in the local files that faces are trained from, so that each is hashed once | `media/content.rs` |
//! | `uploads/*.json` | how far an upload is that was interrupted | `media/upload.rs` |
//! | `source/` | the clone that `reconcile` follows, and the files of its newest commits | `controller/git.rs` |
//! | what `plan --out` names | a saved plan, wherever the user wants it, for its owner's eyes only | `cli/saved/file.rs` |
//! | what `--events` names | what happens in the run under way, a line each, begun anew by each run | `cli/events.rs` |
//! | `world.json` and its journal | the sandbox's faces, only below `.facectl/sandbox/` | `sandbox/store.rs` |

pub mod apply;
mod boundary;
pub mod cli;
pub mod clock;
pub mod controller;
pub mod face;
mod files;
pub mod forge;
mod git;
pub mod http;
mod killpoint;
pub mod manifest;
pub mod media;
pub mod plan;
mod process;
pub mod report;
pub mod sandbox;
mod shortage;
pub mod state;
pub mod tavus;
pub mod text;
mod yaml;
