//! `python`: run by CPython.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

use super::run;

/// What a Python block needs and this machine does not have.
pub(crate) enum Verdict {
    Passed,
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
    let missing = match interpreter(root) {
        Err(why) => Some(why),
        Ok(python) => missing_import(&python, program)?,
    };
    if let Some(missing) = missing {
        if std::env::var("CI").is_ok_and(|ci| ci == "true") {
            return Err(format!("cannot run it: {missing}"));
        }
        return Ok(Verdict::Skipped(missing));
    }
    let mut command = Command::new(interpreter(root)?);
    match program {
        Program::File(file) => command.arg("-B").arg(root.join(file)),
        Program::Text(text) => command.args(["-B", "-c", text]),
    };
    // A coroutine that was never awaited is a warning; make it loud.
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    let ended = run::run(command, limit)?;
    if ended.status.success() {
        Ok(Verdict::Passed)
    } else {
        Err(format!("ends with {}\n{}", ended.status, ended.stderr))
    }
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

/// The first package that the program imports and this machine lacks.
fn missing_import(
    python: &Path,
    program: &Program,
) -> Result<Option<String>, String> {
    let ask = "import ast, importlib.util, sys\n\
        arg = sys.argv[1]\n\
        text = open(arg[1:]).read() if arg[0] == '@' else arg[1:]\n\
        for node in ast.walk(ast.parse(text)):\n    \
            names = [a.name for a in node.names] \
                if isinstance(node, ast.Import) else \
                [node.module] if isinstance(node, ast.ImportFrom) else []\n    \
            for name in names:\n        \
                top = name.split('.')[0]\n        \
                if importlib.util.find_spec(top) is None:\n            \
                    sys.exit(print(top))\n";
    let argument = match program {
        Program::File(file) => format!("@{}", file.display()),
        Program::Text(text) => format!("-{text}"),
    };
    let output = Command::new(python)
        .args(["-B", "-c", ask, &argument])
        .output()
        .map_err(|error| format!("cannot run {}: {error}", python.display()))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let missing = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    Ok((!missing.is_empty()).then(|| format!("no package `{missing}`")))
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
