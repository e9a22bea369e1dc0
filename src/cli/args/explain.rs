//! `explain`

use clap::Args;

/// Explain the fields of manifests: what each is for, what it takes, what its default is
///
/// Comes from the same schema that `validate` checks by, so it is never out of date.
///
///   facectl explain                      the kinds there are
///   facectl explain face                 what a face is made of
///   facectl explain face.spec.lifecycle  the fields in one part of it
///   facectl explain project.spec.limits  the same for facectl.yaml
///   facectl explain protect              one field, wherever it stands
///
/// Without a kind in front, a face is meant where both kinds have such a field; which one was
/// taken is said. `-o json` and `-o yaml` print its part of the JSON Schema. Needs no project,
/// no network and no key.
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct ExplainArgs {
    /// The field: KIND.PATH, a path, or the end of one; without it the kinds are listed
    #[arg(value_name = "FIELD")]
    pub field: Option<String>,
    /// Print everything below it as a tree
    #[arg(long, env = "FACECTL_RECURSIVE", value_parser = clap::builder::FalseyValueParser::new(), action = clap::ArgAction::SetTrue)]
    pub recursive: bool,
}
