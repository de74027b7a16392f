//! Work that succeeds, fails, panics or does not end, and what became of it.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use anyhow::{Result, bail};
use stress::Round;
use tokio::time::sleep;

const MS: Duration = Duration::from_millis(1);

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Work {
    Success(Duration),
    Failure(Duration),
    Silent,
    Panic,
}

pub type Item = (usize, Work);

/// The items of a round, and counts of their work.
#[derive(Clone)]
pub struct Works {
    pub items: Vec<Item>,
    counts: Arc<Counts>,
}

#[derive(Default)]
struct Counts {
    begun: AtomicUsize,
    running: AtomicUsize,
    peak: AtomicUsize,
}

/// Work that runs.
struct Running(Arc<Counts>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Relaxed);
    }
}

impl Works {
    /// Up to 40 items, without a panic.
    pub fn some(round: &mut Round) -> Self {
        let count = round.rng.usize(1..40);
        let items = (0..count).map(|place| {
            let time = round.duration(Duration::ZERO..MS * 10);
            let success = Work::Success(time);
            let other = round.choice([Work::Failure(time), Work::Silent]);
            (place, round.choice([success, success, success, other]))
        });
        Works { items: items.collect(), counts: Arc::default() }
    }

    pub fn run(
        &self,
        (place, work): Item,
    ) -> impl Future<Output = Result<usize>> + Send + use<> {
        let counts = Arc::clone(&self.counts);
        async move {
            counts.begun.fetch_add(1, Relaxed);
            let running = counts.running.fetch_add(1, Relaxed) + 1;
            counts.peak.fetch_max(running, Relaxed);
            let _running = Running(counts);
            match work {
                Work::Success(time) => sleep(time).await,
                Work::Failure(time) => {
                    sleep(time).await;
                    bail!("failure {place}");
                }
                Work::Silent => pending().await,
                Work::Panic => panic!("panic {place}"),
            }
            Ok(place)
        }
    }

    pub fn begun(&self) -> usize {
        self.counts.begun.load(Relaxed)
    }

    pub fn running(&self) -> usize {
        self.counts.running.load(Relaxed)
    }

    pub fn peak(&self) -> usize {
        self.counts.peak.load(Relaxed)
    }

    /// Waits until no task has a clone of this any more.
    pub async fn no_task_is_left(&self) {
        while Arc::strong_count(&self.counts) > 1 {
            sleep(MS).await;
        }
    }

    /// Each item is there once, beside what became of its work.
    pub fn check(&self, mut results: Vec<(Item, Result<usize>)>, limit: usize) {
        results.sort_by_key(|((place, _), _)| *place);
        assert_eq!(results.len(), self.items.len());
        for ((item, result), expected) in results.into_iter().zip(&self.items) {
            assert_eq!(item, *expected);
            let (place, work) = item;
            let text = result.as_ref().err().map(|error| error.to_string());
            let text = text.unwrap_or_default();
            assert!(
                match work {
                    Work::Success(_) => result.is_ok_and(|of| of == place),
                    Work::Failure(_) => text == format!("failure {place}"),
                    Work::Silent => text == "deadline has elapsed",
                    Work::Panic => text.contains(&format!("panic {place}")),
                },
                "{item:?}: {text}"
            );
        }
        assert_eq!((self.running(), self.begun()), (0, self.items.len()));
        assert!(self.peak() <= limit, "{} of {limit}", self.peak());
    }
}
