//! What has passed and has not changed since need not run again.
//!
//! As `go test` does it, and for the same reason: a check that has nothing
//! new to look at is the price of every run of the tests. Only passes are kept,
//! each under a key that holds what is checked and what is shown, the time
//! limit, the builds of the crates (of an example or a test: its executable),
//! the compiler or the interpreter, the script of a server, and the guard.
//!
//! No key holds the files that a program opens, a Python package that is edited
//! in place, or the environment: of this, examples, tests and Python are given
//! `PATH` alone, but skeptic starts its programs itself, in that of `cargo
//! test`. With `CI=true`, or with `SKEPTIC_FRESH` set, everything runs.

use std::fs;
use std::hash::Hash;
use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{LazyLock, OnceLock};

use crate::hash::hash;
use crate::toolchain;

static UNCHANGED: AtomicUsize = AtomicUsize::new(0);

/// Runs a check of the package's own, unless it has passed on the same input
/// with the same guard: what takes long and depends on little.
///
/// # Panics
///
/// If the check does.
pub fn once(input: impl Hash, check: impl FnOnce()) {
    let check = || catch_unwind(AssertUnwindSafe(check));
    if let Err(failure) = unless_passed(input, check) {
        resume_unwind(failure);
    }
}

/// Runs a check, unless it has passed on the same input, with the same guard.
pub(crate) fn unless_passed<E>(
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

/// The guard, all of it, and the compiler: a check that has changed has passed
/// nothing yet.
static CHECKER: LazyLock<u64> = LazyLock::new(|| {
    let guard = env!("MDBOOK_SKEPTIC_SOURCES");
    hash((guard, toolchain::compiler_version()))
});

fn folder() -> Option<&'static Path> {
    static FOLDER: OnceLock<Option<PathBuf>> = OnceLock::new();
    let find = || {
        // The process that has started a child has looked.
        if toolchain::is_fresh() || toolchain::is_child() {
            return None;
        }
        let folder = toolchain::profile_folder()?.join(".skeptic-passed");
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
