//! A sandbox inside of this process.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::clock::{Clock, ScaledClock};
use crate::sandbox::{RunningSandbox, Sandbox, SandboxConfig, SandboxError, resume_time};

use super::super::Exit;
use super::super::args::Global;
use super::super::error::CliError;
use super::state::LOCK_RETRY;

pub(super) async fn start_sandbox(
    global: &Global,
    state_dir: &Path,
    patience: Duration,
) -> Result<(RunningSandbox, Arc<dyn Clock>), CliError> {
    let failed = |error: SandboxError| {
        let exit = if matches!(error, SandboxError::InUse { .. }) { Exit::HELD } else { Exit::ERROR };
        CliError::caused("cannot start the sandbox", &error)
            .hint(match exit {
                Exit::HELD => "another rehearsal is under way in this folder: wait for it with --lock-timeout 1m, or give this one a --state-dir of its own",
                _ => "its world and state live in .facectl/sandbox; --state-dir chooses another place, removing that folder starts anew",
            })
            .exit(exit)
    };
    std::fs::create_dir_all(state_dir).map_err(|source| {
        CliError::caused(format!("cannot make the sandbox's folder {}", state_dir.display()), &source)
            .hint("--state-dir DIR chooses a folder that can be written")
    })?;
    let world = state_dir.join("world.json");
    let deadline = Instant::now() + patience;
    loop {
        let clock: Arc<dyn Clock> =
            Arc::new(ScaledClock::new(resume_time(Some(&world)).map_err(failed)?, global.sandbox_speed));
        let config = SandboxConfig {
            listen: ([127, 0, 0, 1], 0).into(),
            world_file: Some(world.clone()),
            clock: Arc::clone(&clock),
            faults: global.sandbox_fault.clone(),
            api_key: None,
            lenient: false,
        };
        match Sandbox::start(config).await {
            Ok(sandbox) => return Ok((sandbox, clock)),
            Err(SandboxError::InUse { .. }) if Instant::now() < deadline => tokio::time::sleep(LOCK_RETRY).await,
            Err(error) => return Err(failed(error)),
        }
    }
}
