//! One round of a way in Rust, in a process of its own. A way warms up,
//! measures itself, and asserts its result.

use std::fs::File;
use std::time::Duration;

use anyhow::{Result, bail};
use harness::memory::{kb, peak_kb};
use harness::once::{Known, flights, memo, number, unknown};
use harness::queue::queue;
use harness::runtime;
use serde::{Deserialize, Serialize};
use serde_json::json;

use database::measured::database;
use fetch_json::measured::http;
use lines::lines;
use streamed::streamed;
use tasks::{cancel, semaphore, sleeping, tasks};
use threads::measured::threads;

mod lines;
mod streamed;
mod tasks;
mod web;

#[expect(dead_code, reason = "the page's own `main` does not run")]
mod database {
    include!("../../snippets/web/database/database.rs");
    pub mod measured;
}

#[expect(dead_code, reason = "the page's own `main` does not run")]
mod fetch_json {
    include!("../../snippets/core-patterns/fetch-json/fetch_json.rs");
    pub mod measured;
}

#[expect(dead_code, reason = "the page's own `main` does not run")]
mod threads {
    include!("../../snippets/advanced-patterns/threads/threads.rs");
    pub mod measured;
}

pub use database::measured::fill;
pub use fetch_json::measured::start_courier;

/// What one round of a way has cost. A child process prints it as one line of
/// JSON.
#[derive(Debug, Serialize, Deserialize)]
pub struct Cost {
    pub seconds: f64,
    /// How many units of work were done.
    pub work: u64,
    /// The memory at the peak in bytes, less what the process had at its
    /// start. A server's is its whole memory when it has served, with its
    /// share of what processes have in common.
    pub memory: u64,
    /// The time within which a server has sent 99 % of its responses, in
    /// milliseconds.
    #[serde(default)]
    pub tail: Option<f64>,
}

/// Runs one round of a way. The words behind `--child` are the runtime's
/// threads, the case, the way, and the way's arguments.
pub fn child(words: &[String]) -> Result<()> {
    let [threads, case, way, arguments @ ..] = words else {
        bail!("--child THREADS CASE WAY");
    };
    let before = peak_kb()?;
    let runtime = runtime(threads)?;
    if case == "web" {
        runtime.block_on(web::serve())?;
        let share = kb("/proc/self/smaps_rollup", "Pss:")?;
        println!("{}", json!({ "memory": share << 10 }));
        return Ok(());
    }
    // In a task, as the handler of a request is: `block_on` polls its future
    // in a thread that does not belong to the runtime.
    let measured = measure(case.clone(), way.clone(), arguments.to_vec());
    let (seconds, work) = runtime.block_on(runtime.spawn(measured))??;
    let memory = (peak_kb()? - before) << 10;
    let cost = Cost { seconds, work, memory, tail: None };
    println!("{}", serde_json::to_string(&cost)?);
    runtime.shutdown_background(); // some tasks sleep for an hour
    Ok(())
}

async fn measure(
    case: String,
    way: String,
    arguments: Vec<String>,
) -> Result<(f64, u64)> {
    let (case, way) = (case.as_str(), way.as_str());
    let first = arguments.first().map_or("", String::as_str);
    if case == "sleeping" {
        let count = first.parse()?;
        return Ok((sleeping(count).await?.as_secs_f64(), count));
    }
    if case == "sqlite" || case == "postgres" {
        return database(case, way, first, &arguments[1]).await;
    }
    let count = match case {
        "tasks" => 200_000,
        "queue" => 1_000_000,
        "semaphore" | "cancel" | "waiters" => 100_000,
        "cache" => 1_000_000,
        "stream" if way.starts_with("channel") => 500_000,
        "stream" => 5_000_000,
        "threads" => 20_000_000,
        "http" => 20_000,
        "lines" => File::open(first)?.metadata()?.len() / 100,
        _ => bail!("there is no case {case}"),
    };
    let to_warm_up = if case == "lines" { count } else { count / 10 };
    work(case, way, first, to_warm_up).await?;
    let time = work(case, way, first, count).await?;
    Ok((time.as_secs_f64(), count))
}

async fn work(
    case: &str,
    way: &str,
    first: &str,
    count: u64,
) -> Result<Duration> {
    match case {
        "tasks" => tasks(way, count).await,
        "queue" => {
            let ends = first.parse()?;
            queue(way, ends, ends, count).await
        }
        "semaphore" => semaphore(way, count).await,
        "cancel" => cancel(way, count).await,
        "cache" => cache(way, count).await,
        "waiters" => waiters(way, count).await,
        "stream" => streamed(way, count).await,
        "threads" => threads(way, count).await,
        "http" => http(way, first, count).await,
        _ => lines(way, first, count).await,
    }
}

/// Four tasks ask for 100 values that are known.
async fn cache(way: &str, count: u64) -> Result<Duration> {
    const KEYS: u64 = 100;
    const CAPACITY: usize = 1_000;
    match way {
        "moka" => {
            let known = Known::new(memo(number, CAPACITY), KEYS).await?;
            known.round(count).await
        }
        "flights" => {
            let known = Known::new(flights(number, CAPACITY), KEYS).await?;
            known.round(count).await
        }
        _ => bail!("no way {way}"),
    }
}

/// 10,000 tasks at a time wait for one value.
async fn waiters(way: &str, count: u64) -> Result<Duration> {
    const WAITERS: u64 = 10_000;
    let mut time = Duration::ZERO;
    for _ in 0..count / WAITERS {
        time += unknown(way, WAITERS).await?;
    }
    Ok(time)
}
