//! `python`: run by CPython.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::sandbox::Ended;
use super::workspace::{Context, Workspace};
use super::{cache, sandbox, skipped};
use crate::hash::stamp;
use crate::toolchain::{self, Python};

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
        Err(why) => return skip(why),
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
        let ended = run(python, &source, limit)?;
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
        Some(package) => skip(format!("no package `{package}`")),
        None => checked.map(|()| Verdict::Passed),
    }
}

/// Runs a copy of a program, isolated from its folder: what it reads there
/// would not be noticed when it changes, and `queue.py` there is no `queue`.
///
/// # Errors
///
/// If it does not end, or leaves something behind.
pub(crate) fn run(
    python: &Python,
    source: &str,
    limit: Duration,
) -> Result<Ended, String> {
    let mut command = Command::new(&python.program);
    let folder = sandbox::folder()?;
    let copy = folder.path().join("program.py");
    fs::write(&copy, source)
        .map_err(|error| format!("cannot be copied: {error}"))?;
    command.args(["-I", "-B", "-W", "error::SyntaxWarning"]).arg(copy);
    sandbox::run(command, limit)
}

/// Sees that a part of a program defines or imports each name that it uses.
///
/// # Errors
///
/// The names that it does not; with `CI=true` also if there is no Python.
pub(crate) fn stands_alone(
    workspace: &Workspace,
    part: &str,
) -> Result<(), String> {
    const ASK: &str = "import builtins, symtable, sys\n\
        def walk(table):\n    yield table\n    for child in \
        table.get_children():\n        yield from walk(child)\n\
        module = symtable.symtable(sys.argv[1], 'part', 'exec')\n\
        known = {s.get_name() for s in module.get_symbols() if \
        s.is_assigned() or s.is_imported() or s.is_namespace()}\n\
        used = {s.get_name() for table in walk(module) for s in \
        table.get_symbols() if s.is_referenced() and s.is_global()}\n\
        known |= set(dir(builtins)) | {'__name__'}\n\
        print(' '.join(sorted(used - known)), end='')";
    let python = match workspace.python() {
        Err(why) if toolchain::skips_fail() => {
            return Err(format!("cannot be seen: {why}"));
        }
        Err(why) => {
            skipped::note(why);
            return Ok(());
        }
        Ok(python) => python,
    };
    let output = Command::new(&python.program)
        .args(["-I", "-c", ASK, part])
        .output()
        .map_err(|error| format!("cannot run Python: {error}"))?;
    let unknown = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        let why = String::from_utf8_lossy(&output.stderr);
        return Err(format!("is unknown, for its Python is none:\n{why}"));
    }
    if !unknown.is_empty() {
        return Err(format!(
            "is unknown, for its Python does not define: {unknown}\nhelp: move \
             what it imports and uses into the anchor `keep`"
        ));
    }
    Ok(())
}

fn skip(missing: String) -> Result<Verdict, String> {
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
