//! Timelines: which tasks ran when, drawn by the crate `timeline` from a
//! program's own run.

use std::fs;
use std::path::Path;
use std::time::Duration;

use timeline::LOG;

use super::output::{self, Run};
use super::workspace::{Context, Workspace};
use super::{compile, sandbox};
use crate::beside::Beside;
use crate::compare;
use crate::model::drawn_from;

/// The timeline of the run of a program: `picture` is its file, beside the
/// program's, and is not read.
///
/// # Errors
///
/// If the program cannot be run, or recorded, or has nothing to draw.
pub fn timeline(
    workspace: &Workspace,
    picture: &Path,
    limit: u64,
) -> Result<String, String> {
    let limit = Duration::from_secs(limit);
    draw(&Context { workspace, limit, features: None }, picture, None)
}

/// The picture of a run of a program, in the book's root.
///
/// `shown` is what the page shows of the program's output.
///
/// # Errors
///
/// If the program cannot be recorded, prints something else than is shown, or
/// has nothing to draw.
pub(crate) fn draw(
    context: &Context,
    picture: &Path,
    shown: Option<&str>,
) -> Result<String, String> {
    let Context { workspace, limit, .. } = *context;
    let (program, part) =
        drawn_from(picture).ok_or("is not the name of a picture")?;
    let of = program.display();
    let text = fs::read_to_string(workspace.root.join(&program))
        .map_err(|error| format!("cannot read {of}: {error}"))?;
    let recorded = timeline::instrument(&text, part.as_deref())
        .map_err(|why| format!("{of} {why}"))?;
    let folder = sandbox::folder()?;
    let beside = Beside::of(&workspace.root, &program);
    let target = compile::program(
        workspace,
        &recorded.program,
        beside.as_ref(),
        folder.path(),
        &[],
    )
    .map_err(|why| format!("{of} does not compile, recorded:\n{why}"))?;
    // A test may be one that should panic, and prints what libtest prints.
    let is_test = recorded.is_test;
    let name = program.file_stem().unwrap_or_default().to_string_lossy();
    let drawn = |printed: &str| {
        let (printed, log) =
            printed.split_once(LOG).ok_or("ends before its main does")?;
        let same = |shown| compare::same(shown, printed);
        if !is_test && !shown.is_none_or(same) {
            return Err("prints something else".to_owned());
        }
        recorded.figure(&name, part.as_deref(), log)
    };
    let run = Run {
        arguments: &[],
        may_panic: is_test || output::asks_about_panics(&text),
        needed: None,
        limit,
    };
    output::what(&target, &run, drawn)
        .map_err(|why| format!("{of}, recorded, {why}"))
}
