//! `console`: what a program prints is what the page shows.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use similar::TextDiff;

use super::load::Load;
use super::{crates, run};

/// What an example prints to its standard output: run twice, once with all
/// cores busy.
///
/// # Errors
///
/// If it fails, does not end, leaves something behind, or prints something
/// else the second time.
pub(crate) fn of_example(
    root: &Path,
    name: &str,
    limit: Duration,
) -> Result<String, String> {
    let program = crates::built(root)?
        .examples
        .get(name)
        .ok_or("is no example: give it an [[example]] entry in Cargo.toml")?;
    let run = || {
        let ended = run::run(Command::new(program), limit)?;
        if !ended.status.success() {
            return Err(format!(
                "ends with {}\n{}",
                ended.status, ended.stderr
            ));
        }
        Ok(ended.stdout)
    };
    let first = run()?;
    let second = {
        let _load = Load::start();
        run()?
    };
    if first != second {
        return Err(format!(
            "prints something else with all cores busy:\n{}make the order \
             certain, or print less",
            difference(&first, &second)
        ));
    }
    Ok(first)
}

/// The lines that differ, marked as `diff` does it.
pub(crate) fn difference(old: &str, new: &str) -> String {
    TextDiff::from_lines(old, new)
        .unified_diff()
        .context_radius(1)
        .missing_newline_hint(false)
        .to_string()
}
