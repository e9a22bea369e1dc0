//! Whole commands, from start to exit, on projects of every size: how long, how much memory, how many requests, and how
//! far that is from the floor, the same requests sent raw.
//!
//! `cargo bench --bench scale -- --help` tells what there is to ask for; README.md beside this has the tables.

mod beside;
mod measure;
mod project;
mod raw;
mod server;
mod table;
mod waiting;

use std::path::PathBuf;

use clap::Parser;

use measure::{Measured, Run};
use project::Project;
use server::Server;
use table::Table;

/// What is to be measured.
#[derive(Debug, Parser)]
#[command(name = "scale")]
struct Arguments {
    /// How many faces, one table for each number
    #[arg(default_values_t = [1, 100, 1_000, 10_000])]
    sizes: Vec<usize>,

    /// How often each command runs; the middle of them is shown. Creating them all runs once
    #[arg(long, default_value_t = 5)]
    runs: usize,

    /// How many faces a manifest file holds
    #[arg(long, default_value_t = 1)]
    per_file: usize,

    /// Requests under way at once, for facectl and for the floor
    #[arg(long, default_value_t = 4)]
    parallelism: usize,

    /// Creates under way at once; 2 is what facectl does by default
    #[arg(long, default_value_t = 2)]
    create_parallelism: usize,

    /// The binary that is measured, in place of the one that was just built
    #[arg(long, default_value = env!("CARGO_BIN_EXE_facectl"))]
    binary: PathBuf,

    /// Measure terraform and a naive script up to this many faces; 0 leaves them out
    #[arg(long, default_value_t = 1_000)]
    beside: usize,

    /// Only wait: this many faces in training for four simulated hours
    #[arg(long, value_name = "FACES")]
    waiting: Option<usize>,

    /// How long those four hours are here, in seconds
    #[arg(long, default_value_t = 60.0)]
    waiting_for: f64,

    /// Send the requests of the floor, and nothing else: what this program runs itself as
    #[arg(long, num_args = 2, value_names = ["URL", "WHAT"], hide = true)]
    raw: Option<Vec<String>>,

    /// What cargo says to every benchmark
    #[arg(long, hide = true)]
    bench: bool,
}

#[allow(clippy::print_stdout, reason = "the tables are what this is for")]
fn main() {
    let arguments = Arguments::parse();
    if let Some(raw) = &arguments.raw {
        raw::send(&raw[0], &raw[1], arguments.parallelism);
        return;
    }
    println!("{}", table::machine(&arguments.binary));
    if let Some(faces) = arguments.waiting {
        println!("{}", waiting::measure(&arguments.binary, faces, arguments.waiting_for));
        return;
    }
    for size in &arguments.sizes {
        at_size(*size, &arguments);
    }
}

/// Measures everything with so many faces.
fn at_size(size: usize, arguments: &Arguments) {
    let server = Server::start(&arguments.binary);
    let project = Project::new(size, arguments.per_file);
    let run = |line: &str| {
        let words = line.split_whitespace().map(str::to_owned);
        let together = ["--parallelism".to_owned(), arguments.parallelism.to_string()];
        let run = Run::new(&arguments.binary).arguments(words.chain(together)).within(project.path());
        let run = run.variable("FACECTL_API_URL", &server.url()).variable("TAVUS_API_KEY", "any");
        run.variable("FACECTL_FRESH", "1")
    };
    let table = Table::new(size);
    let measure = |line: &str, codes: &[i32], times: usize, floor: Option<&Measured>| {
        let before = server.requests();
        let measured = run(line).codes(codes).times(times);
        // A warm-up comes before those that are counted, but not before what cannot be done twice.
        let counted = if times == 1 { 1 } else { times + 1 } as u64;
        table.add(line, &measured, (server.requests() - before) / counted, floor);
    };
    let raw = |url: &str, what: &str, times: usize| {
        let run = Run::new(&std::env::current_exe().unwrap()).arguments(["--raw", url, what].map(str::to_owned));
        run.arguments(["--parallelism".to_owned(), arguments.parallelism.to_string()]).times(times)
    };
    let runs = arguments.runs;
    measure("version", &[0], runs, None);
    measure("validate", &[0], runs, None);
    let creating = raw(&Server::start(&arguments.binary).url(), &format!("create={size}"), 1);
    let at_once = arguments.create_parallelism;
    let create = format!("apply -y --no-wait --max-trainings {size} --create-parallelism {at_once}");
    measure(&create, &[0], 1, Some(&creating));
    let listing = raw(&server.url(), "list", runs);
    for line in ["plan", "plan -o json", "status", "drift"] {
        measure(line, &[0], runs, Some(&listing));
    }
    project.change(size.div_ceil(100));
    measure("plan --detailed-exitcode", &[2], runs, Some(&listing));
    measure("plan --offline", &[0], runs, None);
    table.add("the floor: all pages, raw", &listing, size.div_ceil(100).max(1) as u64, Some(&listing));
    table.add("the floor: all creates, raw", &creating, size as u64, Some(&creating));
    if size <= arguments.beside {
        beside::naive(&server, arguments.runs, &listing, &table);
        beside::terraform(size, arguments.runs, &table);
    }
}
