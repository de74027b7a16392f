//! `python`: run by CPython.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use tempfile::TempDir;

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
    let (interpreter, version) = match interpreter(root) {
        Err(why) => return skipped(why),
        Ok(interpreter) => interpreter,
    };
    let source = match program {
        Program::File(file) => fs::read_to_string(root.join(file))
            .map_err(|error| format!("cannot be read: {error}"))?,
        Program::Text(text) => text.clone(),
    };
    // The packages that are there: installing one changes their folder.
    let packages =
        passed::stamp(Path::new(version.lines().next().unwrap_or("")));
    let mut missing = None;
    let input = (&source, limit, version, &interpreter, packages);
    let checked = passed::once(input, || {
        let mut command = Command::new(&interpreter);
        // A copy, isolated from its folder: what it reads there would not be
        // noticed when it changes, and `queue.py` there is no `queue`.
        let folder = TempDir::with_prefix("mdbook-skeptic-")
            .map_err(|error| format!("cannot be copied: {error}"))?;
        let copy = folder.path().join("program.py");
        fs::write(&copy, &source)
            .map_err(|error| format!("cannot be copied: {error}"))?;
        command.args(["-I", "-B", "-W", "error::SyntaxWarning"]).arg(copy);
        let ended = run::run(command, limit)?;
        if ended.status.success() {
            return Ok(());
        }
        // With an environment of its own, the book has what it needs.
        if !root.join(".venv").exists() {
            missing = missing_package(&ended.stderr);
        }
        Err(format!("ends with {}\n{}", ended.status, ended.stderr))
    });
    match missing {
        Some(package) => skipped(format!("no package `{package}`")),
        None => checked.map(|()| Verdict::Passed),
    }
}

fn skipped(missing: String) -> Result<Verdict, String> {
    if super::skips_fail() {
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

/// The book's own `.venv`, else `python3`; at least 3.11. With the folder of its
/// packages, and its version.
pub(crate) fn interpreter(root: &Path) -> Result<(PathBuf, String), String> {
    static FOUND: OnceLock<Result<(PathBuf, String), String>> = OnceLock::new();
    let find = || {
        let own = root.join(".venv/bin/python");
        let python = if own.exists() { own } else { PathBuf::from("python3") };
        let ask = "import sys, sysconfig; \
                   print(sysconfig.get_path('purelib')); print(sys.version); \
                   sys.exit(sys.version_info < (3, 11))";
        match Command::new(&python).args(["-I", "-c", ask]).output() {
            Ok(output) if output.status.success() => {
                let version = String::from_utf8_lossy(&output.stdout);
                Ok((python, version.into_owned()))
            }
            _ => Err("no CPython 3.11 or later".to_owned()),
        }
    };
    FOUND.get_or_init(find).clone()
}
