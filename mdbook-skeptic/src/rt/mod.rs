//! What the generated tests call.

pub(crate) mod compile;
pub(crate) mod crates;
pub(crate) mod dependencies;
mod load;
pub(crate) mod output;
mod passed;
mod python;
mod run;
mod watchdog;

use std::any::Any;
use std::fs;
use std::panic::{catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

/// Runs a program by skeptic, which must end with success within `limit`
/// seconds.
///
/// # Panics
///
/// If it does not compile, fails, or does not end.
pub fn program(place: &str, limit: u64, run: fn()) {
    let _watch = watchdog::watch(Duration::from_secs(limit));
    let _timed = Timed::start(place);
    if let Err(failure) = attempt(run) {
        explain(place, limit, &*failure);
        resume_unwind(failure);
    }
}

/// Runs what skeptic has compiled, again if it could not be started.
///
/// skeptic copies a new program into its cache. A process that another thread
/// starts at that moment holds the copy open for writing until it is under
/// way, and until then the system refuses to run it: "text file busy".
fn attempt(run: fn()) -> thread::Result<()> {
    let mut outcome = catch_unwind(run);
    for _ in 0..100 {
        let busy = outcome.as_ref().is_err_and(|failure| {
            let message = failure.downcast_ref::<String>();
            message.is_some_and(|message| {
                message.starts_with("Could not run")
                    && message.ends_with("(os error 26)")
            })
        });
        if !busy {
            break;
        }
        thread::sleep(Duration::from_millis(10));
        outcome = catch_unwind(run);
    }
    outcome
}

/// Runs a program by skeptic, which must compile and then panic.
///
/// # Panics
///
/// If it does not compile, succeeds, does not end, or fails in another way
/// than by a panic.
pub fn must_panic(place: &str, limit: u64, run: fn()) {
    let _watch = watchdog::watch(Duration::from_secs(limit));
    let _timed = Timed::start(place);
    let Err(failure) = attempt(run) else {
        panic!("{place}: this should panic, and ends with success");
    };
    let Some(binary) = failed_binary(&*failure) else {
        eprintln!("{place}: this should panic, and does not compile");
        resume_unwind(failure);
    };
    if watchdog::was_killed(&binary) {
        panic!("{place}: this should panic, and does not end in {limit} s");
    }
    // skeptic has seen it fail; only a panic will do.
    let again = Command::new(&binary).output().unwrap_or_else(|error| {
        panic!("{place}: cannot run {} again: {error}", binary.display())
    });
    let panicked =
        String::from_utf8_lossy(&again.stderr).contains("panicked at");
    assert!(
        again.status.code() == Some(101) && panicked,
        "{place}: this should panic, and ends with {}",
        again.status
    );
}

/// Compares what a `console` block shows with what the example prints.
///
/// # Panics
///
/// If they differ, or if the example fails, does not end within `limit`
/// seconds, leaves something behind, or does not print the same twice.
pub fn console(place: &str, limit: u64, root: &str, name: &str, shown: &str) {
    let _timed = Timed::start(place);
    let limit = Duration::from_secs(limit);
    let root = Path::new(root);
    let check = |program: &Path| {
        let printed = output::of(program, &[], limit)?;
        compare(shown, &printed)
    };
    let checked = output::example(root, name).and_then(|program| {
        let input = (name, shown, passed::stamp(program));
        passed::once(input, || check(program))
    });
    if let Err(why) = checked {
        panic!("{place}: `{name}` {why}");
    }
}

/// Compares what a `console` block shows with what a test target prints.
///
/// # Panics
///
/// If they differ, if a test fails or is ignored, or if not every test of
/// `program` has run; and for the reasons of [`console`].
pub fn tests(
    place: &str,
    limit: u64,
    root: &str,
    name: &str,
    program: &str,
    shown: &str,
) {
    let _timed = Timed::start(place);
    let limit = Duration::from_secs(limit);
    let checked = crates::test(Path::new(root), name).and_then(|target| {
        let input = (name, program, shown, passed::stamp(&target));
        passed::once(input, || {
            compare(shown, &output::of_tests(&target, program, limit)?)
        })
    });
    if let Err(why) = checked {
        panic!("{place}: `{name}` {why}");
    }
}

fn compare(shown: &str, actual: &str) -> Result<(), String> {
    if actual.trim_end() == shown.trim_end() {
        return Ok(());
    }
    let difference = output::difference(shown, actual);
    Err(format!("is not what is shown:\n{difference}{BLESS}"))
}

const BLESS: &str =
    "if the program is right: cargo run --bin mdbook-skeptic -- bless";

/// Runs a Python block: the file that it shows, or else its text.
///
/// Without Python, or without a package that it imports, the block is skipped
/// and counted in a line at the end of the run.
///
/// # Panics
///
/// If it fails, does not end within `limit` seconds, or leaves something
/// behind; with `CI=true`, if it would be skipped.
pub fn python(place: &str, limit: u64, root: &str, file: &str, text: &str) {
    let _timed = Timed::start(place);
    let program = if file.is_empty() {
        python::Program::Text(text.to_owned())
    } else {
        python::Program::File(Path::new(root).join(file))
    };
    let limit = Duration::from_secs(limit);
    match python::check(Path::new(root), &program, limit) {
        Ok(python::Verdict::Passed) => {}
        Ok(python::Verdict::Skipped(missing)) => python::note_skipped(missing),
        Err(why) => panic!("{place}: this Python {why}"),
    }
}

/// Compiles a block that must fail with the error `expected`, or draw the
/// message of the lint `expected`, and compares the message shown.
///
/// # Panics
///
/// If it compiles, fails otherwise, or says something else.
pub fn compile_fail(
    place: &str,
    root: &str,
    expected: &str,
    program: &str,
    shown: &str,
) {
    let _timed = Timed::start(place);
    let root = Path::new(root);
    let checked = crates::stamp(root).and_then(|libraries| {
        passed::once((expected, program, shown, libraries), || {
            compare(shown, &compile::message(root, program, expected)?)
        })
    });
    if let Err(why) = checked {
        panic!("{place}: the compiler's message {why}");
    }
}

/// Compares a `[dependencies]` block with what the page's programs need.
///
/// # Panics
///
/// If a crate or a feature is missing, not needed, or at another version.
pub fn dependencies(
    place: &str,
    root: &str,
    features: &str,
    shown: &str,
    programs: &[&str],
) {
    let _timed = Timed::start(place);
    let root = Path::new(root);
    let features = (!features.is_empty()).then(|| Path::new(features));
    let programs: Vec<String> =
        programs.iter().map(|&program| program.to_owned()).collect();
    let files = [Some(Path::new("Cargo.lock")), features].map(|file| {
        file.and_then(|file| fs::read_to_string(root.join(file)).ok())
    });
    let checked = passed::once((shown, &programs, files), || {
        compare(shown, &dependencies::block(root, features, &programs)?)
    });
    if let Err(why) = checked {
        panic!("{place}: what the page's programs need {why}");
    }
}

pub(crate) fn cargo() -> String {
    std::env::var("CARGO").unwrap_or_else(|_| "cargo".into())
}

fn explain(place: &str, limit: u64, failure: &(dyn Any + Send)) {
    let killed =
        failed_binary(failure).is_some_and(|path| watchdog::was_killed(&path));
    if killed {
        eprintln!("{place}: killed, it did not end within {limit} s");
    } else {
        eprintln!("{place}: this block fails");
    }
}

/// The compiled program whose run failed, from skeptic's message; `None` where
/// it is the compiler that failed.
fn failed_binary(failure: &(dyn Any + Send)) -> Option<PathBuf> {
    let message = failure.downcast_ref::<String>()?;
    let (_, command) = message.split_once("Command failed:\n")?;
    command
        .split('"')
        .find(|word| {
            word.contains("/.skeptic-bin/") || word.contains("\\.skeptic-bin\\")
        })
        .map(PathBuf::from)
}

/// Notes how long a check took, for the list of the slowest.
struct Timed {
    place: String,
    start: Instant,
}

impl Timed {
    fn start(place: &str) -> Timed {
        Timed { place: place.to_owned(), start: Instant::now() }
    }
}

impl Drop for Timed {
    fn drop(&mut self) {
        watchdog::took(&self.place, self.start.elapsed());
    }
}
