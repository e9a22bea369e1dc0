//! `facectl voices`

use crate::apply::Interrupt;
use crate::cli::Exit;
use crate::cli::args::{Global, VoicesArgs};
use crate::cli::error::{CliError, unless_interrupted};
use crate::cli::output::Output;
use crate::cli::session::Session;
use crate::face::ListedVoice;
use crate::report::{voices_json, voices_table};
use crate::tavus::{Voices, list_voices};

/// Lists the voices that a manifest can name.
pub async fn run(global: &Global, args: VoicesArgs, output: Output, interrupt: Interrupt) -> Result<Exit, CliError> {
    let session = Session::open_without_manifests(global, output, interrupt).await?;
    let exit = voices(&session, &args).await;
    session.close().await;
    exit
}

async fn voices(session: &Session, args: &VoicesArgs) -> Result<Exit, CliError> {
    let VoicesArgs { search, tag, all } = args;
    let search = search.as_deref().map(str::trim).filter(|text| !text.is_empty());
    let look = async { Ok(list_voices(&session.api, search).await?) };
    let Voices { mut voices, doubt } = unless_interrupted(&session.interrupt, look).await?;
    voices.retain(|voice| has_tags(voice, tag));
    let found = voices.len();
    if !all {
        voices.retain(|voice| voice.usage().is_some());
    }
    let output = &session.output;
    if let Some(doubt) = &doubt {
        output.talk(&format!("warning: these may not be all voices: {doubt}."));
    }
    if output.is_for_programs() {
        output.value(&voices_json(&voices, doubt.is_none()))?;
        return Ok(Exit::SUCCESS);
    }
    if !voices.is_empty() {
        output.result(&voices_table(&voices, output.paint))?;
    }
    let hidden = found - voices.len();
    match (voices.is_empty(), hidden) {
        (true, 0) => output.talk("No voice fits."),
        (_, 0) => {}
        (_, 1) => output.talk("1 more cannot be used now: --all shows it."),
        (_, hidden) => output.talk(&format!("{hidden} more cannot be used now: --all shows them.")),
    }
    Ok(Exit::SUCCESS)
}

fn has_tags(voice: &ListedVoice, wanted: &[String]) -> bool {
    let has = |wanted: &str| voice.tags.iter().any(|tag| tag.to_lowercase() == wanted.to_lowercase());
    wanted.iter().all(|wanted| has(wanted.trim()))
}
