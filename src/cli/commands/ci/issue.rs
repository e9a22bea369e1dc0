//! `facectl ci issue`

use serde_json::json;

use crate::apply::Interrupt;
use crate::cli::Exit;
use crate::cli::args::{Global, IssueArgs};
use crate::cli::error::CliError;
use crate::cli::output::Output;
use crate::forge::{ForgeError, IssueRequest, MarkerKind, Noted, Place, close_issue, open_issue};
use crate::text::clean;

use super::comment::interrupted;
use super::desk::{Desk, SECRETS};
use super::text;

/// The longest title: GitLab takes 255 characters (Issues API), GitHub 256.
const TITLE: usize = 255;

/// Opens, updates or closes the one issue of this project.
pub async fn run(global: &Global, args: &IssueArgs, output: Output, interrupt: &Interrupt) -> Result<Exit, CliError> {
    let desk = Desk::open(global, &args.forge, None, output)?;
    let work = async { if args.close { close(&desk, args).await } else { open(&desk, args).await } };
    tokio::select! {
        done = work => done,
        () = interrupt.noted() => Err(interrupted()),
    }
}

async fn open(desk: &Desk<'_>, args: &IssueArgs) -> Result<Exit, CliError> {
    let body = text::read(args.body.as_deref().unwrap_or("-"), &SECRETS)?;
    let document = desk.document(&body, args.finding.as_deref(), MarkerKind::Issue)?;
    let title = title(args.title.as_deref().unwrap_or_default())?;
    if desk.is_rehearsal() {
        return desk
            .rehearse(&format!("the issue {title:?} with the label `{}`", args.label.as_str()), document.text());
    }
    let place = desk.place()?;
    let Some(forge) = desk.forge(&place.repository)? else { return Ok(Exit::SUCCESS) };
    let note = format!("The finding changed; the text above is the new one.{}", by(place));
    let request = IssueRequest { title: &title, document: &document, label: &args.label, note: &note };
    tell(desk, open_issue(&forge, &request).await)
}

async fn close(desk: &Desk<'_>, args: &IssueArgs) -> Result<Exit, CliError> {
    let marker = desk.marker(MarkerKind::Issue);
    let place = desk.place();
    let last = match &args.body {
        // Its marker is of no use here: a closed issue is not looked for again.
        Some(body) => {
            let document = desk.document(&text::read(body, &SECRETS)?, None, MarkerKind::Issue)?;
            document.text().to_owned()
        }
        None => format!("Nothing is found any more.{}", place.as_ref().map(|place| by(place)).unwrap_or_default()),
    };
    if desk.is_rehearsal() {
        return desk.rehearse("the last comment of the open issue, if there is one, after closing it", &last);
    }
    let place = place?;
    let Some(forge) = desk.forge(&place.repository)? else { return Ok(Exit::SUCCESS) };
    tell(desk, close_issue(&forge, &marker, &args.label, &last).await)
}

fn tell(desk: &Desk<'_>, done: Result<Noted, ForgeError>) -> Result<Exit, CliError> {
    match done {
        Ok(Noted { settled, is_noted }) => {
            desk.tell(&format!("the issue of `{}`", desk.project), &settled, &[("noted", json!(is_noted))])
        }
        Err(error) => desk.failed(error),
    }
}

/// Says which commit and run speak.
fn by(place: &Place) -> String {
    let commit = place.head.as_ref().map(|commit| format!(" Commit {}.", commit.short())).unwrap_or_default();
    let run = place.run_link.as_ref().map(|link| format!(" Run: {link}")).unwrap_or_default();
    format!("{commit}{run}")
}

/// Makes a title one harmless line.
fn title(text: &str) -> Result<String, CliError> {
    let line = clean(&text::without(text, &SECRETS), TITLE);
    if line.is_empty() { Err(CliError::new("the title is empty; nothing was sent")) } else { Ok(line) }
}
