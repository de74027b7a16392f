// ANCHOR: all
// ANCHOR: keep
use std::collections::{BTreeMap, HashMap};
use std::future::Future;

use tokio::task::{JoinError, JoinSet};

// ANCHOR: failed
/// How a task has ended.
#[derive(Debug, thiserror::Error)]
enum End<T> {
    #[error("done")]
    Done(T),
    #[error("{0:#}")]
    Failed(anyhow::Error),
    #[error("{0}")]
    Panicked(JoinError),
    #[error("cancelled")]
    Cancelled,
}

/// Which task failed first, and how each has ended, in the order of the tasks.
#[derive(Debug, thiserror::Error)]
#[error("index {first}: {}", .ends[*.first])]
struct Failed<T> {
    first: usize,
    ends: Vec<End<T>>,
}
// ANCHOR_END: failed

/// Runs all tasks. The first error or panic aborts the others. When it returns,
/// all have ended, and nothing that they returned is lost.
async fn run_all<T, F>(
    tasks: impl IntoIterator<Item = F>,
) -> Result<Vec<T>, Failed<T>>
where
    T: Send + 'static,
    F: Future<Output = anyhow::Result<T>> + Send + 'static,
{
    // ANCHOR: spawn
    let (mut group, mut indices) = (JoinSet::new(), HashMap::new());
    for (index, task) in tasks.into_iter().enumerate() {
        indices.insert(group.spawn(task).id(), index);
    }
    // ANCHOR_END: spawn
    let (mut ends, mut first) = (BTreeMap::new(), None);
    while let Some(end) = group.join_next_with_id().await {
        let (id, end) = match end {
            Ok((id, Ok(value))) => (id, End::Done(value)),
            Ok((id, Err(error))) => (id, End::Failed(error)),
            Err(error) if error.is_panic() => {
                (error.id(), End::Panicked(error))
            }
            Err(error) => (error.id(), End::Cancelled),
        };
        let index = indices[&id];
        if first.is_none() && !matches!(end, End::Done(_)) {
            first = Some(index);
            group.abort_all(); // the loop sees them end
        }
        ends.insert(index, end);
    }
    // ANCHOR: values
    let ends = ends.into_values();
    let value = |end| match end {
        End::Done(value) => Some(value),
        _ => None,
    };
    match first {
        None => Ok(ends.filter_map(value).collect()),
        Some(first) => Err(Failed { first, ends: ends.collect() }),
    }
    // ANCHOR_END: values
}
// ANCHOR_END: keep

// A carrier that sells labels, and what must come of it.
use std::iter::zip;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::bail;
use futures::FutureExt;
use tokio::runtime::Handle;
use tokio::time::{Instant, sleep, timeout};

const SECOND: Duration = Duration::from_secs(1);

/// The labels that it has sold, by their keys.
#[derive(Clone, Default)]
struct Carrier(Arc<Mutex<Vec<u32>>>);

impl Carrier {
    /// Sells a label, and responds as long after that. The last digit of the
    /// key says in how many seconds. From 40 on it refuses, from 90 on there is
    /// a bug in the client.
    async fn buy(self, key: u32) -> anyhow::Result<u32> {
        let half = key % 10 * SECOND / 2;
        sleep(half).await;
        if key < 40 {
            self.0.lock().expect("no holder panics").push(key);
        }
        sleep(half).await;
        match key {
            ..40 => Ok(key),
            40..90 => bail!("402 Payment Required"),
            90.. => panic!("a comma in the price"),
        }
    }

    /// Takes a label back, if one was sold.
    async fn void(&self, key: u32) {
        let mut labels = self.0.lock().expect("no holder panics");
        labels.retain(|label| *label != key);
    }

    /// How many labels it has sold.
    fn sold(&self) -> usize {
        self.0.lock().expect("no holder panics").len()
    }
}

// ANCHOR: call
/// Buys a label for each key, or none.
async fn buy_all(
    carrier: &Carrier,
    keys: &[u32],
) -> Result<Vec<u32>, Failed<u32>> {
    let tasks = keys.iter().map(|key| carrier.clone().buy(*key));
    let failed = match run_all(tasks).await {
        Ok(labels) => return Ok(labels),
        Err(failed) => failed,
    };
    for (key, end) in zip(keys, &failed.ends) {
        println!("key {key}: {end}");
        carrier.void(*key).await; // it was sold, or it may have been
    }
    Err(failed)
}
// ANCHOR_END: call

/// How each task has ended, in a word.
fn words(ends: &[End<u32>]) -> Vec<&'static str> {
    let words = ends.iter().map(|end| match end {
        End::Done(_) => "done",
        End::Failed(_) => "failed",
        End::Panicked(_) => "panicked",
        End::Cancelled => "cancelled",
    });
    words.collect()
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    let carrier = Carrier::default();

    // ANCHOR: fails
    let result = buy_all(&carrier, &[1, 42, 3]).await;
    // ANCHOR_END: fails
    let failed = result.expect_err("it is refused");
    assert_eq!(failed.to_string(), "index 1: 402 Payment Required");
    assert_eq!(words(&failed.ends), ["done", "failed", "cancelled"]);
    assert_eq!(carrier.sold(), 0);
    assert_eq!(buy_all(&carrier, &[3, 1]).await?, [3, 1]);
    assert_eq!(carrier.sold(), 2);

    // The keys; and then the seconds, the labels that are sold, which failed
    // first, and how each has ended.
    for (case, keys, seconds, sold, first, ends) in [
        ("none", vec![], 0, 0, None, vec![]),
        ("all succeed", vec![3, 1, 2], 3, 3, None, vec![]),
        (
            "one fails",
            vec![1, 42, 3],
            2,
            2,
            Some(1),
            vec!["done", "failed", "cancelled"],
        ),
        (
            "several at once",
            vec![1, 41, 11, 51, 91, 3],
            1,
            2,
            Some(1),
            vec!["done", "failed", "done", "failed", "panicked", "cancelled"],
        ),
        (
            "one panics",
            vec![3, 91],
            1,
            0,
            Some(1),
            vec!["cancelled", "panicked"],
        ),
        (
            "the last fails first",
            vec![43, 42, 41],
            1,
            0,
            Some(2),
            vec!["cancelled", "cancelled", "failed"],
        ),
    ] {
        let (carrier, start) = (Carrier::default(), Instant::now());
        let tasks = keys.iter().map(|key| carrier.clone().buy(*key));
        let result = run_all(tasks).await;
        assert_eq!(start.elapsed(), seconds * SECOND);
        assert_eq!((carrier.sold(), alive()), (sold, 0));
        match result {
            Ok(labels) => {
                println!("{case}: sold {sold}; labels {labels:?}");
                assert_eq!(labels, keys);
                assert_eq!(first, None);
            }
            Err(failed) => {
                let words = words(&failed.ends);
                let list = words.join(", ");
                println!("{case}: sold {sold}; first {}; {list}", failed.first);
                assert_eq!(words, ends);
                assert_eq!(first, Some(failed.first));
                let panics = failed.to_string().contains("comma");
                assert_eq!(panics, case == "one panics");
            }
        }
    }
    limits().await
}

/// Each label takes 1 s or 3 s, and the limit is 2 s.
async fn limits() -> anyhow::Result<()> {
    let carrier = Carrier::default();
    let buy = |key| carrier.clone().buy(key);
    let result = timeout(2 * SECOND, run_all([1, 3].map(buy))).await;
    assert!(result.is_err());
    println!("a limit around them: sold {}; no result", carrier.sold());
    assert_eq!((carrier.sold(), alive()), (2, 1));
    sleep(SECOND / 1000).await;
    assert_eq!(alive(), 0, "it is aborted");

    let limited = |key| timeout(2 * SECOND, buy(key)).map(|end| end?);
    let failed = run_all([1, 3].map(limited)).await.expect_err("a limit");
    println!("a limit for each: {}; {}", failed.ends[0], failed.ends[1]);
    assert_eq!(words(&failed.ends), ["done", "failed"]);
    Ok(())
}

fn alive() -> usize {
    Handle::current().metrics().num_alive_tasks()
}
// ANCHOR_END: all
