//! One round of a way in Rust, in a process of its own. It warms up, measures
//! itself, and asserts its result.
//!
//! Where a way is a program of the book, this runs the code that the page shows.
//! It includes the program whole, as a module, with functions beside it that
//! see its private items.

use std::fs;
use std::future::Future;
use std::time::{Duration, Instant};
use std::{env, io};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::runtime::{Builder, Runtime};
use tokio::task::yield_now;

pub use database::fill;
pub use files::write_orders;
pub use network::{start_courier, start_echo};

mod compute;
mod database;
mod files;
mod network;
mod once;
mod queues;
mod tasks;

/// Longer than a benchmark runs.
const HOUR: Duration = Duration::from_secs(3_600);

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
    pub memory: i64,
    /// The time within which a server has sent 99 % of its responses, in
    /// milliseconds.
    #[serde(default)]
    pub tail: Option<f64>,
}

/// A runtime as `#[tokio::main]` makes it: on the current thread if `threads`
/// is `one`, and else with a worker thread for each core.
pub fn runtime(threads: &str) -> io::Result<Runtime> {
    match threads {
        "one" => Builder::new_current_thread().enable_all().build(),
        _ => Builder::new_multi_thread().enable_all().build(),
    }
}

/// Runs one round of a way. The words are the runtime's threads, what is run,
/// the way, an argument, and a path or a URL; the last two may be empty.
pub fn child(words: &[String]) -> Result<()> {
    let [threads, run, way, argument, data] = words else {
        bail!("--child THREADS RUN WAY ARGUMENT DATA");
    };
    let before = kb("/proc/self/status", "VmHWM:")?;
    let runtime = runtime(threads)?;
    if run == "web" {
        runtime.block_on(network::serve())?;
        let share = kb("/proc/self/smaps_rollup", "Pss:")?;
        println!("{}", json!({ "memory": share << 10 }));
        return Ok(());
    }
    // In a task, as the handler of a request is: `block_on` polls its future
    // in a thread that does not belong to the runtime.
    let (run, way) = (run.clone(), way.clone());
    let (argument, data) = (argument.clone(), data.clone());
    let measured = runtime
        .spawn(async move { measure(&run, &way, &argument, &data).await });
    let (seconds, work) = runtime.block_on(measured)??;
    let memory = (kb("/proc/self/status", "VmHWM:")? - before) << 10;
    let cost = Cost { seconds, work, memory, tail: None };
    println!("{}", serde_json::to_string(&cost)?);
    runtime.shutdown_background(); // some tasks sleep for an hour
    Ok(())
}

async fn measure(
    run: &str,
    way: &str,
    argument: &str,
    data: &str,
) -> Result<(f64, u64)> {
    let size = argument.parse().unwrap_or_default();
    match run {
        "tasks" => tasks::spawned(way).await,
        "sleeping" => tasks::sleeping(size).await,
        "semaphore" => tasks::semaphore(way).await,
        "cancel" => tasks::cancel(way).await,
        "many" => tasks::many(way, size, wait_once).await,
        "many-computing" => tasks::many(way, size, compute::computed).await,
        "locks" => tasks::locks(way, size).await,
        "queue_items" | "queue-shared" => queues::queue(way, size, size).await,
        "queue-in" => queues::queue(way, size, 1).await,
        "news-every" => queues::every(way, size).await,
        "news-latest" => queues::latest(way, size).await,
        "stream" => queues::streamed(way).await,
        "cache" => once::known(way, 100).await,
        "once-known" => once::known(way, size).await,
        "waiters" => once::unknown(way, 10_000).await,
        "once" => once::unknown(way, size).await,
        "threads" => compute::threads(way).await,
        "computing-one" => compute::one(way, size).await,
        "computing-many" => compute::many(way, size).await,
        "calls" => compute::calls(way).await,
        "lines" => files::lines(way, data).await,
        "files-read" => files::read(way, size, data).await,
        "files-written" => files::written(way, size, data).await,
        "http_client" => network::http(way, data).await,
        "sleeps" => network::sleeps(way).await,
        "trips" => network::trips(way, size, data).await,
        "database" => database::database(way, argument, data).await,
        "rows-postgres" => database::rows_postgres(way, size, data).await,
        "rows-sqlite" => database::rows_sqlite(way, size, data).await,
        _ => bail!("there is no {run}"),
    }
}

/// Repeats a piece of work, first to warm up and then for 200 ms, but at least
/// once, and adds up the times that it returns. A rough run does it once.
async fn piece<F: Future<Output = Result<Duration>>>(
    work: u64,
    mut once: impl FnMut() -> F,
) -> Result<(f64, u64)> {
    const WARM: Duration = Duration::from_millis(50);
    const LONG: Duration = Duration::from_millis(200);
    if env::var_os("ROUGH").is_some() {
        return Ok((once().await?.as_secs_f64(), work));
    }
    let (start, mut time, mut rounds) = (Instant::now(), Duration::ZERO, 0);
    while start.elapsed() < WARM {
        time += once().await?;
        rounds += 1;
    }
    let each = time / rounds;
    let rounds = LONG.as_nanos().div_ceil(each.as_nanos()) as u64;
    time = Duration::ZERO;
    for _ in 0..rounds {
        time += once().await?;
    }
    Ok((time.as_secs_f64(), rounds * work))
}

async fn wait_once(n: u64) -> u64 {
    yield_now().await;
    std::hint::black_box(n) + 1
}

/// The number of kB behind `name` in `file`, which has a line for each name:
/// `VmHWM:    2048 kB`.
fn kb(file: &str, name: &str) -> Result<i64> {
    let text = fs::read_to_string(file)?;
    let kb = text.lines().find_map(|line| line.strip_prefix(name));
    let kb = kb.and_then(|kb| kb.trim().strip_suffix(" kB"));
    Ok(kb.with_context(|| format!("no {name} in {file}"))?.parse()?)
}
