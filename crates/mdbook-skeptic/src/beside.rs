//! What lies beside a program and is needed when it is compiled: migrations
//! that `sqlx::migrate!` embeds, and what `sqlx::query!` knows of the database.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use walkdir::WalkDir;

use crate::hash::hash;

/// The folders of that kind.
pub(crate) const FOLDERS: [&str; 2] = ["migrations", ".sqlx"];

/// A recipe's folder that holds some of [`FOLDERS`]. It is a package of its
/// own, for these are looked up beside a Cargo.toml.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Beside {
    /// Relative to the book's root.
    pub(crate) folder: PathBuf,
    /// Of all that [`FOLDERS`] hold.
    pub(crate) hash: u64,
}

impl Beside {
    /// What lies beside the program in this file; `None` where nothing does.
    pub(crate) fn of(root: &Path, program: &Path) -> Option<Beside> {
        let folder = program.parent()?;
        let files = files(&root.join(folder));
        if files.is_empty() {
            return None;
        }
        let content = files
            .iter()
            .map(|file| (file.strip_prefix(root).ok(), fs::read(file).ok()));
        let hash = hash(content.collect::<Vec<_>>());
        Some(Beside { folder: folder.to_owned(), hash })
    }

    /// What the compiler has to be told, as cargo tells it to a package.
    pub(crate) fn environment(&self, root: &Path) -> (&'static str, PathBuf) {
        ("CARGO_MANIFEST_DIR", root.join(&self.folder))
    }
}

/// The files that [`FOLDERS`] of this folder hold, sorted.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let folders = FOLDERS.iter().map(|name| folder.join(name));
    folders
        .flat_map(|folder| WalkDir::new(folder).sort_by_file_name())
        .filter_map(Result::ok)
        // A macro follows a link, too.
        .filter(|entry| entry.path().is_file())
        .map(walkdir::DirEntry::into_path)
        .collect()
}
