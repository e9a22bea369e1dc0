//! The binary as a person or a pipeline meets it: an empty environment, a temporary folder, and what came out
//! of it, stdout, stderr and exit code together.

#![cfg(unix)]

mod absence;
mod adoption;
mod api;
mod certificates;
mod checkout;
mod codes;
mod creates;
mod drift;
mod empty_record;
mod environment;
mod events;
mod exits;
mod explain;
mod fmt;
mod forge;
mod formats;
mod hostile;
mod hostile_text;
mod imports;
mod init;
mod interrupts;
mod listings;
mod manifests;
mod media;
mod names;
mod offline;
mod provenance;
mod prune;
mod reconcile;
mod reconcile_examples;
mod replace;
mod saved;
mod scale;
mod schemas;
mod secrets;
mod selection;
mod server;
mod settings;
mod since;
mod small;
mod state;
mod state_push;
mod state_tools;
mod story;
mod terminal;
mod together;
mod voices;
