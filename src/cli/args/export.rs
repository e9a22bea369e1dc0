//! `export`

use std::path::PathBuf;

use clap::Args;

/// `export`
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// Which faces: a key, a face id, or a pattern over names such as `Ana*` [default: all that are not
    /// recorded]
    #[arg(value_name = "KEY | FACE_ID | PATTERN")]
    pub faces: Vec<String>,
    /// Where to write [default: the first folder that facectl.yaml names, else `faces`]
    #[arg(long, value_name = "DIR", env = "FACECTL_EXPORT_DIR", conflicts_with = "stdout")]
    pub dir: Option<PathBuf>,
    /// Write to standard output, as one YAML stream, and no file
    #[arg(long)]
    pub stdout: bool,
    /// Export recorded faces as well
    #[arg(long)]
    pub all: bool,
    /// Replace files that are there already
    #[arg(long)]
    pub overwrite: bool,
}
