//! `facectl ci comment`

use crate::apply::Interrupt;
use crate::cli::Exit;
use crate::cli::args::{CommentArgs, Global};
use crate::cli::error::CliError;
use crate::cli::output::Output;
use crate::forge::{CommentRequest, ForgeKind, MarkerKind, comment};

use super::desk::{Desk, SECRETS};
use super::text;

/// Writes a text into the one comment of this project on the pull request.
pub async fn run(global: &Global, args: &CommentArgs, output: Output, interrupt: &Interrupt) -> Result<Exit, CliError> {
    let CommentArgs { body, number, forge } = args;
    let desk = Desk::open(global, forge, *number, output)?;
    let document = desk.document(&text::read(body, &SECRETS)?, None, MarkerKind::Comment)?;
    if desk.is_rehearsal() {
        let number = desk.place().ok().and_then(|place| place.number);
        let what = number.map_or("a comment".to_owned(), |number| format!("a comment of #{number}"));
        return desk.rehearse(&what, document.text());
    }
    let place = desk.place()?;
    let Some(number) = place.number else { return Err(no_pull_request(place.kind)) };
    let Some(forge) = desk.forge(&place.target)? else { return Ok(Exit::SUCCESS) };
    let request =
        CommentRequest { number, document: &document, only_at: place.head.as_ref().filter(|_| place.is_number_unsure) };
    let done = tokio::select! {
        done = comment(&forge, &request) => done,
        () = interrupt.noted() => return Err(interrupted()),
    };
    match done {
        Ok(settled) => desk.tell(
            &format!("the comment of `{}` on #{number}", desk.project),
            &settled,
            &[("number", number.into())],
        ),
        Err(error) => desk.failed(error),
    }
}

/// Returns the end of a run that was asked to stop: what was sent may have been done.
pub fn interrupted() -> CliError {
    CliError::new("interrupted; what was sent last may have been written. Run again, it takes up what is there")
        .exit(Exit::INTERRUPTED)
}

fn no_pull_request(kind: ForgeKind) -> CliError {
    let error = CliError::new("no pull request to comment on: this job does not run for one; nothing was sent");
    match kind {
        ForgeKind::GitHub => error.hint("run it on `pull_request`; on `workflow_run` give --number, as GitHub does not say which pull request of a fork it was"),
        ForgeKind::GitLab => error.hint("run it in a merge request pipeline (`rules: [{ if: $CI_PIPELINE_SOURCE == \"merge_request_event\" }]`), or give --number"),
    }
}
