//! `python`: run by CPython.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

use super::{passed, run};

pub(crate) enum Verdict {
    Passed,
    /// What it needs and this machine does not have.
    Skipped(String),
}

/// Runs a program, given as a file or as the text of the block.
///
/// # Errors
///
/// If it fails, does not end, or leaves something behind; with `CI=true` also
/// if Python or a package that it imports is missing.
pub(crate) fn check(
    root: &Path,
    program: &Program,
    limit: Duration,
) -> Result<Verdict, String> {
    let interpreter = match interpreter(root) {
        Err(why) => return skipped(why),
        Ok(interpreter) => interpreter,
    };
    let source = match program {
        Program::File(file) => fs::read_to_string(root.join(file))
            .map_err(|error| format!("cannot be read: {error}"))?,
        Program::Text(text) => text.clone(),
    };
    // The packages that are there: installing one changes this folder.
    let packages = passed::stamp(&root.join(".venv/lib"));
    let mut missing = None;
    let checked = passed::once((&source, &interpreter, packages), || {
        let mut command = Command::new(&interpreter);
        // Not the script's own folder: `queue.py` there is no `queue`.
        command.args(["-B", "-P"]);
        match program {
            Program::File(file) => command.arg(root.join(file)),
            Program::Text(text) => command.args(["-c", text]),
        };
        let ended = run::run(command, limit)?;
        if ended.status.success() {
            return Ok(());
        }
        missing = missing_package(&ended.stderr);
        Err(format!("ends with {}\n{}", ended.status, ended.stderr))
    });
    match missing {
        Some(package) => skipped(format!("no package `{package}`")),
        None => checked.map(|()| Verdict::Passed),
    }
}

fn skipped(missing: String) -> Result<Verdict, String> {
    if std::env::var("CI").is_ok_and(|ci| ci == "true") {
        return Err(format!("cannot run: {missing}"));
    }
    Ok(Verdict::Skipped(missing))
}

/// The package without which a program ended in its imports.
fn missing_package(stderr: &str) -> Option<String> {
    let last = stderr.trim_end().lines().next_back()?;
    let name = last.strip_prefix("ModuleNotFoundError: No module named '")?;
    let name = name.strip_suffix('\'')?;
    name.split('.').next().map(str::to_owned)
}

/// A Python program of the book.
pub(crate) enum Program {
    /// Relative to the book's root; the page shows all or a part of it.
    File(PathBuf),
    Text(String),
}

/// The book's own `.venv`, else `python3`; at least 3.11.
fn interpreter(root: &Path) -> Result<PathBuf, String> {
    static FOUND: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let find = || {
        let own = root.join(".venv/bin/python");
        let python = if own.exists() { own } else { PathBuf::from("python3") };
        let ask = "import sys; sys.exit(sys.version_info < (3, 11))";
        let status = Command::new(&python)
            .args(["-c", ask])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        match status {
            Ok(status) if status.success() => Ok(python),
            _ => Err("no CPython 3.11 or later".to_owned()),
        }
    };
    FOUND.get_or_init(find).clone()
}

static SKIPPED: Mutex<(usize, BTreeSet<String>)> =
    Mutex::new((0, BTreeSet::new()));

pub(crate) fn note_skipped(missing: String) {
    let mut skipped = SKIPPED.lock().unwrap_or_else(|p| p.into_inner());
    skipped.0 += 1;
    skipped.1.insert(missing);
}

/// One line that libtest does not capture, if blocks were skipped.
pub(crate) fn report_skipped() {
    let skipped = SKIPPED.lock().unwrap_or_else(|p| p.into_inner());
    let (count, missing) = &*skipped;
    if *count > 0 {
        let missing: Vec<&str> = missing.iter().map(String::as_str).collect();
        let _ = writeln!(
            std::io::stderr(),
            "\nSKIPPED {count} Python blocks: {}. To run them: python3 -m venv \
             .venv && .venv/bin/pip install -r snippets/requirements.txt",
            missing.join(", ")
        );
    }
}
