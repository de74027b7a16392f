//! `rust`: a program that skeptic compiles and starts, which must succeed.

use std::ffi::OsString;
use std::panic::resume_unwind;
use std::process::Command;
use std::time::Duration;

use super::cache;
use super::server::{Needed, Server};
use super::skipped;
use super::watchdog::{self, Timed};
use super::workspace::Workspace;
use crate::beside::Beside;
use crate::hash::hash;
use crate::skeptic;
use crate::toolchain::{self, CHILD};

/// Runs a program by skeptic, which must end with success within `limit`
/// seconds. `text` is the hash of its text.
///
/// # Panics
///
/// If it does not compile, fails, or does not end.
pub fn program(
    place: &str,
    limit: u64,
    workspace: &Workspace,
    text: u64,
    run: fn(),
) {
    let _timed = Timed::start(place);
    cache::once(("program", text, limit, linked(place, workspace)), || {
        let limit = Duration::from_secs(limit);
        let _watch = watchdog::watch(limit, skeptic::has_compiled);
        skeptic::short_messages();
        if let Err(failure) = skeptic::attempt(run) {
            let killed = skeptic::failed_program(&*failure)
                .is_some_and(|program| watchdog::was_killed(&program));
            if killed {
                let limit = limit.as_secs();
                eprintln!("{place}: killed, it did not end within {limit} s");
            } else {
                eprintln!("{place}: this block fails");
            }
            resume_unwind(failure);
        }
    });
}

/// The crates that programs are linked with, as they are now.
fn linked(place: &str, workspace: &Workspace) -> u64 {
    let built = workspace.artifacts();
    built.unwrap_or_else(|why| panic!("{place}: {why}")).stamp
}

/// Runs a check of a program in a process of its own: skeptic passes its own
/// environment on, and this program needs the address of a server in it, or
/// the folder of what lies beside the program.
///
/// Where the server is not installed, the check is skipped and counted in a
/// line at the end of the run. `module` and `name` are those of the running
/// test, `key` is what the check depends on besides.
///
/// # Panics
///
/// If the check fails; with `CI=true`, if it would be skipped.
pub(crate) fn in_a_process_of_its_own(
    place: &str,
    workspace: &Workspace,
    (service, beside): (Option<Needed>, Option<&Beside>),
    (module, name): (&str, &str),
    key: u64,
    check: impl FnOnce(),
) {
    if toolchain::is_child() {
        return check();
    }
    let stamp = service.map(|needed| hash(needed.stamp()));
    let input = (name, key, linked(place, workspace), stamp);
    let mut missing = None;
    let checked = cache::unless_passed(input, || {
        let mut environment: Vec<(&str, OsString)> = Vec::new();
        let mut server = None;
        if let Some(needed) = service {
            let Some(started) = Server::start(needed)? else {
                missing = Some(needed.is_missing());
                return Err(format!("cannot run: {}", needed.is_missing()));
            };
            environment.push((needed.variable, started.address.clone().into()));
            server = Some(started);
        }
        if let Some(beside) = beside {
            let (name, folder) = beside.environment(&workspace.root);
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
                    .env(CHILD, "1")
                    .output()
            })
            .map_err(|error| error.to_string())?;
        drop(server);
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
        (Err(_), Some(missing)) if !toolchain::skips_fail() => {
            skipped::note(missing);
        }
        (Err(why), _) => panic!("{place}: {why}"),
        (Ok(()), _) => {}
    }
}
