//! `cargo bench --bench async_or_sync > benches/async_or_sync.txt`: async
//! against sync, as ratios.
//!
//! The ways of a group take turns. A figure is the median of a way's rounds,
//! divided by the median of the group's first way: `2.00` takes twice the time,
//! or the memory. A round in which other processes were busy is repeated. Linux
//! only.

use std::hint::black_box;
use std::io::{Read, Write};
use std::iter::{once, repeat_n};
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};
use std::{env, fs, io, thread};

use anyhow::{Context, Result, bail, ensure};
use futures::future::{join_all, try_join_all};
use harness::enter_root;
use harness::memory::peak_kb;
use harness::turns::{self, QUIET, median};
use harness::versions::{rust_versions, today};
use rayon::iter::{IntoParallelIterator, ParallelIterator};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::task::spawn_blocking;
use tokio::time::sleep;

const ROUNDS: usize = 9;

const SLEEPS: usize = 10_000;
const SLEEP: Duration = Duration::from_millis(100);

const CONNECTIONS: usize = 400;
const TRIPS: usize = 20;
const ALL_TRIPS: usize = 5_000;

const CALLS: usize = 20_000;
const TILES: usize = 8;
/// The number of checksums in a computation.
const SUMS: u32 = 100_000;
const FILE: usize = 64 << 20;

/// The cost of one round of a way.
struct Cost {
    time: Duration,
    /// Resident memory in kB, beyond what the process had before.
    memory: Option<u64>,
}

struct Way<'a> {
    name: &'static str,
    round: Box<dyn Fn() -> Result<Cost> + 'a>,
}

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    if let [flag, way, server] = arguments.as_slice()
        && flag == "--child"
    {
        return round_of_child(way, server.parse()?);
    }
    enter_root()?;
    let cores = thread::available_parallelism()?;
    println!("{cores} cores, {}, medians of {ROUNDS} rounds", today()?);
    let versions = rust_versions(&["futures", "rayon", "tokio"])?;
    let versions = versions.iter().map(|(name, of)| format!("{name} {of}"));
    println!("{}", versions.collect::<Vec<_>>().join(", "));
    let server = start_echo()?;
    many_sleeps(server)?;
    many_connections(server)?;
    one_connection(server)?;
    a_call()?;
    a_computation()?;
    a_file()
}

/// Measures all ways, in turn, and prints a line for each.
fn compare(title: &str, ways: &[Way]) -> Result<()> {
    let mut costs: Vec<Vec<Cost>> = ways.iter().map(|_| Vec::new()).collect();
    let take_turns = || turns::take_turns(ways, QUIET, |way| (way.round)());
    take_turns()?; // to warm up
    for _ in 0..ROUNDS {
        for (cost, of_way) in take_turns()?.into_iter().zip(&mut costs) {
            of_way.push(cost);
        }
    }
    let time = |costs: &[Cost]| {
        median(costs.iter().map(|cost| cost.time.as_secs_f64()))
    };
    let memory = |costs: &[Cost]| {
        median(costs.iter().map(|cost| cost.memory.unwrap_or(0) as f64))
    };
    let measured = costs[0][0].memory.is_some();
    let header = if measured { "    memory" } else { "" };
    println!("\n{title:46}    time{header}");
    for (way, of_way) in ways.iter().zip(&costs) {
        let ratio = time(of_way) / time(&costs[0]);
        print!("  {:44}{ratio:>8.2}", way.name);
        if measured {
            let ratio = memory(of_way) / memory(&costs[0]);
            print!("{ratio:>10.2}");
        }
        println!();
    }
    Ok(())
}

fn way<'a, T>(
    name: &'static str,
    work: impl Fn() -> Result<T> + 'a,
) -> Way<'a> {
    let round = move || {
        let start = Instant::now();
        black_box(work()?);
        Ok(Cost { time: start.elapsed(), memory: None })
    };
    Way { name, round: Box::new(round) }
}

/// A way whose rounds are processes of their own, so that the memory of each
/// can be measured.
fn way_in_child(
    name: &'static str,
    way: &'static str,
    server: SocketAddr,
) -> Way<'static> {
    let round = move || {
        let child = Command::new(env::current_exe()?)
            .args(["--child", way, &server.to_string()])
            .output()?;
        let error = String::from_utf8_lossy(&child.stderr);
        ensure!(child.status.success(), "{way}: {error}");
        let cost = String::from_utf8(child.stdout)?;
        let (nanos, kb) = cost.trim().split_once(' ').context("two figures")?;
        let time = Duration::from_nanos(nanos.parse()?);
        Ok(Cost { time, memory: Some(kb.parse()?) })
    };
    Way { name, round: Box::new(round) }
}

fn round_of_child(way: &str, server: SocketAddr) -> Result<()> {
    // One after the other, and before the clock starts: if many connect at
    // once, the kernel drops some, which try again after a second.
    let connections = match way {
        "trip-tasks" | "trip-threads" => CONNECTIONS,
        _ => 0,
    };
    let connections: io::Result<Vec<_>> =
        (0..connections).map(|_| connect(server)).collect();
    let connections = connections?.into_iter();
    let before = peak_kb()?;
    let start = Instant::now();
    match way {
        "sleep-tasks" => {
            let sleeps = (0..SLEEPS).map(|_| one_sleep());
            two_workers()?.block_on(in_tasks(sleeps))?;
        }
        "sleep-threads" => in_threads(repeat_n(one_blocking_sleep, SLEEPS))?,
        "trip-tasks" => {
            let trips = connections.map(|it| trips(it, TRIPS));
            two_workers()?.block_on(in_tasks(trips))?;
        }
        "trip-threads" => {
            let trips = connections.map(|it| move || blocking_trips(it, TRIPS));
            in_threads(trips)?;
        }
        _ => bail!("there is no way {way}"),
    }
    println!("{} {}", start.elapsed().as_nanos(), peak_kb()? - before);
    Ok(())
}

async fn in_tasks<F>(work: impl Iterator<Item = F>) -> Result<()>
where
    F: Future<Output = Result<()>> + Send + 'static,
{
    let tasks: Vec<_> = work.map(tokio::spawn).collect();
    for task in tasks {
        task.await??;
    }
    Ok(())
}

fn in_threads<F>(work: impl Iterator<Item = F>) -> Result<()>
where
    F: FnOnce() -> Result<()> + Send + 'static,
{
    let threads: io::Result<Vec<_>> =
        work.map(|work| thread::Builder::new().spawn(work)).collect();
    for thread in threads? {
        thread.join().expect("no panic")?;
    }
    Ok(())
}

fn one_thread() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_all().build()
}

fn two_workers() -> io::Result<Runtime> {
    Builder::new_multi_thread().worker_threads(2).enable_all().build()
}

async fn one_sleep() -> Result<()> {
    sleep(SLEEP).await;
    Ok(())
}

fn one_blocking_sleep() -> Result<()> {
    thread::sleep(SLEEP);
    Ok(())
}

fn many_sleeps(server: SocketAddr) -> Result<()> {
    let title = format!("{SLEEPS} sleeps of {SLEEP:?}, all at once");
    let tasks =
        way_in_child("10,000 tasks, two workers", "sleep-tasks", server);
    let threads = way_in_child("10,000 threads", "sleep-threads", server);
    compare(&title, &[tasks, threads])
}

fn many_connections(server: SocketAddr) -> Result<()> {
    let title = format!("{CONNECTIONS} connections, {TRIPS} round trips each");
    let tasks = way_in_child("400 tasks, two workers", "trip-tasks", server);
    let threads = way_in_child("400 threads", "trip-threads", server);
    compare(&title, &[tasks, threads])
}

fn one_connection(server: SocketAddr) -> Result<()> {
    let (one, two) = (one_thread()?, two_workers()?);
    let all = || async move { trips(connect(server)?, ALL_TRIPS).await };
    compare(
        &format!("1 connection, {ALL_TRIPS} round trips"),
        &[
            way("blocking", || blocking_trips(connect(server)?, ALL_TRIPS)),
            way("async, one thread", || one.block_on(all())),
            way("async, two workers", || two.block_on(in_tasks(once(all())))),
        ],
    )
}

/// Starts a server, in a thread of its own, that sends back what it receives.
fn start_echo() -> Result<SocketAddr> {
    let runtime = one_thread()?;
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
    let address = listener.local_addr()?;
    thread::spawn(move || {
        runtime.block_on(async {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(echo(client));
            }
        });
    });
    Ok(address)
}

async fn echo(mut client: TcpStream) -> io::Result<()> {
    client.set_nodelay(true)?;
    let mut message = [0; 64];
    loop {
        client.read_exact(&mut message).await?;
        client.write_all(&message).await?;
    }
}

fn connect(server: SocketAddr) -> io::Result<std::net::TcpStream> {
    let connection = std::net::TcpStream::connect(server)?;
    connection.set_nodelay(true)?;
    Ok(connection)
}

async fn trips(connection: std::net::TcpStream, count: usize) -> Result<()> {
    connection.set_nonblocking(true)?;
    let mut connection = TcpStream::from_std(connection)?;
    let mut message = [7; 64];
    for _ in 0..count {
        connection.write_all(&message).await?;
        connection.read_exact(&mut message).await?;
    }
    Ok(())
}

fn blocking_trips(
    mut connection: std::net::TcpStream,
    count: usize,
) -> Result<()> {
    let mut message = [7; 64];
    for _ in 0..count {
        connection.write_all(&message)?;
        connection.read_exact(&mut message)?;
    }
    Ok(())
}

/// A small computation, which the compiler must not merge with the loop around
/// it.
#[inline(never)]
fn checksum(heights: [u8; 64]) -> u64 {
    let add = |sum: u64, &height: &u8| {
        (sum ^ u64::from(height)).wrapping_mul(0x0100_0000_01b3)
    };
    heights.iter().fold(7, add)
}

async fn checksum_async(heights: [u8; 64]) -> u64 {
    checksum(heights)
}

fn heights() -> [u8; 64] {
    black_box([7; 64])
}

async fn checksums_in_tasks() -> Result<()> {
    for _ in 0..CALLS {
        black_box(tokio::spawn(checksum_async(heights())).await?);
    }
    Ok(())
}

fn a_call() -> Result<()> {
    let one = one_thread()?;
    compare(
        "a call: a checksum of 64 bytes",
        &[
            way("fn", || {
                (0..CALLS).for_each(|_| _ = black_box(checksum(heights())));
                Ok(())
            }),
            way("async fn", || {
                one.block_on(async {
                    for _ in 0..CALLS {
                        black_box(checksum_async(heights()).await);
                    }
                    Ok(())
                })
            }),
            way("async fn in a box", || {
                one.block_on(async {
                    for _ in 0..CALLS {
                        black_box(Box::pin(checksum_async(heights())).await);
                    }
                    Ok(())
                })
            }),
            way("a task", || {
                one.block_on(in_tasks(once(checksums_in_tasks())))
            }),
            way("a call of spawn_blocking", || {
                one.block_on(async {
                    for _ in 0..CALLS {
                        let sum = spawn_blocking(move || checksum(heights()));
                        black_box(sum.await?);
                    }
                    Ok(())
                })
            }),
        ],
    )
}

fn shade() -> u64 {
    (0..SUMS).fold(0, |sum, n| sum ^ checksum([n as u8; 64]))
}

fn a_computation() -> Result<()> {
    let two = two_workers()?;
    compare(
        &format!("{TILES} computations"),
        &[
            way("one after the other", || {
                Ok((0..TILES).map(|_| shade()).collect::<Vec<_>>())
            }),
            way("join_all, in one task", || {
                let tiles = (0..TILES).map(async |_| shade());
                Ok(two.block_on(join_all(tiles)))
            }),
            way("spawn_blocking", || {
                two.block_on(async {
                    let tiles = (0..TILES).map(|_| spawn_blocking(shade));
                    Ok(try_join_all(tiles).await?)
                })
            }),
            way("rayon", || {
                let tiles = (0..TILES).into_par_iter().map(|_| shade());
                Ok(tiles.collect::<Vec<_>>())
            }),
        ],
    )
}

fn a_file() -> Result<()> {
    let mut file = tempfile::NamedTempFile::new()?;
    file.write_all(&vec![7; FILE])?;
    let path = file.path();
    let one = one_thread()?;
    compare(
        &format!("a file of {} MiB, in the page cache", FILE >> 20),
        &[
            way("std::fs, 64 KiB, in one spawn_blocking", || {
                one.block_on(async {
                    let path = path.to_owned();
                    spawn_blocking(move || read(&path, 64)).await?
                })
            }),
            way("std::fs, 64 KiB, in place", || read(path, 64)),
            way("std::fs, 4 KiB, in place", || read(path, 4)),
            way("tokio::fs, 1 MiB at a time", || {
                one.block_on(read_async(path, 1024))
            }),
            way("tokio::fs, 64 KiB at a time", || {
                one.block_on(read_async(path, 64))
            }),
            way("tokio::fs, 4 KiB at a time", || {
                one.block_on(read_async(path, 4))
            }),
        ],
    )
}

fn read(path: &Path, kib: usize) -> Result<()> {
    let mut file = fs::File::open(path)?;
    let (mut buffer, mut total) = (vec![0; kib << 10], 0);
    while total < FILE {
        let length = file.read(&mut buffer)?;
        ensure!(length > 0, "the file ends too soon");
        total += length;
    }
    Ok(())
}

async fn read_async(path: &Path, kib: usize) -> Result<()> {
    let mut file = tokio::fs::File::open(path).await?;
    let (mut buffer, mut total) = (vec![0; kib << 10], 0);
    while total < FILE {
        let length = file.read(&mut buffer).await?;
        ensure!(length > 0, "the file ends too soon");
        total += length;
    }
    Ok(())
}
