//! `facectl sandbox`

use std::sync::Arc;

use crate::apply::Interrupt;
use crate::cli::Exit;
use crate::cli::args::SandboxArgs;
use crate::cli::error::CliError;
use crate::cli::output::Output;
use crate::clock::ScaledClock;
use crate::sandbox::{FAULTS, MAGIC_NAMES, Sandbox, SandboxConfig, SandboxError, resume_time};

/// Serves the sandbox until it is interrupted.
pub async fn run(args: SandboxArgs, output: Output, interrupt: Interrupt) -> Result<Exit, CliError> {
    let failed = |error: SandboxError| {
        let exit = if matches!(error, SandboxError::InUse { .. }) { Exit::HELD } else { Exit::ERROR };
        CliError::caused("cannot start the sandbox", &error).hint("--port 0 takes a free port").exit(exit)
    };
    let now = resume_time(args.world.as_deref()).map_err(failed)?;
    let config = SandboxConfig {
        listen: ([127, 0, 0, 1], args.port).into(),
        world_file: args.world,
        clock: Arc::new(ScaledClock::new(now, args.speed)),
        faults: args.fault,
        api_key: args.accept_key,
        lenient: !args.strict,
    };
    let sandbox = Sandbox::start(config).await.map_err(failed)?;
    let url = sandbox.base_url();
    output.result(&format!("{url}\n"))?;
    output.talk(&format!(
        "The sandbox serves the Tavus API here; one real second is {} there. For any client:",
        seconds(args.speed)
    ));
    output.talk(&format!("  export TAVUS_API_KEY=any-key-will-do TAVUS_PUBLIC_API_BASE_URL={url}"));
    let top = url.trim_end_matches("/v2");
    output.talk(&format!("Ctrl-C ends it. What was paid for: curl {top}/_sandbox/ledger. To let hours pass:"));
    output
        .talk(&format!("  curl -H 'content-type: application/json' -d '{{\"advance\":\"4h\"}}' {top}/_sandbox/clock"));
    interrupt.noted().await;
    sandbox.shutdown().await.map_err(failed)?;
    Ok(Exit::SUCCESS)
}

fn seconds(speed: f64) -> String {
    if speed == 1.0 { "one second".to_owned() } else { format!("{speed} seconds") }
}

/// Returns what there is to go wrong, for the help.
pub fn after_help() -> String {
    let table = |rows: &[(&str, &str)]| {
        let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
        rows.iter().map(|(name, what)| format!("  {name:<width$}  {what}\n")).collect::<String>()
    };
    format!(
        "File names in train_video_url and train_image_url that decide how a training goes:\n{}\nRules for --fault (OPERATION[@TURN[-TURN]]:FAULT[;OPTION=VALUE]):\n{}",
        table(MAGIC_NAMES),
        table(FAULTS)
    )
}
