//! What else people would use, measured in the same run.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::measure::{Measured, Run};
use crate::server::Server;
use crate::table::Table;

/// A script that asks for each face alone, over one connection, as one writes it in an afternoon.
const ONE_BY_ONE: &str = "
import http.client, json, sys
host, ids = sys.argv[1], open(sys.argv[2]).read().split()
connection = http.client.HTTPConnection(host)
for face in ids:
    connection.request('GET', '/v2/faces/' + face, headers={'x-api-key': 'any'})
    json.load(connection.getresponse())
";

/// Reads each face by a request of its own.
pub(crate) fn naive(server: &Server, runs: usize, floor: &Measured, table: &Table) {
    let Some(python) = on_the_path("python3") else { return };
    let folder = TempDir::new().unwrap();
    let (script, ids) = (folder.path().join("naive.py"), folder.path().join("ids"));
    let all = server.ids();
    fs::write(&script, ONE_BY_ONE).unwrap();
    fs::write(&ids, all.join("\n")).unwrap();
    let host = server.url().trim_start_matches("http://").trim_end_matches("/v2").to_owned();
    let words = [script.display().to_string(), host, ids.display().to_string()];
    let measured = Run::new(&python).arguments(words).times(runs);
    table.add("naive: one GET for each face (python)", &measured, all.len() as u64, Some(floor));
}

/// As many resources that need no network at all, each declared by itself.
pub(crate) fn terraform(size: usize, runs: usize, table: &Table) {
    let Some(terraform) = on_the_path("terraform") else { return };
    let folder = TempDir::new().unwrap();
    let write = |changed: usize| {
        let mut text = String::new();
        for number in 0..size {
            let take = if number < changed { 2 } else { 1 };
            let link = format!("https://media.example.com/recordings/{number:06}/take-{take}.mp4");
            writeln!(
                text,
                "resource \"terraform_data\" \"speaker-{number:06}\" {{\n  input = {{\n    name = \"Speaker {number}\"\n    \
                 link = \"{link}\"\n  }}\n}}"
            )
            .unwrap();
        }
        fs::write(folder.path().join("main.tf"), text).unwrap();
    };
    let run = |line: &str| terraform_run(&terraform, folder.path(), line);
    write(0);
    run("init").times(1);
    let measure = |line: &str, codes: &[i32], times: usize| {
        let measured = run(line).codes(codes).times(times);
        table.add(&format!("terraform {line}"), &measured, 0, None);
    };
    measure("validate", &[0], runs);
    measure("apply -auto-approve", &[0], 1);
    measure("plan", &[0], runs);
    write(size.div_ceil(100));
    measure("plan -detailed-exitcode", &[2], runs);
}

fn terraform_run(terraform: &Path, folder: &Path, line: &str) -> Run {
    let words = line.split_whitespace().map(str::to_owned);
    let run = Run::new(terraform).arguments(words).arguments(["-no-color".to_owned()]).within(folder);
    // It asks its makers whether there is a newer one; that is not what is measured.
    run.variable("CHECKPOINT_DISABLE", "1").variable("TF_IN_AUTOMATION", "1")
}

fn on_the_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}
