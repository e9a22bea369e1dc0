//! The text to be posted: a file, or standard input.

use std::fs::File;
use std::io::{self, IsTerminal, Read};

use crate::cli::error::CliError;

/// The most that is read, in bytes: far more than any forge takes.
const MOST: u64 = 16 << 20;

/// Reads a text. What holds secrets in the environment is replaced by stars, should it stand in it.
///
/// # Errors
/// When it cannot be read.
pub fn read(body: &str, secrets: &[&str]) -> Result<String, CliError> {
    let mut bytes = Vec::new();
    let read = if body == "-" {
        if io::stdin().is_terminal() {
            return Err(CliError::new("no text: standard input is a terminal; nothing was sent")
                .hint("name a file in markdown, or pipe into it: `facectl plan -o markdown | facectl ci comment`"));
        }
        io::stdin().take(MOST).read_to_end(&mut bytes)
    } else {
        File::open(body).and_then(|file| file.take(MOST).read_to_end(&mut bytes))
    };
    read.map_err(|error| {
        let name = if body == "-" { "standard input" } else { body };
        CliError::caused(format!("cannot read the text from {name}; nothing was sent"), &error)
    })?;
    let text = String::from_utf8_lossy(&bytes);
    Ok(without(text.strip_prefix('\u{feff}').unwrap_or(&text), secrets))
}

/// Replaces what is in these variables by stars; what is as short as a word stays, as it may be one.
pub fn without(text: &str, secrets: &[&str]) -> String {
    let values = secrets.iter().filter_map(|name| std::env::var(name).ok());
    let values = values.map(|value| value.trim().to_owned()).filter(|value| value.len() >= SHORTEST_SECRET);
    values.fold(text.to_owned(), |text, value| text.replace(&value, "***"))
}

const SHORTEST_SECRET: usize = 8;
