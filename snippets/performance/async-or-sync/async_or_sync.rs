// ANCHOR: all
// ANCHOR: keep
use std::fs::File;
use std::future::Future;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tempfile::NamedTempFile;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

#[derive(Debug, thiserror::Error)]
#[error("the carrier is silent")]
struct Silent;

/// Shared by all callers. Each semaphore limits how many jobs of its kind run.
struct Labels {
    folder: PathBuf,
    fetch_timeout: Duration,
    network: Semaphore,
    cpu: Arc<Semaphore>,
    disk: Arc<Semaphore>,
}

impl Labels {
    /// Fetches the address of a parcel, renders its label, and saves it.
    async fn make<F: Future<Output = anyhow::Result<Vec<u8>>>>(
        &self,
        parcel: u32,
        fetch: impl FnOnce(u32) -> F,
        render: impl FnOnce(&[u8]) -> anyhow::Result<Vec<u8>> + Send + 'static,
    ) -> anyhow::Result<()> {
        // ANCHOR: network
        // Waits for the network: async, with a time limit.
        let address = {
            let _permit = self.network.acquire().await?;
            let fetched = timeout(self.fetch_timeout, fetch(parcel)).await;
            fetched.map_err(|_| Silent)??
        };
        // ANCHOR_END: network
        // ANCHOR: cpu
        // Computes: on a thread, as many as there are cores.
        let label = on_thread(&self.cpu, move || render(&address)).await??;
        // ANCHOR_END: cpu
        // ANCHOR: disk
        // Waits for the disk: all calls for one file in one job on a thread.
        let (folder, name) = (self.folder.clone(), format!("{parcel}.label"));
        let save = move || save(&folder, &name, &label);
        on_thread(&self.disk, save).await?.context("not saved")
        // ANCHOR_END: disk
    }
}

/// The permit goes with the work, which does not end when its caller gives up.
async fn on_thread<T: Send + 'static>(
    limit: &Arc<Semaphore>,
    work: impl FnOnce() -> T + Send + 'static,
) -> anyhow::Result<T> {
    let permit = Arc::clone(limit).acquire_owned().await?;
    let job = move || {
        let _permit = permit;
        work()
    };
    Ok(spawn_blocking(job).await?)
}

// ANCHOR: save
/// Saves a file that is whole at each moment, also after a power failure.
fn save(folder: &Path, name: &str, content: &[u8]) -> io::Result<()> {
    let mut file = NamedTempFile::new_in(folder)?;
    file.write_all(content)?;
    file.as_file().sync_all()?; // the content is on the disk
    file.persist(folder.join(name))?;
    File::open(folder)?.sync_all() // its name is on the disk, too
}
// ANCHOR_END: save
// ANCHOR_END: keep

// A carrier with addresses, labels of two lines, and what must come of them.
use std::fs;
use std::future::pending;
use std::os::unix::fs::PermissionsExt;
use std::panic::AssertUnwindSafe;
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc;
use std::thread::available_parallelism;

use anyhow::{bail, ensure};
use futures::stream::{self, StreamExt};
use futures::{FutureExt, poll};
use tempfile::{TempDir, tempdir};
use tokio::task::{JoinError, yield_now};
use tokio::time::{Instant, error::Elapsed, sleep};

const SECOND: Duration = Duration::from_secs(1);

// ANCHOR: call
const LABEL_TIMEOUT: Duration = Duration::from_secs(30);

/// Returns each parcel with its result.
async fn make_all(
    labels: &Labels,
    parcels: Vec<u32>,
) -> Vec<(u32, anyhow::Result<()>)> {
    let make = |parcel| async move {
        let made = timeout(LABEL_TIMEOUT, labels.make(parcel, fetch, render));
        (parcel, made.await.unwrap_or_else(|late| Err(late.into())))
    };
    stream::iter(parcels).map(make).buffer_unordered(50).collect().await
}
// ANCHOR_END: call

/// Labels in a new folder, with two permits for the processors.
fn new_labels() -> anyhow::Result<(TempDir, Labels)> {
    let folder = tempdir()?;
    let labels = Labels {
        folder: folder.path().to_owned(),
        fetch_timeout: 5 * SECOND,
        network: Semaphore::new(20),
        cpu: Arc::new(Semaphore::new(2)),
        disk: Arc::new(Semaphore::new(4)),
    };
    Ok((folder, labels))
}

/// Counts what runs at the same time.
struct Count {
    running: AtomicUsize,
    most: AtomicUsize,
}

struct Running<'a>(&'a Count);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Relaxed);
    }
}

impl Count {
    const fn new() -> Self {
        Count { running: AtomicUsize::new(0), most: AtomicUsize::new(0) }
    }

    fn start(&self) -> Running<'_> {
        let running = self.running.fetch_add(1, Relaxed) + 1;
        self.most.fetch_max(running, Relaxed);
        Running(self)
    }

    /// The most at a time, and that none runs.
    fn most(&self) -> usize {
        assert_eq!(self.running.load(Relaxed), 0);
        self.most.swap(0, Relaxed)
    }
}

static FETCHES: Count = Count::new();
static RENDERS: Count = Count::new();

/// The address of a parcel, after a second. The carrier does not know 404, and
/// never answers for 99.
async fn fetch(parcel: u32) -> anyhow::Result<Vec<u8>> {
    let _running = FETCHES.start();
    sleep(SECOND).await;
    match parcel {
        99 => pending().await,
        404 => bail!("404 Not Found"),
        10 => Ok(Vec::new()),
        13 => Ok(b"13, Bergen".into()),
        _ => Ok(format!("{parcel} Bergen").into()),
    }
}

fn render(address: &[u8]) -> anyhow::Result<Vec<u8>> {
    let _running = RENDERS.start();
    ensure!(!address.is_empty(), "no address");
    assert!(!address.contains(&b','), "a comma in the address");
    Ok([b"PARCEL\n", address].concat())
}

/// The names in a folder, in order.
fn names(folder: &Path) -> io::Result<Vec<String>> {
    let name = |entry: io::Result<fs::DirEntry>| {
        Ok(entry?.file_name().to_string_lossy().into_owned())
    };
    let mut names: Vec<_> =
        fs::read_dir(folder)?.map(name).collect::<Result<_, io::Error>>()?;
    names.sort();
    Ok(names)
}

async fn any_number() -> anyhow::Result<()> {
    FETCHES.most();
    RENDERS.most();
    for (count, seconds) in [(0, 0), (1, 1), (7, 1), (1_000, 50)] {
        let (folder, labels) = new_labels()?;
        let start = Instant::now();
        // No number among them has a meaning of its own.
        let made = make_all(&labels, (2_000..2_000 + count).collect()).await;
        assert!(made.iter().all(|(_, made)| made.is_ok()));
        let saved = names(folder.path())?;
        assert_eq!(saved.len(), count as usize);
        for name in saved {
            let label = fs::read_to_string(folder.path().join(&name))?;
            let parcel = name.trim_end_matches(".label");
            assert_eq!(label, format!("PARCEL\n{parcel} Bergen"));
        }
        let elapsed = start.elapsed();
        println!("{count} labels: {} s", elapsed.as_secs());
        assert_eq!(elapsed, SECOND * seconds);
        assert_eq!(FETCHES.most(), 20.min(count as usize));
        assert!(RENDERS.most() <= 2);
    }
    Ok(())
}

async fn errors() -> anyhow::Result<()> {
    let temporary = tempdir()?;
    let folder = temporary.path().to_owned();
    // ANCHOR: new
    let cores = available_parallelism()?.get();
    let labels = Labels {
        folder,
        fetch_timeout: Duration::from_secs(5),
        network: Semaphore::new(20),
        cpu: Arc::new(Semaphore::new(cores)),
        disk: Arc::new(Semaphore::new(4)),
    };
    // ANCHOR_END: new
    let start = Instant::now();
    let mut made = make_all(&labels, vec![7, 404, 99, 10, 13]).await;
    assert_eq!(start.elapsed(), labels.fetch_timeout);
    made.sort_by_key(|(parcel, _)| *parcel);
    let mut ends = Vec::new();
    for (parcel, made) in made {
        let end = match made {
            Ok(()) => "saved".to_owned(),
            Err(error) if error.is::<JoinError>() => "a panic".to_owned(),
            Err(error) if parcel == 99 => {
                assert!(error.is::<Silent>());
                error.to_string()
            }
            Err(error) => error.to_string(),
        };
        println!("parcel {parcel}: {end}");
        ends.push(end);
    }
    assert_eq!(
        ends,
        [
            "saved",
            "no address",
            "a panic",
            "the carrier is silent",
            "404 Not Found"
        ]
    );
    assert_eq!(names(temporary.path())?, ["7.label"]);
    // All permits are back.
    assert_eq!(labels.network.available_permits(), 20);
    assert_eq!(labels.cpu.available_permits(), cores);
    assert_eq!(labels.disk.available_permits(), 4);

    // All places of the network are taken.
    let permits = labels.network.acquire_many(20).await?;
    let start = Instant::now();
    let made = make_all(&labels, vec![7]).await;
    assert_eq!(start.elapsed(), LABEL_TIMEOUT);
    let error = made[0].1.as_ref().expect_err("it is late");
    assert!(error.is::<Elapsed>());
    println!("busy: no label after {} s", start.elapsed().as_secs());
    drop(permits);

    let broken = |_| async { panic!("a bug in the client") };
    let made = AssertUnwindSafe(labels.make(7, broken, render));
    assert!(made.catch_unwind().await.is_err());
    assert_eq!(labels.network.available_permits(), 20);
    println!("fetch panics: its caller panics");
    Ok(())
}

/// Goes on when a second label is being rendered, too.
async fn in_parallel() -> anyhow::Result<()> {
    let (_folder, labels) = new_labels()?;
    let barrier = Arc::new(Barrier::new(2));
    RENDERS.most();
    let made = (0..8).map(|_| {
        let barrier = Arc::clone(&barrier);
        labels.make(7, fetch, move |address| {
            let label = render(address);
            let _running = RENDERS.start();
            barrier.wait();
            label
        })
    });
    let made = futures::future::join_all(made).await;
    assert!(made.iter().all(Result::is_ok));
    assert_eq!(RENDERS.most(), 2);
    println!("in parallel: 2 labels at a time");
    Ok(())
}

/// A caller gives up while its label is being rendered, and another one while
/// it is being saved. The paused clock stands while a thread is at work, so
/// nothing here waits for time to pass.
async fn given_up() -> anyhow::Result<()> {
    let (folder, labels) = new_labels()?;
    let labels = Labels { cpu: Arc::new(Semaphore::new(1)), ..labels };
    let known = |_| async { Ok(b"Bergen".into()) };
    let (started_tx, started_rx) = mpsc::channel();
    let (finish_tx, finish_rx) = mpsc::channel();
    let slow = move |address: &[u8]| {
        started_tx.send(())?;
        finish_rx.recv()?;
        render(address)
    };
    let mut made = Box::pin(labels.make(7, known, slow));
    while started_rx.try_recv().is_err() {
        assert!(poll!(&mut made).is_pending());
        yield_now().await;
    }
    assert_eq!(labels.network.available_permits(), 20, "it is not used");
    drop(made);

    let mut next = Box::pin(labels.make(8, known, render));
    for _ in 0..100 {
        assert!(poll!(&mut next).is_pending(), "no permit");
        yield_now().await;
    }
    finish_tx.send(())?;
    next.await?;
    assert_eq!(names(folder.path())?, ["8.label"]);
    println!("given up, rendering: its permit is kept, its label not saved");

    let mut made = Box::pin(labels.make(9, known, render));
    while labels.disk.available_permits() == 4 {
        if poll!(&mut made).is_ready() {
            break; // the disk was too fast
        }
        yield_now().await;
    }
    drop(made);
    let _all = labels.disk.acquire_many(4).await?;
    let label = fs::read_to_string(folder.path().join("9.label"))?;
    assert_eq!(label, "PARCEL\nBergen");
    println!("given up, saving: its label is saved");
    Ok(())
}

async fn saving() -> anyhow::Result<()> {
    let (folder, labels) = new_labels()?;
    let folder = folder.path();
    labels.make(7, fetch, render).await?;
    let mut reader = File::open(folder.join("7.label"))?;
    labels.make(7, fetch, |_| Ok("new".into())).await?;
    assert_eq!(fs::read_to_string(folder.join("7.label"))?, "new");
    let old = io::read_to_string(&mut reader)?;
    assert_eq!(old, "PARCEL\n7 Bergen", "a reader has the old file");
    let mode = fs::metadata(folder.join("7.label"))?.permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    println!("saved again: replaced as a whole");

    fs::create_dir(folder.join("8.label"))?;
    let made = labels.make(8, fetch, render).await;
    let error = made.expect_err("there is a folder of this name");
    assert_eq!(error.to_string(), "not saved");
    assert!(error.is::<io::Error>());
    assert_eq!(names(folder)?, ["7.label", "8.label"]);
    println!("not saved: no temporary file is left");
    Ok(())
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    errors().await?;
    any_number().await?;
    in_parallel().await?;
    given_up().await?;
    saving().await
}
// ANCHOR_END: all
