//! `fmt`

use clap::Args;

/// Lay out manifests in one look, with every comment kept
///
/// Two blanks a level, `{ a: b }` and `[a, b]`, double quotes, at most one empty line. What stands
/// in brackets breaks at 80 columns; texts are never wrapped. The order of the fields is left alone:
/// a comment may speak of the field below it or of five, and nobody but its writer knows. Comments
/// behind values keep their distance, and those that were lined up are lined up again. A comment
/// `# facectl-fmt-ignore` keeps the field below it as it is.
///
/// Line ends stay as they are in the first line of a file (LF or CRLF), so that git shows what was
/// laid out and nothing else; a byte order mark is dropped, as other tools stumble over it.
///
/// Each result is read again by two other readers: a file whose values or comments would not be the
/// same is left as it is, and said so. Files are replaced as a whole and keep their permissions; links
/// are followed. Files that are as they should be are not touched, nor is facectl.lock.yaml, nor any
/// file that holds something else than faces or the project.
///
/// Prints the names of the files that it laid out, and exits with 1 if a file could not be read or
/// written; the others are laid out all the same. Needs no network and no key.
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct FmtArgs {
    /// Files, folders, patterns, or `-` alone, which lays out standard input to standard output.
    /// Default: facectl.yaml and what it names, else this folder
    #[arg(value_name = "PATH")]
    pub paths: Vec<String>,
    /// Write nothing; print the names of the files that need it, and exit with 1 if there are any
    #[arg(long, env = "FACECTL_CHECK", value_parser = clap::builder::FalseyValueParser::new(), action = clap::ArgAction::SetTrue)]
    pub check: bool,
    /// Print what changes as a unified diff instead of names; queries of links are shown as `…`
    #[arg(long, env = "FACECTL_DIFF", value_parser = clap::builder::FalseyValueParser::new(), action = clap::ArgAction::SetTrue)]
    pub diff: bool,
}
