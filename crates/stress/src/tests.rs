//! What the frame itself notices.

use std::any::Any;
use std::collections::BTreeSet;
use std::future::pending;
use std::ops::RangeInclusive;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use std::{fs, process, thread};

use tokio::task::yield_now;

use crate::{Round, Test, passed, run};

const SHORT: Duration = Duration::from_millis(100);
const SEEDS: RangeInclusive<u64> = 1..=20;

/// What a test says that must fail.
fn refused(test: impl FnOnce()) -> String {
    let failure = catch_unwind(AssertUnwindSafe(test));
    let text =
        |panic: Box<dyn Any + Send>| *panic.downcast::<String>().unwrap();
    text(failure.expect_err("it passes"))
}

fn passes<F, R>(round: F)
where
    F: Fn(Round) -> R + Send + Sync + 'static,
    R: Future<Output = ()> + Send + 'static,
{
    Test::of::<F>().passes(SEEDS.collect(), SHORT * 10, round);
}

#[test]
fn a_panic_is_reported_with_the_command_that_repeats_it() {
    let why = refused(|| {
        passes(|round| async move {
            yield_now().await;
            assert!(![7, 9].contains(&round.seed), "a parcel is lost");
        });
    });
    let test = "tests::a_panic_is_reported_with_the_command_that_repeats_it";
    assert_eq!(
        why,
        format!(
            "{test}: 2 of 20 rounds failed\nseed 7: a parcel is lost\n\
             help: STRESS_SEED=7 cargo test --test stress -- --exact {test}"
        )
    );
}

#[test]
fn what_does_not_end_is_named() {
    let failures = run(vec![1, 2, 3], SHORT, |round| async move {
        if round.seed == 2 {
            pending().await
        }
    });
    assert_eq!(failures, [(2, "it has not ended in 100ms".to_owned())]);
}

#[test]
fn what_blocks_all_workers_is_named() {
    let failures = run((1..=4).collect(), SHORT / 2, |_| async {
        thread::sleep(SHORT * 2);
    });
    let [(1, why)] = &failures[..] else { panic!("{failures:?}") };
    assert!(why.contains("all worker threads are blocked"), "{why}");
}

#[test]
fn rounds_run_at_the_same_time_on_four_threads() {
    let threads = Arc::new(Mutex::new(BTreeSet::new()));
    let seen = Arc::clone(&threads);
    let start = Instant::now();
    let failures = run((1..=40).collect(), SHORT * 10, move |_| {
        let seen = Arc::clone(&seen);
        async move {
            for _ in 0..5 {
                tokio::time::sleep(SHORT / 20).await;
                let id = format!("{:?}", thread::current().id());
                seen.lock().unwrap().insert(id);
                thread::sleep(SHORT / 100);
            }
        }
    });
    assert!(failures.is_empty(), "{failures:?}");
    assert!(start.elapsed() < SHORT * 10, "one after the other: 1.2 s");
    assert_eq!(threads.lock().unwrap().len(), 4);
}

#[test]
fn a_known_failure_must_be_the_known_one_in_every_round() {
    let fails = |seeds: fn(u64) -> bool, symptom: &'static str| {
        let round = move |round: Round| async move {
            assert!(!seeds(round.seed), "{symptom}");
        };
        Test { path: "a", target: "b" }.fails(SEEDS.collect(), "two", round);
    };
    fails(|_| true, "two requests");
    let repeated = |_| async { panic!("two requests") };
    Test { path: "a", target: "b" }.fails(vec![7; 20], "two", repeated);
    let why = refused(|| fails(|seed| seed != 3, "two requests"));
    let marked = "a is marked as known to fail with \"two\", but";
    let passed = format!("{marked} 1 of 20 rounds passed\nhelp: ");
    assert!(why.starts_with(&passed), "{why}");
    let why = refused(|| fails(|_| true, "no request"));
    assert_eq!(why, format!("{marked}\nseed 1: no request"));
}

fn passes_in_processes<F, R>(round: F)
where
    F: Fn(Round) -> R + Send + Sync + 'static,
    R: Future<Output = ()> + Send + 'static,
{
    Test::of::<F>().passes_in_processes(SEEDS.collect(), round);
}

#[test]
fn a_process_is_its_own() {
    static ROUNDS: AtomicU64 = AtomicU64::new(0);
    passes_in_processes(|_| async {
        assert_eq!(ROUNDS.fetch_add(1, Relaxed), 0);
    });
}

#[test]
fn a_process_that_fails_is_reported() {
    let why = refused(|| {
        passes_in_processes(|round| async move {
            match round.seed {
                5 => process::abort(),
                6 => panic!("a parcel is lost"),
                _ => (),
            }
        });
    });
    assert!(why.contains("2 of 20 "), "{why}");
    assert!(why.contains("\nseed 5: signal: 6"), "{why}");
}

#[test]
fn a_cancelled_future_is_dropped_at_every_await() {
    let steps = Arc::new(Mutex::new(BTreeSet::new()));
    let reached = Arc::clone(&steps);
    let failures = run((1..=100).collect(), SHORT * 10, move |mut round| {
        let reached = Arc::clone(&reached);
        async move {
            let mut step = 0;
            let awaits = async {
                step = 1;
                for _ in 0..20 {
                    yield_now().await;
                }
                step = 2;
                tokio::time::sleep(SHORT / 20).await;
                step = 3;
            };
            let ended = round.cancel(SHORT / 5, awaits).await;
            assert_eq!(ended.is_some(), step == 3);
            reached.lock().unwrap().insert(step);
        }
    });
    assert!(failures.is_empty(), "{failures:?}");
    assert!(steps.lock().unwrap().iter().eq(&[0, 1, 2, 3]));
}

#[test]
fn a_seed_repeats_its_choices() {
    let choices = |seed| {
        let mut round = Round::new(seed);
        let (fork, rest) = (round.fork().rng.u64(..), round.rng.u64(..));
        (round.duration(SHORT..SHORT * 2), fork, rest)
    };
    assert_eq!(choices(7), choices(7));
    assert_ne!(choices(7), choices(8));
    let (time, fork, rest) = choices(7);
    assert!((SHORT..SHORT * 2).contains(&time) && fork != rest);
}

#[test]
fn what_has_passed_runs_again_when_it_has_failed_or_is_built_anew() {
    let test = "tests::what_has_passed";
    let (file, _) = passed::of(test);
    _ = fs::remove_file(&file);
    let runs = AtomicU64::new(0);
    let once = || {
        passed::unless_passed(test, || _ = runs.fetch_add(1, Relaxed));
        runs.swap(0, Relaxed)
    };
    refused(|| passed::unless_passed(test, || panic!("{test}")));
    assert_eq!([once(), once(), once()], [1, 0, 0]);
    fs::write(&file, "another build").unwrap();
    assert_eq!([once(), once()], [1, 0]);
}
