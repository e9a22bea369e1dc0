//! `facectl converse`

use std::io::IsTerminal;

use serde_json::json;

use crate::apply::Interrupt;
use crate::cli::Exit;
use crate::cli::args::{ConverseArgs, Global};
use crate::cli::error::CliError;
use crate::cli::output::Output;
use crate::cli::run::ask;
use crate::cli::session::{Access, Session};
use crate::face::TrainingStatus;
use crate::tavus::{ConversationRequest, FaceApi, FaceReads, Failure, if_known};

/// Opens a conversation with a face and prints its link.
pub async fn run(global: &Global, args: ConverseArgs, output: Output, interrupt: Interrupt) -> Result<Exit, CliError> {
    let session = Session::open(global, &[], output, interrupt).await?;
    let exit = converse(&session, &args).await;
    session.close().await;
    exit
}

async fn converse(session: &Session, args: &ConverseArgs) -> Result<Exit, CliError> {
    let key = &args.key;
    let recorded = session.state(Access::ReadAnyhow)?.recorded;
    let Some(record) = recorded.faces.get(key) else {
        let known: Vec<&str> = recorded.faces.keys().map(crate::face::FaceKey::as_str).collect();
        let error = CliError::new(format!("no face is recorded under the key `{key}`; nothing was opened"));
        return Err(match known.as_slice() {
            [] => error.hint("create it first: `facectl apply`"),
            known => error.hint(format!("recorded are: {}", known.join(", "))),
        });
    };
    let look = async { Ok(if_known(session.api.face(&record.id).await)?) };
    let live = crate::cli::error::unless_interrupted(&session.interrupt, look).await?;
    let Some(live) = live else {
        return Err(CliError::new(format!("face {} of `{key}` is not in this account; nothing was opened", record.id))
            .hint("see `facectl plan`")
            .exit(Exit::FACE_FAILED));
    };
    if !live.status.is_usable() {
        return Err(match &live.status {
            TrainingStatus::Failed => CliError::new(format!(
                "the training of `{key}` ({}) failed, so it cannot hold a conversation; nothing was opened",
                live.id
            ))
            .hint("see `facectl plan`")
            .exit(Exit::FACE_FAILED),
            status => CliError::new(format!(
                "`{key}` ({}) is {}, so it cannot hold a conversation yet; nothing was opened",
                live.id,
                status.shown()
            ))
            .hint("wait for it: `facectl wait`")
            .exit(Exit::STILL_TRAINING),
        });
    }
    if !args.test && !args.approve.auto_approve && !agrees_to_pay(session)? {
        return Err(CliError::new("not agreed; nothing was opened"));
    }
    let request = ConversationRequest {
        face: live.id.clone(),
        pal: args.pal.clone(),
        test_mode: args.test,
        name: args.name.clone(),
    };
    let conversation = session.api.create_conversation(&request).await.map_err(|error| {
        let is_unknown = matches!(
            error.failure,
            Failure::NoAnswer(_) | Failure::TooLong { .. } | Failure::Unreadable { .. }
        );
        let error = CliError::from(error);
        if is_unknown && !args.test {
            return error.hint("a conversation may have been opened all the same and cost minutes: look in the Tavus console before trying again");
        }
        error
    })?;
    if session.output.is_for_programs() {
        session.output.value(&json!({
            "conversation_id": conversation.id,
            "conversation_url": conversation.url,
            "status": conversation.status,
            "face_id": live.id,
            "test": args.test,
        }))?;
        return Ok(Exit::SUCCESS);
    }
    match &conversation.url {
        Some(url) => session.output.result(&format!("{url}\n"))?,
        None => session.output.result(&format!("{}\n", conversation.id))?,
    }
    let note = if args.test {
        "a test: nothing joins it and nothing is charged"
    } else {
        "it costs minutes until it is ended"
    };
    session.output.talk(&format!("Conversation {} is {} ({note}).", conversation.id, conversation.status));
    if live.status == TrainingStatus::Preview {
        session.output.talk("The face is a preview: it carries a watermark until its tuning is done.");
    }
    Ok(Exit::SUCCESS)
}

fn agrees_to_pay(session: &Session) -> Result<bool, CliError> {
    if !std::io::stdin().is_terminal() || !session.output.is_talk_seen {
        return Err(CliError::new(
            "a conversation costs minutes of your plan, and nobody is here to agree; nothing was opened",
        )
        .hint("give --test for a free one that nobody joins, or --auto-approve (-y, --yes) to pay"));
    }
    ask(
        session,
        "A conversation costs minutes of your plan from now on, until it is ended. Open it? Only `yes` is taken: ",
    )
}
