//! Asking a person, where there is one.

use std::io::{BufRead, IsTerminal};
use std::time::Duration;

use crate::apply::Interrupt;
use crate::cli::error::CliError;
use crate::cli::output::{self, Output};
use crate::cli::session::Session;

/// Asks a person. Only `yes` means yes.
///
/// # Errors
/// As [`ask_for`].
pub fn ask(session: &Session, question: &str) -> Result<bool, CliError> {
    ask_for(session, question, "yes")
}

/// Asks a person to agree, where nobody has agreed by a flag.
///
/// # Errors
/// As [`agree_unless`].
pub fn agree(session: &Session, question: &str, word: &str) -> Result<(), CliError> {
    agree_unless(&session.interrupt, &session.output, question, word)
}

/// As [`agree`], without a session.
///
/// # Errors
/// When there is no terminal to ask on, or as [`answer`].
pub fn agree_unless(interrupt: &Interrupt, output: &Output, question: &str, word: &str) -> Result<(), CliError> {
    if !std::io::stdin().is_terminal() || !output.is_talk_seen {
        return Err(CliError::new("there is nobody to ask: this is no terminal; nothing was changed").hint(
            "give --auto-approve (-y, --yes) once it is what you want; FACECTL_AUTO_APPROVE counts for `apply` alone",
        ));
    }
    match is_typed(interrupt, question, word)? {
        true => Ok(()),
        false => Err(CliError::new("not approved; nothing was changed")),
    }
}

/// Asks a person to type a word; only that word means yes.
///
/// # Errors
/// As [`answer`].
pub fn ask_for(session: &Session, question: &str, word: &str) -> Result<bool, CliError> {
    is_typed(&session.interrupt, question, word)
}

fn is_typed(interrupt: &Interrupt, question: &str, word: &str) -> Result<bool, CliError> {
    Ok(answer(interrupt, &format!("\n{question}"))?.is_some_and(|line| line.trim() == word))
}

/// Asks a person and returns the line that was typed; `None` where there will be none.
///
/// # Errors
/// When the question cannot be asked or the answer not be read, or somebody asks to stop meanwhile.
pub fn answer(interrupt: &Interrupt, question: &str) -> Result<Option<String>, CliError> {
    output::ask(question, true).map_err(|error| CliError::caused("cannot ask", &error))?;
    // Read on a thread of its own, so that an interrupt ends the run while the question stands.
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let mut line = String::new();
        let _ = sender.send(std::io::stdin().lock().read_line(&mut line).map(|read| (read > 0).then_some(line)));
    });
    loop {
        match receiver.recv_timeout(Duration::from_millis(50)) {
            Ok(Ok(line)) => return Ok(line),
            Ok(Err(error)) => return Err(CliError::caused("cannot read the answer", &error)),
            Err(std::sync::mpsc::RecvTimeoutError::Timeout) if interrupt.is_noted() => {
                return Err(CliError::interrupted());
            }
            Err(std::sync::mpsc::RecvTimeoutError::Timeout) => {}
            Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => return Ok(None),
        }
    }
}
