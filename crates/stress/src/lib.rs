//! Tries the programs of the book as they are shown, on four worker threads
//! and the real clock.
//!
//! The book's own checks run a program once, most of them on one thread and a
//! paused clock. Here the same file is included, and what it promises is tried
//! in many rounds at the same time, with other values: a panic, an error, a
//! cancellation at a random await, a slow or silent peer, a second caller.
//!
//! ```text
//! tests/<chapter>/main.rs      #[allow(dead_code)] mod <recipe>;
//! tests/<chapter>/<recipe>.rs  include!("…/snippets/<chapter>/<recipe>/….rs");
//!                              mod stress { use super::track; … }
//! ```
//!
//! `cargo test --test 'stress_*'` runs them. A round has a seed, its number.
//! `STRESS_ROUNDS=200` sets how many rounds a test has. `STRESS_SEED=7` gives
//! the seed 7 to each of them: the seed repeats what the round chose, but not in
//! which order its threads ran, so a race may need some rounds to come back. A
//! failed test prints the command.
//!
//! # Why not a crate that exists
//!
//! loom and shuttle try the orders of threads, and turmoil simulates a network,
//! but only for programs that use their types in place of tokio's; the programs
//! here are tried as readers copy them. fail needs marked places in a program.
//! proptest shrinks an input, and here the failure lies in the order of events
//! more than in a value. What is left is a seed, from fastrand, and a loop.

pub mod fast;
mod passed;
pub mod peer;
mod postgres;
mod round;
#[cfg(test)]
mod tests;
mod waiting;

use std::any::type_name;
use std::env;
use std::process::{self, Stdio};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use futures::stream::{self, StreamExt};
use tokio::process::Command;
use tokio::runtime::Builder;
use tokio::task::JoinError;
use tokio::time::timeout;

pub use crate::postgres::postgres;
pub use crate::round::Round;
pub use crate::waiting::Waiting;

/// How long a round may take: a hundred rounds may share two cores.
pub const LIMIT: Duration = Duration::from_secs(30);

/// What a busy machine may add to a time.
pub const SLACK: Duration = Duration::from_secs(5);

/// How many rounds run at the same time: each may have tens of connections, and
/// on Linux a process may have 1,024 files open, if nothing else is set.
const AT_ONCE: usize = 20;

/// The seed, for a round that is a process of its own.
const CHILD: &str = "STRESS_CHILD";

/// The seeds of the rounds that failed, in order, and why.
type Failures = Vec<(u64, String)>;

/// Runs rounds of a test. It fails if a round panics, or does not end in
/// [`LIMIT`].
///
/// # Panics
///
/// If the test fails.
pub fn rounds<F, R>(round: F)
where
    F: Fn(Round) -> R + Send + Sync + 'static,
    R: Future<Output = ()> + Send + 'static,
{
    let test = Test::of::<F>();
    passed::once(test.path, || test.passes(seeds(), LIMIT, round));
}

/// Runs rounds of a test, each in a process of its own: for what a process has
/// once, such as signals and the panic hook.
///
/// # Panics
///
/// If the test fails.
pub fn processes<F, R>(round: F)
where
    F: Fn(Round) -> R + Send + Sync + 'static,
    R: Future<Output = ()> + Send + 'static,
{
    let test = Test::of::<F>();
    passed::once(test.path, || test.passes_in_processes(seeds(), round));
}

/// Runs rounds of a test that fails as long as the program has a fault. It
/// fails unless every round fails with the symptom, so that the program cannot
/// be mended, or broken in another way, and still be marked.
///
/// # Panics
///
/// If the test fails.
pub fn known_to_fail<F, R>(symptom: &str, round: F)
where
    F: Fn(Round) -> R + Send + Sync + 'static,
    R: Future<Output = ()> + Send + 'static,
{
    let test = Test::of::<F>();
    passed::once(test.path, || test.fails(seeds(), symptom, round));
}

/// A client for peers on this machine: without a proxy, and without
/// certificates, since most of the time of making one goes into reading them.
pub fn http_client() -> reqwest::ClientBuilder {
    reqwest::Client::builder().no_proxy().tls_certs_only([])
}

#[derive(Clone, Copy)]
struct Test {
    /// As libtest has it: `retry::stress::two_callers`.
    path: &'static str,
    /// As cargo has it: `stress_time`.
    target: &'static str,
}

impl Test {
    /// The function that a closure stands in.
    fn of<F>() -> Self {
        let name = type_name::<F>().trim_end_matches("::{{closure}}");
        let (target, path) = name.split_once("::").expect("crate::function");
        Test { path, target }
    }

    fn passes<F, R>(self, seeds: Vec<u64>, limit: Duration, round: F)
    where
        F: Fn(Round) -> R + Send + Sync + 'static,
        R: Future<Output = ()> + Send + 'static,
    {
        let Test { path, target } = self;
        let rounds = seeds.len();
        let failures = run(seeds, limit, round);
        if let Some((seed, why)) = failures.first() {
            panic!(
                "{path}: {} of {rounds} rounds failed\n\
                 seed {seed}: {why}\n\
                 help: STRESS_SEED={seed} cargo test --test {target} -- \
                 --exact {path}",
                failures.len()
            );
        }
    }

    fn fails<F, R>(self, seeds: Vec<u64>, symptom: &str, round: F)
    where
        F: Fn(Round) -> R + Send + Sync + 'static,
        R: Future<Output = ()> + Send + 'static,
    {
        let Test { path, .. } = self;
        let rounds = seeds.len();
        let failures = run(seeds, LIMIT, round);
        let passed = rounds - failures.len();
        assert!(
            passed == 0,
            "{path} is marked as known to fail with {symptom:?}, but {passed} \
             of {rounds} rounds passed\n\
             help: if the program is mended, call `rounds` in place of \
             `known_to_fail`; if not, let every round show the fault"
        );
        let other = failures.iter().find(|(_, why)| !why.contains(symptom));
        if let Some((seed, why)) = other {
            panic!(
                "{path} is marked as known to fail with {symptom:?}, but\n\
                 seed {seed}: {why}"
            );
        }
    }

    /// This process starts one for each round, and that one comes here, too.
    fn passes_in_processes<F, R>(self, seeds: Vec<u64>, round: F)
    where
        F: Fn(Round) -> R + Send + Sync + 'static,
        R: Future<Output = ()> + Send + 'static,
    {
        if let Ok(seed) = env::var(CHILD) {
            let seed = seed.parse().expect("a number");
            let failures = run(vec![seed], LIMIT, round);
            if let Some((_, why)) = failures.first() {
                panic!("{why}");
            }
            process::exit(0);
        }
        // The process keeps the limit of its round.
        let child = move |round: Round| self.child(round.seed);
        self.passes(seeds, LIMIT * 2, child);
    }

    /// One round, in a process of its own.
    async fn child(self, seed: u64) {
        let program = env::current_exe().expect("this test");
        let child = Command::new(program)
            .args(["--exact", self.path, "--nocapture"])
            .env(CHILD, seed.to_string())
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output();
        let output = child.await.expect("a process");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
        let passed =
            output.status.success() && stdout.contains("running 1 test\n");
        assert!(passed, "{}\n{stdout}{stderr}", output.status);
    }
}

fn seeds() -> Vec<u64> {
    let number = |name| {
        let value = env::var(name).ok()?;
        let number = value.parse::<u64>();
        Some(number.unwrap_or_else(|_| panic!("{name}={value}: no number")))
    };
    let rounds = 1..=number("STRESS_ROUNDS").unwrap_or(20);
    let seed = number("STRESS_SEED");
    rounds.map(|round| seed.unwrap_or(round)).collect()
}

/// What a task said when it panicked.
fn reason(error: JoinError) -> String {
    let Ok(panic) = error.try_into_panic() else { return "cancelled".into() };
    match panic.downcast::<String>() {
        Ok(text) => *text,
        Err(panic) => match panic.downcast::<&str>() {
            Ok(text) => text.to_string(),
            Err(_) => "a panic without a text".into(),
        },
    }
}

/// Runs a round for each seed.
fn run<F, R>(seeds: Vec<u64>, limit: Duration, round: F) -> Failures
where
    F: Fn(Round) -> R + Send + Sync + 'static,
    R: Future<Output = ()> + Send + 'static,
{
    let mut runtime = Builder::new_multi_thread();
    let runtime = runtime.worker_threads(4).enable_all().build();
    let runtime = runtime.expect("a runtime");
    let (ended_tx, ended_rx) = mpsc::channel();
    let round = Arc::new(round);
    let ends = stream::iter(seeds.clone())
        .map(move |seed| {
            let round = Arc::clone(&round);
            let task = async move { round(Round::new(seed)).await };
            let mut task = tokio::spawn(task);
            async move {
                let end = match timeout(limit, &mut task).await {
                    Ok(end) => end.map_err(reason),
                    Err(_) => Err(format!("it has not ended in {limit:?}")),
                };
                task.abort();
                (seed, end.err())
            }
        })
        .buffer_unordered(AT_ONCE);
    runtime.spawn(ends.for_each(move |end| {
        let received = ended_tx.send(end);
        async { drop(received) }
    }));

    let mut running = seeds;
    let mut failures = Failures::new();
    while !running.is_empty() {
        // This thread sees a round that blocks all workers, too.
        let Ok((seed, failure)) = ended_rx.recv_timeout(limit * 2) else {
            let why = "it has not ended; all worker threads are blocked";
            failures.push((running[0], why.to_owned()));
            break;
        };
        let at = running.iter().position(|other| *other == seed);
        running.remove(at.expect("a seed that has begun"));
        failures.extend(failure.map(|why| (seed, why)));
    }
    runtime.shutdown_background();
    failures.sort();
    failures
}
