//! The workflows in `examples/ci`, played from a pull request to the closed issue: the very files that users copy, with
//! their own scripts, in a real git repository, against the sandbox and a server that answers as a forge does.
//!
//! | file | holds |
//! |---|---|
//! | `github.rs`, `gitlab.rs` | the stories |
//! | `actions.rs`, `expression.rs` | a stand-in for GitHub Actions |
//! | `gitlab_runner.rs` | a stand-in for GitLab CI/CD |
//! | `forge.rs` | the stand-in for both forges' APIs, as the tests of `facectl ci` have it |
//! | `repository.rs` | the repository at the forge, and people who work on it |
//! | `account.rs` | the account that is paid from, and its time |
//! | `files.rs` | what must be true of the files by themselves, linters included |
//!
//! Needs git, bash and the usual small tools; without git or bash the stories say so and are left out.

#![cfg(unix)]

mod account;
mod actions;
#[path = "../cli/environment.rs"]
#[allow(dead_code, reason = "the stand-in for a forge asks for it")]
mod environment;
mod expression;
mod files;
mod forge;
mod github;
mod gitlab;
mod gitlab_runner;
mod repository;
#[path = "../cli/server.rs"]
#[allow(dead_code, reason = "as above")]
mod server;

/// Returns whether the programs that the scripts need are here, and says so if not.
#[expect(clippy::print_stderr, reason = "a test that was left out must not look like one that passed")]
fn has_tools() -> bool {
    let missing = ["git", "bash", "sh"].into_iter().find(|tool| {
        let mut command = std::process::Command::new(tool);
        command.args(["-c", "exit 0"]).output().is_err()
    });
    if let Some(tool) = missing {
        eprintln!("left out: there is no {tool} on this machine");
    }
    missing.is_none()
}

/// A project file.
const PROJECT: &str =
    "apiVersion: facectl.dev/v1\nkind: Project\nmetadata:\n  name: acme\nspec:\n  manifests: [faces/]\n";

/// A face.
fn face(key: &str, name: &str) -> String {
    format!(
        "apiVersion: facectl.dev/v1\nkind: Face\nmetadata:\n  name: {key}\nspec:\n  face_name: {name}\n  \
         train_video_url: https://media.faces-of-acme.net/{key}.mp4\n"
    )
}
