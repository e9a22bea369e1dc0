//! The binary as a person or a pipeline meets it: an empty environment, a temporary folder, and what came out
//! of it, stdout, stderr and exit code together.

#![cfg(unix)]

mod api;
mod codes;
mod creates;
mod drift;
mod environment;
mod interrupts;
mod manifests;
mod prune;
mod replace;
mod scale;
mod secrets;
mod server;
mod settings;
mod small;
mod state;
mod story;
mod terminal;
mod together;
