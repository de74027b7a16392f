//! What the generated tests call.

mod built;
pub(crate) mod compile;
pub(crate) mod crates;
pub(crate) mod dependencies;
mod load;
pub(crate) mod output;
pub(crate) mod passed;
pub(crate) mod python;
mod run;
pub(crate) mod service;
mod skipped;
mod verify;
mod watchdog;

use std::any::Any;
use std::ffi::OsString;
use std::fs;
use std::hash::Hash;
use std::panic::{self, AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Once;
use std::thread;
use std::time::{Duration, Instant};

pub use built::Built;
pub(crate) use built::Contents;
pub use crates::Libraries;
pub use verify::Context;

use crate::beside::Beside;
use crate::timeline;

/// Runs a check of the package's own, unless it has passed on the same input
/// with the same guard: what takes long and depends on little.
///
/// # Panics
///
/// If the check does.
pub fn once(input: impl Hash, check: impl FnOnce()) {
    let check = || catch_unwind(AssertUnwindSafe(check));
    if let Err(failure) = passed::once(input, check) {
        resume_unwind(failure);
    }
}

/// What a file holds, as an input of [`once`]; `None` where it cannot be read.
pub fn content(file: impl AsRef<Path>) -> Option<u64> {
    passed::content(file.as_ref())
}

/// Runs a program by skeptic, which must end with success within `limit`
/// seconds. `text` is the hash of its text.
///
/// # Panics
///
/// If it does not compile, fails, or does not end.
pub fn program(place: &str, limit: u64, root: &str, text: u64, run: fn()) {
    let _timed = Timed::start(place);
    let linked = linked(place, root);
    once(("program", text, limit, linked), || {
        let _watch = watchdog::watch(Duration::from_secs(limit));
        short_messages();
        if let Err(failure) = attempt(run) {
            explain(place, limit, &*failure);
            resume_unwind(failure);
        }
    });
}

/// The folder in `target/` with the builds of this process's profile; `None`
/// for a command that is installed.
pub(crate) fn profile_folder() -> Option<PathBuf> {
    let running = std::env::current_exe().ok()?;
    let mut folders = running.ancestors();
    let folder = folders.find(|folder| folder.join("deps").is_dir())?;
    Some(folder.to_owned())
}

/// What is built of each package that the one in `root` depends on.
///
/// # Errors
///
/// What cargo says, if it cannot build them.
pub fn libraries(root: &Path) -> Result<&'static Libraries, String> {
    crates::built(root).map(|built| &built.libraries)
}

/// The crates that programs are linked with, as they are now.
fn linked(place: &str, root: &str) -> u64 {
    crates::stamp(Path::new(root))
        .unwrap_or_else(|why| panic!("{place}: {why}"))
}

/// skeptic's message names every library that it has linked: 50 KB in which
/// nobody finds what the compiler said.
fn short_messages() {
    static SET: Once = Once::new();
    SET.call_once(|| {
        let default = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let message = info.payload().downcast_ref::<String>();
            match message.filter(|m| m.starts_with("Command failed:\n")) {
                Some(message) if message.len() > 400 => {
                    let start: String = message.chars().take(400).collect();
                    eprintln!("{start} …");
                }
                _ => default(info),
            }
        }));
    });
}

/// Runs what skeptic has compiled, again if it could not be started.
///
/// skeptic copies a new program into its cache. A process that another thread
/// starts at that moment holds the copy open for writing until it is under
/// way, and until then the system refuses to run it: "text file busy".
fn attempt(run: impl Fn()) -> thread::Result<()> {
    let mut outcome = catch_unwind(AssertUnwindSafe(&run));
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
        outcome = catch_unwind(AssertUnwindSafe(&run));
    }
    outcome
}

/// Runs a program by skeptic, which must compile and then panic within `limit`
/// seconds. `text` is the hash of its text.
///
/// # Panics
///
/// If it does not compile, succeeds, does not end, or fails in another way
/// than by a panic.
pub fn must_panic(place: &str, limit: u64, root: &str, text: u64, run: fn()) {
    let _timed = Timed::start(place);
    let linked = linked(place, root);
    once(("must panic", text, limit, linked), || {
        let _watch = watchdog::watch(Duration::from_secs(limit));
        panics(place, limit, run);
    });
}

fn panics(place: &str, limit: u64, run: fn()) {
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
    let said = String::from_utf8_lossy(&again.stderr);
    let panic = said.lines().find(|line| line.contains("panicked at"));
    let Some(panic) = panic.filter(|_| again.status.code() == Some(101)) else {
        panic!("{place}: this should panic, and ends with {}", again.status);
    };
    // skeptic's name for every program.
    assert!(
        panic.contains("/test.rs:"),
        "{place}: this should panic, and a crate that it uses does: {panic}"
    );
}

/// Compares a file that is made from the book with what it must be.
///
/// # Panics
///
/// If they differ, or the file cannot be read.
pub fn generated(root: &str, file: impl AsRef<Path>, expected: &str) {
    let file = file.as_ref();
    let text = fs::read_to_string(Path::new(root).join(file));
    let file = file.display();
    match text.map(|text| text.replace("\r\n", "\n")) {
        Ok(text) if text == expected => {}
        Ok(text) => panic!(
            "{file} is not what is made from the pages:\n{}help: run `cargo \
             bless`",
            output::difference(&text, expected)
        ),
        Err(error) => {
            panic!("cannot read {file}: {error}\nhelp: run `cargo bless`")
        }
    }
}

fn compare(shown: &str, actual: &str) -> Result<(), String> {
    if actual.trim_end() == shown.trim_end() {
        return Ok(());
    }
    let difference = output::difference(shown, actual);
    Err(format!("is not what is shown:\n{difference}{BLESS}"))
}

const BLESS: &str = "help: if the program is right, run `cargo bless`";

/// Runs a check of a program that skeptic compiles and starts, in a process of
/// its own: skeptic passes its own environment on, and this program needs the
/// address of a server in it, or the folder of what lies beside the program.
///
/// Where the server is not installed, the check is skipped and counted in a
/// line at the end of the run. `service` is the name of the variable and the
/// script that starts the server, `module` and `name` are those of the running
/// test, `text` is the hash of the program's text.
///
/// # Panics
///
/// If the check fails; with `CI=true`, if it would be skipped.
#[expect(clippy::too_many_arguments, reason = "each is a part of the key")]
fn in_a_process_of_its_own(
    place: &str,
    limit: u64,
    root: &str,
    service: Option<(&str, &Path)>,
    beside: Option<&Beside>,
    (module, name): (&str, &str),
    text: u64,
    check: impl FnOnce(),
) {
    if std::env::var_os(IN_SERVICE).is_some() {
        return check();
    }
    let root_folder = Path::new(root);
    let needed = service.map(|it| service::Needed::by(root_folder, it));
    let stamp = needed.map(|needed| needed.stamp());
    let input = (name, limit, text, linked(place, root), stamp);
    let mut missing = None;
    let checked = passed::once(input, || {
        let mut environment: Vec<(&str, OsString)> = Vec::new();
        let mut service = None;
        if let Some(service::Needed { variable, script, root }) = needed {
            let started = service::Service::start(root, script)?;
            let Some(started) = started else {
                missing = Some(format!("no server for {variable}"));
                return Err(format!("cannot run: no server for {variable}"));
            };
            environment.push((variable, started.address.clone().into()));
            service = Some(started);
        }
        for (name, folder) in
            beside.map(|b| b.environment(root_folder)).iter().flatten()
        {
            environment.push((name, folder.into()));
        }
        // libtest names a test by its module without the crate.
        let module = module.split_once("::").map_or("", |(_, below)| below);
        let test = [module, name].join("::");
        let output = std::env::current_exe()
            .and_then(|running| {
                Command::new(running)
                    .args([test.trim_start_matches("::"), "--exact"])
                    .arg("--nocapture")
                    .envs(environment)
                    .env(IN_SERVICE, "1")
                    .output()
            })
            .map_err(|error| error.to_string())?;
        drop(service);
        let said = String::from_utf8_lossy(&output.stdout);
        eprintln!("{said}{}", String::from_utf8_lossy(&output.stderr));
        let ran = said.contains("test result: ok. 1 passed");
        if output.status.success() && ran {
            Ok(())
        } else {
            Err("see above".to_owned())
        }
    });
    match (checked, missing) {
        (Err(_), Some(missing)) if !skips_fail() => skipped::note(missing),
        (Err(why), _) => panic!("{place}: {why}"),
        (Ok(()), _) => {}
    }
}

/// Set where a check runs in a process of its own, and reports nothing itself.
const IN_SERVICE: &str = "MDBOOK_SKEPTIC_IN_SERVICE";

/// Whether what cannot run is a failure.
fn skips_fail() -> bool {
    std::env::var("CI").is_ok_and(|ci| ci == "true")
}

/// The timeline of the run of a program: `file` names the picture, beside the
/// program's.
///
/// # Errors
///
/// If the program cannot be run, or recorded, or has nothing to draw.
pub fn timeline(root: &str, file: &str, limit: u64) -> Result<String, String> {
    let limit = Duration::from_secs(limit);
    timeline::draw(Path::new(root), Path::new(file), None, limit)
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
    // The compiler is called with the source, a program with nothing.
    if command.contains("test.rs\"") {
        return None;
    }
    command.split('"').rfind(|word| word.len() > 1).map(PathBuf::from)
}

/// How a program did.
pub(crate) enum Ran {
    Succeeded,
    Failed,
    DidNotCompile,
}

/// Runs a program by skeptic, outside of the generated tests.
pub(crate) fn run_by_skeptic(
    root: &Path,
    program: &str,
    limit: Duration,
) -> Ran {
    let _watch = watchdog::watch(limit);
    // skeptic finds the libraries from a build script's folder.
    let profile = profile_folder();
    let profile = profile.unwrap_or_else(|| root.join("target/debug"));
    let out_dir = profile.join("build/prove/out").display().to_string();
    let root = root.display().to_string();
    let triple = compile::host();
    let run = || skeptic::rt::run_test(&root, &out_dir, &triple, program);
    match attempt(run) {
        Ok(()) => Ran::Succeeded,
        Err(failure) => match failed_binary(&*failure) {
            Some(binary) => {
                // Not worth a place in skeptic's cache.
                let _ = fs::remove_file(binary);
                Ran::Failed
            }
            None => Ran::DidNotCompile,
        },
    }
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
