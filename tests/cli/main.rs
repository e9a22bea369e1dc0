//! The binary as a person or a pipeline meets it: an empty environment, a temporary folder, and what came out
//! of it, stdout, stderr and exit code together.

#![cfg(unix)]

mod codes;
mod creates;
mod environment;
mod interrupts;
mod server;
mod settings;
mod story;
mod together;
