//! `facectl state`: what is remembered, looked at and changed by hand. Needs neither a key nor the network.

mod change;
mod history;
mod look;
mod transfer;

use std::sync::Arc;

use crate::apply::Interrupt;
use crate::cli::Exit;
use crate::cli::args::{Global, StateArgs, StateCommand};
use crate::cli::error::CliError;
use crate::cli::output::Output;
use crate::cli::session::{StatePlace, clock_of, load_only_project};
use crate::clock::Clock;
use crate::face::FaceKey;
use crate::state::{Snapshot, StateStore};

/// What these commands work with.
struct Desk<'a> {
    global: &'a Global,
    place: StatePlace,
    output: Output,
    clock: Arc<dyn Clock>,
}

/// Looks at the state, or changes it.
pub async fn run(global: &Global, args: StateArgs, output: Output, interrupt: Interrupt) -> Result<Exit, CliError> {
    let project = load_only_project(global, &output)?;
    let place = StatePlace::of(global, &project, output, interrupt)?;
    let clock = clock_of(global, &place.directory)?;
    let desk = Desk { global, place, output, clock };
    match args.command {
        StateCommand::List => look::list(&desk),
        StateCommand::Show(args) => look::show(&desk, &args),
        StateCommand::History(args) => history::run(desk, &args),
        StateCommand::Forget(args) => change::forget(&desk, &args),
        StateCommand::Move(args) => change::rename(&desk, &args),
        StateCommand::Pull => transfer::pull(&desk),
        StateCommand::Push(args) => transfer::push(&desk, &args),
    }
}

impl Desk<'_> {
    /// Brings the lock file up to date after a change.
    fn publish(&self, store: &dyn StateStore) {
        if let Err(error) = store.publish() {
            self.output.say(&format!("warning: the lock file could not be written: {error}"));
        }
    }
}

/// The keys named in one hint; the others are counted.
const NAMED: usize = 20;

/// Returns the error for a key that is not recorded.
fn unknown(key: &FaceKey, snapshot: &Snapshot) -> CliError {
    let error = CliError::new(format!("no face is recorded under the key `{key}`; nothing was changed"));
    let known: Vec<&str> = snapshot.faces.keys().map(FaceKey::as_str).collect();
    let near = known.iter().map(|known| (strsim::damerau_levenshtein(known, key.as_str()), known)).min();
    let error = match near {
        Some((distance, near)) if distance <= 2 => error.hint(format!("did you mean `{near}`?")),
        _ => error,
    };
    match (known.get(..NAMED), known.as_slice()) {
        (_, []) => error.hint("nothing is recorded yet: `facectl apply` records what it creates"),
        (None, known) => error.hint(format!("recorded are: {}", known.join(", "))),
        (Some(first), known) => {
            error.hint(format!("recorded are: {} and {} more", first.join(", "), known.len() - NAMED))
        }
    }
}
