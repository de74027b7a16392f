//! What has passed and has not changed since need not run again.
//!
//! As `go test` does it, and for the same reason: a check that has nothing
//! new to look at is the price of every run of the tests. A program is shut
//! in, so that what it does depends on the program alone. Only passes are
//! kept, under everything that they depended on. With `CI=true`, or with
//! `SKEPTIC_FRESH` set, everything runs.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::SystemTime;

static UNCHANGED: AtomicUsize = AtomicUsize::new(0);

/// A file as it is now: `None` where it cannot be read.
pub(crate) fn stamp(file: &Path) -> Option<(PathBuf, u64, SystemTime)> {
    let metadata = fs::metadata(file).ok()?;
    Some((file.to_owned(), metadata.len(), metadata.modified().ok()?))
}

/// Runs a check, unless it has passed on the same input, with the same guard.
pub(crate) fn once(
    input: impl Hash,
    check: impl FnOnce() -> Result<(), String>,
) -> Result<(), String> {
    let Some(folder) = folder() else { return check() };
    let file =
        folder.join(format!("{:016x}{:016x}", key(0, &input), key(1, &input)));
    if file.exists() {
        UNCHANGED.fetch_add(1, Relaxed);
        return Ok(());
    }
    check()?;
    // One that cannot be noted runs again next time.
    let _ = fs::write(file, "");
    Ok(())
}

fn key(salt: u8, input: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    salt.hash(&mut hasher);
    GUARD.hash(&mut hasher);
    input.hash(&mut hasher);
    hasher.finish()
}

/// The guard's own sources: a check that has changed has passed nothing yet.
const GUARD: [&str; 9] = [
    include_str!("compile.rs"),
    include_str!("crates.rs"),
    include_str!("dependencies.rs"),
    include_str!("mod.rs"),
    include_str!("output.rs"),
    include_str!("passed.rs"),
    include_str!("python.rs"),
    include_str!("run.rs"),
    include_str!("service.rs"),
];

fn folder() -> Option<&'static Path> {
    static FOLDER: OnceLock<Option<PathBuf>> = OnceLock::new();
    let find = || {
        if super::skips_fail() || std::env::var_os("SKEPTIC_FRESH").is_some() {
            return None;
        }
        let running = std::env::current_exe().ok()?;
        let mut folders = running.ancestors();
        let profile = folders.find(|folder| folder.join("deps").is_dir())?;
        let folder = profile.join(".skeptic-passed");
        fs::create_dir_all(&folder).ok()?;
        Some(folder)
    };
    FOLDER.get_or_init(find).as_deref()
}

/// One line that libtest does not capture, if anything was unchanged.
pub(crate) fn report() {
    let count = UNCHANGED.load(Relaxed);
    if count > 0 {
        let _ = writeln!(
            std::io::stderr(),
            "\n{count} checks are unchanged since they passed; \
             SKEPTIC_FRESH=1 cargo test runs them again"
        );
    }
}
