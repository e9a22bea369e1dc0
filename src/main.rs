//! Parse, run, exit code. Nothing else.

fn main() -> std::process::ExitCode {
    facectl::cli::run()
}
