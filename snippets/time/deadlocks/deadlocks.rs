// ANCHOR: all
// ANCHOR: keep
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};
use std::{future::Future, panic::Location, sync::Mutex, thread};

use tokio::task::{Id, try_id};
use tracing::{field::display, warn};

type Line = &'static Location<'static>;

/// A line of the program that waits for something, or holds it.
#[derive(Clone)]
struct Entry {
    name: &'static str,
    holds: bool,
    line: Line,
    task: Option<Id>,
    since: Instant,
}

static ENTRIES: Mutex<BTreeMap<u64, Entry>> = Mutex::new(BTreeMap::new());

// ANCHOR: mark
struct Mark(u64);

impl Mark {
    fn new(name: &'static str, holds: bool, line: Line) -> Self {
        let (task, since) = (try_id(), Instant::now());
        let mut entries = ENTRIES.lock().expect("no panic inside");
        let key = entries.last_key_value().map_or(0, |(last, _)| last + 1);
        entries.insert(key, Entry { name, holds, line, task, since });
        Mark(key)
    }
}

impl Drop for Mark {
    fn drop(&mut self) {
        ENTRIES.lock().expect("no panic inside").remove(&self.0);
    }
}
// ANCHOR_END: mark

// ANCHOR: hold
/// Awaits a lock, a permit or a place. Drop the mark when you give it back.
#[track_caller]
fn hold<F: Future>(
    name: &'static str,
    future: F,
) -> impl Future<Output = (F::Output, Mark)> {
    let line = Location::caller();
    async move {
        let _waits = Mark::new(name, false, line);
        let value = future.await;
        (value, Mark::new(name, true, line))
    }
}
// ANCHOR_END: hold

// ANCHOR: watchdog
/// Logs all lines with a name for which one of them has waited too long.
fn watchdog(limit: Duration) -> ! {
    loop {
        thread::sleep(limit);
        let entries = ENTRIES.lock().expect("no panic inside").clone();
        let late = |e: &&Entry| !e.holds && e.since.elapsed() > limit;
        let names = entries.values().filter(late).map(|e| e.name);
        let names: BTreeSet<_> = names.collect();
        let stuck = entries.values().filter(|e| names.contains(e.name));
        let mut stuck: Vec<_> = stuck.collect();
        stuck.sort_by_key(|e| !e.holds);
        for Entry { name, holds, line, task, since } in stuck.iter().take(20) {
            let (task, age) = (task.map(display), since.elapsed());
            warn!(name, holds, task, ?age, %line, "stuck");
        }
    }
}
// ANCHOR_END: watchdog
// ANCHOR_END: keep

// A service that waits in each way, and its log.
use std::future::pending;
use std::io;
use std::panic::resume_unwind;
use std::pin::pin;
use std::sync::{Arc, MutexGuard};

use tokio::sync::mpsc::{UnboundedReceiver, channel, unbounded_channel};
use tokio::sync::{self, Semaphore};
use tokio::task::{JoinSet, yield_now};
use tokio::time::{sleep, timeout};

const LIMIT: Duration = Duration::from_millis(200);

/// The calls of `hold` stand below this line.
const CALLS: u32 = line!();

struct State {
    parcels: sync::Mutex<Vec<u32>>,
    labels: sync::Mutex<Vec<u32>>,
    carrier: Semaphore,
}

type Shared = Arc<State>;

/// A line of the log: which of the tasks, whether it waits, and for what.
type Logged = (usize, bool, &'static str);

/// Has each line of the log, from the name on.
struct Log(UnboundedReceiver<String>);

impl Log {
    fn new() -> Self {
        let (log_tx, log_rx) = unbounded_channel();
        let writer = move || Writer(log_tx.clone());
        let format = tracing_subscriber::fmt().with_ansi(false);
        format.without_time().with_writer(writer).init();
        Log(log_rx)
    }

    async fn line(&mut self) -> String {
        let line = timeout(Duration::from_secs(30), self.0.recv()).await;
        let line = line.expect("in time").expect("the writer lives");
        let (_, line) = line.split_once("stuck ").expect("a message");
        line.trim_end().to_owned()
    }

    /// Waits until exactly these lines are logged, and aborts the tasks.
    async fn has(&mut self, case: &str, tasks: Tasks, lines: &[Logged]) {
        let mut found = BTreeMap::new();
        while !found.keys().map(|(line, _)| line).eq(lines) {
            let text = self.line().await;
            let Some(line) = tasks.parse(&text) else { continue };
            assert!(lines.contains(&line), "{case}: {text}");
            let (before, _) = text.split_once(" age=").expect("an age");
            let (_, place) = text.split_once(file!()).expect("this file");
            let text = format!("  {before} line=main.rs{place}");
            found.insert((line, number(place)), text);
        }
        println!("{case}:");
        for text in found.values() {
            println!("{text}");
        }
        assert!(found.keys().all(|(_, number)| *number > CALLS));
        tasks.abort().await;
    }
}

/// The first number of `:7:9`.
fn number(place: &str) -> u32 {
    let number = place.split(':').nth(1).expect("a number");
    number.parse().expect("a number")
}

/// The age in a line of the log, `200.1ms` or `1.2s`.
fn seconds(text: &str) -> f64 {
    let (_, age) = text.split_once("age=").expect("an age");
    let (age, _) = age.split_once(' ').expect("a line");
    let (number, unit) = match age.strip_suffix("ms") {
        Some(number) => (number, 1000.0),
        None => (age.trim_end_matches('s'), 1.0),
    };
    number.parse::<f64>().expect("a number") / unit
}

fn entries() -> MutexGuard<'static, BTreeMap<u64, Entry>> {
    ENTRIES.lock().expect("no panic inside")
}

struct Writer(sync::mpsc::UnboundedSender<String>);

impl io::Write for Writer {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        drop(entries()); // the watchdog does not keep the lock
        let text = String::from_utf8_lossy(line).into_owned();
        self.0.send(text).map_err(io::Error::other)?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The tasks of a case, and their ids.
#[derive(Default)]
struct Tasks {
    set: JoinSet<()>,
    ids: Vec<String>,
}

impl Tasks {
    fn spawn(&mut self, task: impl Future<Output = ()> + Send + 'static) {
        self.ids.push(self.set.spawn(task).id().to_string());
    }

    /// No mark of theirs is left.
    async fn abort(mut self) {
        self.set.abort_all();
        while self.set.join_next().await.is_some() {}
        assert!(entries().is_empty());
    }

    /// None for a line of an earlier case.
    fn parse(&self, text: &str) -> Option<Logged> {
        const NAMES: [&str; 4] = ["parcels", "labels", "carrier", "events"];
        let (_, task) = text.split_once("task=")?;
        let (task, _) = task.split_once(' ')?;
        let task = self.ids.iter().position(|id| id == task)?;
        let quoted = |name: &&str| text.contains(&format!("{name:?}"));
        let name = NAMES.into_iter().find(quoted)?;
        Some((task, text.contains("holds=false"), name))
    }
}

// ANCHOR: call
async fn add_label(state: Shared) -> anyhow::Result<()> {
    let (permit, _carrier) = hold("carrier", state.carrier.acquire()).await;
    let _permit = permit?;
    let (mut parcels, _parcels) = hold("parcels", state.parcels.lock()).await;
    yield_now().await; // buys a label
    let (mut labels, _labels) = hold("labels", state.labels.lock()).await;
    labels.extend(parcels.pop());
    Ok(())
}
// ANCHOR_END: call

async fn remove_label(state: Shared) {
    let (mut labels, _labels) = hold("labels", state.labels.lock()).await;
    yield_now().await; // returns it
    let (mut parcels, _parcels) = hold("parcels", state.parcels.lock()).await;
    parcels.extend(labels.pop());
}

async fn lock_twice(state: Shared) {
    let (_first, _held) = hold("parcels", state.parcels.lock()).await;
    let _ = hold("parcels", state.parcels.lock()).await;
}

async fn two_permits(state: Shared) {
    let (_first, _held) = hold("carrier", state.carrier.acquire()).await;
    yield_now().await; // the other task has one, too
    let _ = hold("carrier", state.carrier.acquire()).await;
}

/// The first future gets the lock, and is not polled while the second waits.
async fn not_polled(state: Shared) {
    let mut first = pin!(hold("parcels", state.parcels.lock()));
    tokio::select! {
        biased;
        _ = &mut first => unreachable!("another task has the lock"),
        () = yield_now() => {
            let _ = hold("parcels", state.parcels.lock()).await;
        }
    }
}

async fn keep(state: Shared) {
    let (_parcels, _held) = hold("parcels", state.parcels.lock()).await;
    pending().await
}

async fn wait_for_parcels(state: Shared) {
    let _ = hold("parcels", state.parcels.lock()).await;
}

/// Blocks its thread, as a std lock does, until `end` is dropped.
fn block(end: std::sync::mpsc::Receiver<()>) {
    end.recv().expect_err("nothing is sent");
}

async fn send_parcels(state: Shared, tx: sync::mpsc::Sender<u32>) {
    let (parcels, _held) = hold("parcels", state.parcels.lock()).await;
    for parcel in parcels.iter() {
        let (sent, _) = hold("events", tx.send(*parcel)).await;
        sent.expect("the receiver lives");
    }
}

async fn receive_parcels(state: Shared, mut rx: sync::mpsc::Receiver<u32>) {
    wait_for_parcels(state).await;
    rx.recv().await;
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let mut log = Log::new();
    // ANCHOR: start
    thread::spawn(|| watchdog(LIMIT));
    // ANCHOR_END: start
    let state = Arc::new(State {
        parcels: sync::Mutex::new(vec![7, 8]),
        labels: sync::Mutex::new(vec![9]),
        carrier: Semaphore::new(2),
    });
    let (parcels, labels, carrier) = ("parcels", "labels", "carrier");

    add_label(state.clone()).await?;
    remove_label(state.clone()).await;
    assert_eq!(*state.parcels.lock().await, [7, 8]);
    assert_eq!(*state.labels.lock().await, [9]);
    assert!(entries().is_empty());

    let mut tasks = Tasks::default();
    let adds = add_label(state.clone());
    tasks.spawn(async { adds.await.expect("the carrier is open") });
    tasks.spawn(remove_label(state.clone()));
    let lines = [
        (0, false, parcels),
        (0, true, labels),
        (1, false, labels),
        (1, true, parcels),
    ];
    log.has("two orders", tasks, &lines).await;

    let mut tasks = Tasks::default();
    tasks.spawn(lock_twice(state.clone()));
    let lines = [(0, false, parcels), (0, true, parcels)];
    log.has("lock twice", tasks, &lines).await;

    let mut tasks = Tasks::default();
    tasks.spawn(two_permits(state.clone()));
    tasks.spawn(two_permits(state.clone()));
    let lines = [(0, false), (0, true), (1, false), (1, true)];
    let lines = lines.map(|(task, waits)| (task, waits, carrier));
    log.has("two permits", tasks, &lines).await;

    let (tx, rx) = channel(1);
    let mut tasks = Tasks::default();
    tasks.spawn(send_parcels(state.clone(), tx));
    tasks.spawn(receive_parcels(state.clone(), rx));
    let lines = [(0, false, parcels), (0, true, "events"), (1, true, parcels)];
    log.has("full channel", tasks, &lines).await;

    let guard = state.parcels.lock().await;
    let mut tasks = Tasks::default();
    tasks.spawn(not_polled(state.clone()));
    while entries().len() < 2 {
        yield_now().await;
    }
    assert!(entries().keys().eq(&[0, 1]), "the older one first");
    drop(guard);
    let lines = [(0, true, parcels); 2];
    log.has("not polled", tasks, &lines).await;
    assert!(state.parcels.try_lock().is_ok());

    let mut tasks = Tasks::default();
    tasks.spawn(keep(state.clone()));
    tasks.spawn(keep(state.clone()));
    let lines = [(0, false, parcels), (1, true, parcels)];
    log.has("slow", tasks, &lines).await;

    many(&mut log, state.clone()).await;
    short_waits(&mut log, state.clone()).await;

    let panics = tokio::spawn(async move {
        let (_parcels, _held) = hold("parcels", state.parcels.lock()).await;
        resume_unwind(Box::new("a comma in the address"))
    });
    assert!(panics.await.is_err_and(|error| error.is_panic()));
    assert!(entries().is_empty());
    println!("panics: nothing is left");

    let (end, ended) = std::sync::mpsc::channel();
    let mut tasks = Tasks::default();
    tasks.spawn(async {
        hold("labels", async { block(ended) }).await;
    });
    let id = tasks.ids[0].clone();
    let line = format!("name=\"labels\" holds=false task={id} ");
    let reader = thread::spawn(move || {
        while !log.0.blocking_recv().is_some_and(|text| text.contains(&line)) {}
        drop(end);
    });
    tasks.set.join_next().await.expect("a task")?;
    reader.join().expect("no panic");
    println!("blocked runtime: logged");
    Ok(())
}

/// The lines that hold are logged, and the oldest that wait.
async fn many(log: &mut Log, state: Shared) {
    let mut tasks = Tasks::default();
    for _ in 0..30 {
        tasks.spawn(keep(state.clone()));
    }
    tasks.spawn(async move {
        let (_first, _held) = hold("labels", state.labels.lock()).await;
        let _ = hold("labels", state.labels.lock()).await;
    });
    let youngest = (30, false, "labels");
    let start = Instant::now();
    let mut found = BTreeMap::new();
    while found.get(&youngest) != Some(&3) {
        let Some(line) = tasks.parse(&log.line().await) else { continue };
        if line == youngest && !found.contains_key(&youngest) {
            found.clear(); // before, the labels may not have been stuck
        }
        *found.entry(line).or_insert(0) += 1;
    }
    assert!(start.elapsed() > 3 * LIMIT, "it looks once in the limit");
    println!("many: {} lines", found.len());
    let oldest = (0..19).map(|task| (task, task > 0, "parcels"));
    assert!(found.into_keys().eq(oldest.chain([youngest])));
    tasks.abort().await;
}

/// Whatever is logged has waited for longer than the limit.
async fn short_waits(log: &mut Log, state: Shared) {
    let mut tasks = Tasks::default();
    tasks.spawn(lock_twice(state.clone()));
    for _ in 0..2 {
        let state = state.clone();
        tasks.spawn(async move {
            loop {
                let (_labels, _held) =
                    hold("labels", state.labels.lock()).await;
                sleep(LIMIT / 20).await;
            }
        });
    }
    let mut looks = 0;
    while looks < 3 {
        let text = log.line().await;
        let Some((task, waits, _)) = tasks.parse(&text) else { continue };
        looks += u32::from(task == 0 && waits);
        assert!(!waits || seconds(&text) > LIMIT.as_secs_f64(), "{text}");
    }
    println!("short waits: not logged");
    tasks.abort().await;
}
// ANCHOR_END: all
