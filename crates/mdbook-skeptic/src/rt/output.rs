//! What a program prints: the same in two runs, one with all cores busy.

use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;
use std::time::Duration;

use regex::Regex;
use similar::TextDiff;
use tempfile::TempDir;

use super::load::Load;
use super::service::{Needed, Service};
use super::{compile, crates, run};
use crate::beside::Beside;

/// The executable of an example whose source is this file.
pub(crate) fn example(
    root: &Path,
    name: &str,
    file: &Path,
) -> Result<&'static Path, String> {
    let (program, source) = crates::built(root)?
        .examples
        .get(name)
        .ok_or("is no example: give it an [[example]] entry in Cargo.toml")?;
    crates::same_file(source, &root.join(file))?;
    Ok(program)
}

/// What a program prints that is compiled for this.
pub(crate) fn of_source(
    root: &Path,
    program: &str,
    beside: Option<&Beside>,
    needed: Option<Needed>,
    limit: Duration,
) -> Result<String, String> {
    let folder = TempDir::with_prefix("mdbook-skeptic-")
        .map_err(|error| format!("cannot make a temporary folder: {error}"))?;
    let target = compile::program(root, program, beside, folder.path(), &[])?;
    let asks = asks_about_panics(program);
    of(&target, &[], asks, needed, limit)
}

/// Whether a program looks at what became of its tasks: one that does not must
/// have none that panics, for such a panic reaches nobody.
pub(crate) fn asks_about_panics(source: &str) -> bool {
    let ways = ["is_panic", "into_panic", "catch_unwind"];
    ways.iter().any(|way| source.contains(way))
}

/// What a program prints to its standard output: run twice, once with all
/// cores busy, each time with a fresh server of the kind that it needs.
///
/// # Errors
///
/// If it fails, does not end, leaves something behind, prints something else
/// the second time, or panics somewhere without asking about it.
pub(crate) fn of(
    program: &Path,
    arguments: &[&str],
    asks_about_panics: bool,
    needed: Option<Needed>,
    limit: Duration,
) -> Result<String, String> {
    let printed = |printed: &str| Ok(printed.to_owned());
    what(program, arguments, asks_about_panics, needed, limit, printed)
}

/// What `made` makes of the output of a program, under the same conditions as
/// [`of`].
pub(crate) fn what(
    program: &Path,
    arguments: &[&str],
    asks_about_panics: bool,
    needed: Option<Needed>,
    limit: Duration,
    made: impl Fn(&str) -> Result<String, String>,
) -> Result<String, String> {
    let run = |busy: bool| {
        let mut command = Command::new(program);
        command.args(arguments);
        // Each run has a server of its own.
        let mut service = None;
        if let Some(Needed { variable, script, root }) = needed {
            let started = Service::start(root, script)?
                .ok_or_else(|| format!("there is no server for {variable}"))?;
            command.env(variable, &started.address);
            service = Some(started);
        }
        let load = busy.then(Load::start);
        let ended = run::run(command, limit)?;
        drop(load);
        drop(service);
        if !ended.status.success() {
            let said = ended.stdout + &ended.stderr;
            return Err(format!("ends with {}\n{said}", ended.status));
        }
        let mut said = ended.stderr.lines();
        match said.find(|line| line.contains("panicked at")) {
            Some(panic) if !asks_about_panics => Err(format!(
                "ends with success, and part of it has not: {panic}; await \
                 the task, and pass its panic on"
            )),
            _ => made(&without_times(&ended.stdout)),
        }
    };
    let first = run(false)?;
    let second = run(true)?;
    if first != second {
        return Err(format!(
            "prints something else with all cores busy:\n{}make the order \
             certain, or print less",
            difference(&first, &second)
        ));
    }
    Ok(first)
}

/// What a test target prints, one test after the other.
///
/// # Errors
///
/// As for [`of`], and if not every `#[test]` of the program has run.
pub(crate) fn of_tests(
    target: &Path,
    program: &str,
    needed: Option<Needed>,
    limit: Duration,
) -> Result<String, String> {
    let printed = of(target, &["--test-threads=1"], true, needed, limit)?;
    let written = program
        .lines()
        .filter(|line| {
            let line = line.trim_start();
            line.starts_with("#[test]") || line.starts_with("#[tokio::test")
        })
        .count();
    let passed = printed.lines().filter(|line| line.ends_with("... ok"));
    if passed.count() == written && written > 0 {
        Ok(printed.trim().to_owned() + "\n")
    } else {
        Err(format!("has {written} tests, and did not run them all"))
    }
}

/// What a file of tests prints, compiled for this.
pub(crate) fn of_test_program(
    root: &Path,
    program: &str,
    beside: Option<&Beside>,
    needed: Option<Needed>,
    limit: Duration,
) -> Result<String, String> {
    let folder = TempDir::with_prefix("mdbook-skeptic-")
        .map_err(|error| format!("cannot make a temporary folder: {error}"))?;
    let arguments = ["--test"];
    let target =
        compile::program(root, program, beside, folder.path(), &arguments)?;
    of_tests(&target, program, needed, limit)
}

/// libtest ends its summary with the time it took: the one thing that varies.
fn without_times(printed: &str) -> String {
    static TIME: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?m)^(test result: .*); finished in \d+\.\d+s$")
            .expect("a valid pattern")
    });
    TIME.replace_all(printed, "$1").into_owned()
}

/// The lines that differ, marked as `diff` does it.
pub(crate) fn difference(old: &str, new: &str) -> String {
    TextDiff::from_lines(old, new)
        .unified_diff()
        .context_radius(1)
        .missing_newline_hint(false)
        .to_string()
}
