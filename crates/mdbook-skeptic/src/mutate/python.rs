//! Small changes of Python code. CPython's own parser finds them.

use std::ops::Range;
use std::process::Command;

use super::rust::Change;
use crate::run::workspace::Workspace;

const SCRIPT: &str = include_str!("mutants.py");

/// The program with one of its assertions inverted, for each of them.
///
/// # Errors
///
/// If there is no CPython, or the program is not Python.
pub(crate) fn assertions(
    workspace: &Workspace,
    program: &str,
) -> Result<Vec<Change>, String> {
    ask(workspace, program, 0..0, "assertion")
}

/// Every change of the lines `part` of a program, from 0: see the script.
///
/// # Errors
///
/// If there is no CPython, or the program is not Python.
pub(crate) fn changes(
    workspace: &Workspace,
    program: &str,
    part: Range<usize>,
) -> Result<Vec<Change>, String> {
    ask(workspace, program, part, "code")
}

fn ask(
    workspace: &Workspace,
    program: &str,
    part: Range<usize>,
    asked: &str,
) -> Result<Vec<Change>, String> {
    let lines = [part.start + 1, part.end].map(|line| line.to_string());
    let output = Command::new(&workspace.python()?.program)
        .args(["-I", "-c", SCRIPT, program])
        .args(lines)
        .output()
        .map_err(|error| format!("cannot run Python: {error}"))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    type Line = (String, usize, String, String);
    let mutants: Vec<Line> = serde_json::from_slice(&output.stdout)
        .map_err(|error| format!("cannot read Python's answer: {error}"))?;
    let asked = mutants.into_iter().filter(|(kind, ..)| kind == asked);
    let mut changes: Vec<Change> = asked
        .map(|(_, line, what, text)| Change { line, what, text })
        .collect();
    changes.sort_by_key(|change| change.line);
    Ok(changes)
}
