//! What a program prints: the same in two runs, one with all cores busy.

use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;
use std::time::Duration;

use regex::Regex;

use super::busy::Busy;
use super::server::{Needed, Server};
use super::workspace::Context;
use super::{compile, sandbox};
use crate::beside::Beside;
use crate::compare;

/// How a program is run.
pub(crate) struct Run<'a> {
    pub arguments: &'a [&'a str],
    /// Whether a part of it may panic, and the program succeed.
    pub may_panic: bool,
    /// The server that it needs; each run has one of its own.
    pub needed: Option<Needed<'a>>,
    /// What runs longer is killed.
    pub limit: Duration,
}

/// Whether a program looks at what became of its tasks: one that does not must
/// have none that panics, for such a panic reaches nobody.
pub(crate) fn asks_about_panics(source: &str) -> bool {
    let ways = ["is_panic", "into_panic", "catch_unwind"];
    ways.iter().any(|way| source.contains(way))
}

/// What a program prints to its standard output: run twice, once with all
/// cores busy.
///
/// # Errors
///
/// If it fails, does not end, leaves something behind, prints something else
/// the second time, or panics somewhere without asking about it.
pub(crate) fn of(program: &Path, how: &Run) -> Result<String, String> {
    what(program, how, |printed| Ok(printed.to_owned()))
}

/// What `made` makes of the output of a program, under the same conditions as
/// [`of`].
pub(crate) fn what(
    program: &Path,
    how: &Run,
    made: impl Fn(&str) -> Result<String, String>,
) -> Result<String, String> {
    let run = |is_busy: bool| {
        let mut command = Command::new(program);
        command.args(how.arguments);
        let server = Server::serve(&mut command, how.needed)?;
        let busy = is_busy.then(Busy::start);
        let ended = sandbox::run(command, how.limit)?;
        drop(busy);
        drop(server);
        if !ended.status.success() {
            let said = ended.stdout + &ended.stderr;
            return Err(format!("ends with {}\n{said}", ended.status));
        }
        let mut said = ended.stderr.lines();
        match said.find(|line| line.contains("panicked at")) {
            Some(panic) if !how.may_panic => Err(format!(
                "ends with success, and part of it has not: {panic}; await \
                 the task, and pass its panic on"
            )),
            _ => made(&ended.stdout),
        }
    };
    let first = run(false)?;
    let second = run(true)?;
    if !compare::same(&first, &second) {
        return Err(format!(
            "prints something else with all cores busy:\n{}make the order \
             certain, or print less",
            compare::difference(&first, &second)
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
    let arguments = &["--test-threads=1"];
    let how = Run { arguments, may_panic: true, needed, limit };
    let printed = what(target, &how, |printed| Ok(without_times(printed)))?;
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

/// What a program prints that is compiled for this; `is_test` for a file of
/// tests.
pub(crate) fn of_source(
    context: &Context,
    program: &str,
    is_test: bool,
    beside: Option<&Beside>,
    needed: Option<Needed>,
) -> Result<String, String> {
    let Context { workspace, limit, .. } = *context;
    let folder = sandbox::folder()?;
    let arguments: &[&str] = if is_test { &["--test"] } else { &[] };
    let folder = folder.path();
    let target =
        compile::program(workspace, program, beside, folder, arguments)?;
    if is_test {
        return of_tests(&target, program, needed, limit);
    }
    let may_panic = asks_about_panics(program);
    of(&target, &Run { arguments: &[], may_panic, needed, limit })
}

/// libtest ends its summary with the time it took: the one thing that varies.
fn without_times(printed: &str) -> String {
    static TIME: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?m)^(test result: .*); finished in \d+\.\d+s$")
            .expect("a valid pattern")
    });
    TIME.replace_all(printed, "$1").into_owned()
}
