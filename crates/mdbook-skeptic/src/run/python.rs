//! `python`: run by CPython.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::workspace::Context;
use super::{cache, sandbox};
use crate::hash::stamp;
use crate::toolchain;

pub(crate) enum Verdict {
    Passed,
    /// What it needs and this machine does not have.
    Skipped(String),
}

/// Runs a program: that in `file`, where the block shows one, else `text`.
///
/// # Errors
///
/// If it fails, does not end, or leaves something behind; with `CI=true` also
/// if Python or a package that it imports is missing.
pub(crate) fn check(
    context: &Context,
    file: Option<&Path>,
    text: &str,
) -> Result<Verdict, String> {
    let Context { workspace, limit, .. } = *context;
    let python = match workspace.python() {
        Err(why) => return skipped(why),
        Ok(python) => python,
    };
    let source = match file {
        Some(file) => fs::read_to_string(workspace.root.join(file))
            .map_err(|error| format!("cannot be read: {error}"))?,
        None => text.to_owned(),
    };
    // Installing a package changes the folder of all.
    let input = (&source, limit, python, stamp(&python.packages));
    let mut missing = None;
    let checked = cache::unless_passed(input, || {
        let mut command = Command::new(&python.program);
        // A copy, isolated from its folder: what it reads there would not be
        // noticed when it changes, and `queue.py` there is no `queue`.
        let folder = sandbox::folder()?;
        let copy = folder.path().join("program.py");
        fs::write(&copy, &source)
            .map_err(|error| format!("cannot be copied: {error}"))?;
        command.args(["-I", "-B", "-W", "error::SyntaxWarning"]).arg(copy);
        let ended = sandbox::run(command, limit)?;
        if ended.status.success() {
            return Ok(());
        }
        // With an environment of its own, the book has what it needs.
        if !workspace.root.join(".venv").exists() {
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
    if toolchain::skips_fail() {
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
