//! What tells a file or a text from any other, within one build of the guard.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// A number that differs from that of every other input.
pub(crate) fn hash(input: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    input.hash(&mut hasher);
    hasher.finish()
}

/// A file by its path, length and time: `None` where it cannot be read.
pub(crate) fn stamp(file: &Path) -> Option<(PathBuf, u64, SystemTime)> {
    let metadata = fs::metadata(file).ok()?;
    Some((file.to_owned(), metadata.len(), metadata.modified().ok()?))
}

/// A file by what it holds: `None` where it cannot be read.
pub fn content(file: impl AsRef<Path>) -> Option<u64> {
    fs::read(file).ok().map(hash)
}
