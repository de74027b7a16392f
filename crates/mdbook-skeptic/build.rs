//! Names the guard's sources, for the keys under which passes are kept: every
//! file, so that none can be forgotten.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::path::Path;

/// The guard itself, and what draws its timelines.
pub const SOURCES: [&str; 2] = ["src", "../timeline/src"];

fn main() -> io::Result<()> {
    let folders = SOURCES.map(Path::new);
    for folder in folders {
        println!("cargo::rerun-if-changed={}", folder.display());
    }
    let sources =
        folders.map(name).into_iter().collect::<io::Result<String>>()?;
    println!("cargo::rustc-env=MDBOOK_SKEPTIC_SOURCES={sources}");
    Ok(())
}

/// Tells a folder, with all that is below it, from any other.
pub fn name(folder: &Path) -> io::Result<String> {
    let mut hasher = DefaultHasher::new();
    read(folder, &mut hasher)?;
    Ok(format!("{:016x}", hasher.finish()))
}

fn read(folder: &Path, hasher: &mut impl Hasher) -> io::Result<()> {
    let entries: Result<Vec<_>, _> = fs::read_dir(folder)?.collect();
    let mut entries = entries?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        entry.file_name().hash(hasher);
        if entry.file_type()?.is_dir() {
            read(&entry.path(), hasher)?;
        } else {
            fs::read(entry.path())?.hash(hasher);
        }
    }
    Ok(())
}
