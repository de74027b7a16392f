//! Timelines: which tasks ran when, drawn from a program's own run.
//!
//! `queue.svg` is drawn from the run of `queue.rs` beside it,
//! `queue.broken.svg` from what happens between its comments
//! `ANCHOR: broken` and `ANCHOR_END: broken`, or in the test `broken`. The
//! crate `timeline` does the drawing.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;
use timeline::LOG;

use crate::beside::Beside;
use crate::rt::{compile, output};

/// The program whose run a picture shows, and the part of it, if not all.
pub(crate) fn source(picture: &Path) -> Option<(PathBuf, Option<String>)> {
    let stem = picture.file_stem()?.to_str()?;
    let (program, part) = match stem.split_once('.') {
        Some((program, part)) => (program, Some(part.to_owned())),
        None => (stem, None),
    };
    Some((picture.with_file_name(format!("{program}.rs")), part))
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
    root: &Path,
    picture: &Path,
    shown: Option<&str>,
    limit: Duration,
) -> Result<String, String> {
    let (program, part) =
        source(picture).ok_or("is not the name of a picture")?;
    let of = program.display();
    let text = fs::read_to_string(root.join(&program))
        .map_err(|error| format!("cannot read {of}: {error}"))?;
    let recorded = timeline::instrument(&text, part.as_deref())
        .map_err(|why| format!("{of} {why}"))?;
    let folder = TempDir::with_prefix("mdbook-skeptic-")
        .map_err(|error| format!("cannot make a temporary folder: {error}"))?;
    let beside = Beside::of(root, &program);
    let target = compile::program(
        root,
        &recorded.program,
        beside.as_ref(),
        folder.path(),
        &[],
    )
    .map_err(|why| format!("{of} does not compile, recorded:\n{why}"))?;
    // A test may be one that should panic, and prints what libtest prints.
    let is_test = recorded.is_test;
    let asks = is_test || output::asks_about_panics(&text);
    let name = program.file_stem().unwrap_or_default().to_string_lossy();
    let drawn = |printed: &str| {
        let (printed, log) =
            printed.split_once(LOG).ok_or("ends before its main does")?;
        let same = |shown: &str| shown.trim() == printed.trim();
        if !is_test && !shown.is_none_or(same) {
            return Err("prints something else".to_owned());
        }
        recorded.figure(&name, part.as_deref(), log)
    };
    output::what(&target, &[], asks, None, limit, drawn)
        .map_err(|why| format!("{of}, recorded, {why}"))
}
