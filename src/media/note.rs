//! Notes that are kept between runs only to save work: what cannot be read is not remembered, and none is half written.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::files::{self, Mode};

/// The largest that is read, in bytes.
const LIMIT: u64 = 64 * 1024 * 1024;

/// Returns what was noted; none where there is nothing, or nothing that makes sense.
pub(super) fn read<T: DeserializeOwned>(path: &Path) -> Option<T> {
    let mut text = Vec::new();
    File::open(path).ok()?.take(LIMIT).read_to_end(&mut text).ok()?;
    serde_json::from_slice(&text).ok()
}

/// Notes something in place of what was noted before.
pub(super) fn write(path: &Path, note: &impl Serialize) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    files::replace(path, &serde_json::to_vec(note)?, Mode::Private)
}
