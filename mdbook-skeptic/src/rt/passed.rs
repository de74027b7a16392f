//! What has passed and has not changed since need not run again.
//!
//! As `go test` does it, and for the same reason: a check that has nothing
//! new to look at is the price of every run of the tests. What a program does
//! depends on its text, on the crates it is linked with and on the compiler;
//! examples and Python are shut in besides. Only passes are kept, under
//! everything that they depended on. With `CI=true`, or with `SKEPTIC_FRESH`
//! set, everything runs.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{LazyLock, OnceLock};
use std::time::SystemTime;

static UNCHANGED: AtomicUsize = AtomicUsize::new(0);

/// A file as it is now: `None` where it cannot be read.
pub(crate) fn stamp(file: &Path) -> Option<(PathBuf, u64, SystemTime)> {
    let metadata = fs::metadata(file).ok()?;
    Some((file.to_owned(), metadata.len(), metadata.modified().ok()?))
}

/// A file by its content: `None` where it cannot be read.
pub(crate) fn content(file: &Path) -> Option<u64> {
    fs::read(file).ok().map(hash)
}

/// Runs a check, unless it has passed on the same input, with the same guard.
pub(crate) fn once<E>(
    input: impl Hash,
    check: impl FnOnce() -> Result<(), E>,
) -> Result<(), E> {
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
    hash((salt, *CHECKER, input))
}

/// The guard's own sources: a check that has changed has passed nothing yet.
const GUARD: [&str; 17] = [
    include_str!("built.rs"),
    include_str!("compile.rs"),
    include_str!("crates.rs"),
    include_str!("dependencies.rs"),
    include_str!("load.rs"),
    include_str!("mod.rs"),
    include_str!("output.rs"),
    include_str!("passed.rs"),
    include_str!("python.rs"),
    include_str!("run.rs"),
    include_str!("service.rs"),
    include_str!("../include.rs"),
    include_str!("../timeline/draw.rs"),
    include_str!("../timeline/instrument.rs"),
    include_str!("../timeline/mod.rs"),
    include_str!("../timeline/recorder.rs"),
    include_str!("../timeline/run.rs"),
];

/// The guard and the compiler.
static CHECKER: LazyLock<u64> = LazyLock::new(|| {
    let compiler =
        Command::new(super::compile::rustc()).arg("-vV").output().ok();
    hash((GUARD, compiler.map(|output| output.stdout)))
});

/// Tells what it is given from anything else, within one build of the guard.
pub(crate) fn hash(input: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    input.hash(&mut hasher);
    hasher.finish()
}

fn folder() -> Option<&'static Path> {
    static FOLDER: OnceLock<Option<PathBuf>> = OnceLock::new();
    let find = || {
        // In a service's process, the caller has looked.
        let fresh = ["SKEPTIC_FRESH", super::IN_SERVICE];
        let fresh = fresh.iter().any(|name| std::env::var_os(name).is_some());
        if fresh || super::skips_fail() {
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
