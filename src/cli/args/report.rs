//! Which forms the result of which command has. The one list of them.

use std::path::PathBuf;
use std::str::FromStr;

use clap::ValueEnum;

use super::{Command, OutputFormat};

/// A form of a result that can be written to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ReportForm {
    Json,
    Yaml,
    Markdown,
    Junit,
    /// The counts that a merge request shows.
    Gitlab,
    /// Problems at their lines.
    Codequality,
}

/// One further form of the result, and where it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportTarget {
    pub form: ReportForm,
    pub path: PathBuf,
}

impl FromStr for ReportTarget {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (form, path) = match text.split_once('=') {
            // A path may hold `=` as well; a single word in front of it is meant as a form.
            Some((word, path)) if !word.contains(['/', '\\', '.']) => (ReportForm::from_str(word, true).ok(), path),
            _ => (Some(ReportForm::Json), text),
        };
        let form = form.ok_or_else(|| {
            let words: Vec<String> =
                ReportForm::value_variants().iter().map(|form| format!("`{}`", form.word())).collect();
            format!(
                "in front of `=` stands one of {}; for a file with `=` in its name write json=FILE",
                words.join(", ")
            )
        })?;
        match path {
            "" => Err("no file is named".to_owned()),
            path => Ok(Self { form, path: path.into() }),
        }
    }
}

impl ReportForm {
    /// Returns the word for it on the command line.
    pub fn word(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Yaml => "yaml",
            Self::Markdown => "markdown",
            Self::Junit => "junit",
            Self::Gitlab => "gitlab",
            Self::Codequality => "codequality",
        }
    }
}

/// What the result of a command can be written as, besides text, JSON and YAML on standard output.
#[derive(Debug, Clone, Copy)]
struct Forms {
    /// In `--output`.
    output: &'static [OutputFormat],
    /// In `--report`.
    report: &'static [ReportForm],
}

const ANY: Forms = Forms { output: &[], report: &[] };

const RUN: Forms = Forms {
    output: &[OutputFormat::Markdown, OutputFormat::Github, OutputFormat::Junit],
    report: &[ReportForm::Json, ReportForm::Yaml, ReportForm::Markdown, ReportForm::Junit],
};

const FINDINGS: Forms = Forms {
    output: &[OutputFormat::Markdown, OutputFormat::Github, OutputFormat::Gitlab, OutputFormat::Junit],
    report: &[ReportForm::Json, ReportForm::Yaml, ReportForm::Markdown, ReportForm::Junit, ReportForm::Codequality],
};

const PLAN: Forms = Forms {
    output: FINDINGS.output,
    report: &[
        ReportForm::Json,
        ReportForm::Yaml,
        ReportForm::Markdown,
        ReportForm::Junit,
        ReportForm::Gitlab,
        ReportForm::Codequality,
    ],
};

fn forms(command: &Command) -> Forms {
    match command {
        Command::Validate(_) => FINDINGS,
        Command::Plan(_) => PLAN,
        Command::Apply(_)
        | Command::Wait(_)
        | Command::Status(_)
        | Command::Drift(_)
        | Command::Rollback(_)
        | Command::Delete(_) => RUN,
        _ => ANY,
    }
}

/// Why a form cannot be had, or which are left where the environment asks for them.
///
/// What a flag asks for and a command has not is refused. The environment speaks to a whole pipeline, also to commands
/// that have no such form: those write text, and no file.
///
/// # Errors
/// When a flag asks for a form that the command does not have.
pub fn settle(
    command: &Command,
    output: (&mut OutputFormat, bool),
    report: (&mut Vec<ReportTarget>, bool),
) -> Result<(), String> {
    let has = forms(command);
    let (format, is_flag) = output;
    let is_plain = matches!(format, OutputFormat::Text | OutputFormat::Json | OutputFormat::Yaml);
    if !is_plain && !has.output.contains(format) {
        let word = word(*format);
        if is_flag {
            let others = has.output.iter().map(|format| self::word(*format));
            let all: Vec<String> = ["text", "json", "yaml"].map(str::to_owned).into_iter().chain(others).collect();
            return Err(format!("`--output {word}` has no meaning for this command, which knows {}", all.join(", ")));
        }
        *format = OutputFormat::Text;
    }
    let (targets, is_flag) = report;
    if let Some(target) = targets.iter().find(|target| !has.report.contains(&target.form)).filter(|_| is_flag) {
        let word = target.form.word();
        return Err(match has.report {
            [] => "`--report` has no meaning for this command: its result has one form".to_owned(),
            forms => {
                let known: Vec<&str> = forms.iter().map(|form| form.word()).collect();
                format!("`--report {word}=…` has no meaning for this command, which knows {}", known.join(", "))
            }
        });
    }
    targets.retain(|target| has.report.contains(&target.form));
    Ok(())
}

fn word(format: OutputFormat) -> String {
    format.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_stands_in_front_of_the_file_and_is_json_where_none_does() {
        let read = |text: &str| text.parse::<ReportTarget>().map(|target| (target.form, target.path));
        assert_eq!(read("out.json"), Ok((ReportForm::Json, "out.json".into())));
        assert_eq!(read("markdown=plan.md"), Ok((ReportForm::Markdown, "plan.md".into())));
        assert_eq!(read("json=a=b.json"), Ok((ReportForm::Json, "a=b.json".into())));
        assert_eq!(read("./a=b.json"), Ok((ReportForm::Json, "./a=b.json".into())));
        assert!(read("xml=out.xml").unwrap_err().contains("codequality"));
        assert!(read("json=").is_err() && read("").is_err());
    }
}
