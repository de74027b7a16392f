// ANCHOR: all
// ANCHOR: keep
use std::future::Future;
use std::pin::pin;

use anyhow::Result;
use async_stream::try_stream;
use futures::stream::{Stream, TryStreamExt, try_unfold};
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;

/// A parcel, and the city where it was scanned.
type Event = (u32, String);

/// Reads one event after the other. `None` is the end.
trait Scanner {
    fn read(&mut self) -> impl Future<Output = Result<Option<Event>>> + Send;
}

// ANCHOR: macro
/// An async generator.
fn events(mut scanner: impl Scanner) -> impl Stream<Item = Result<Event>> {
    try_stream! {
        while let Some(event) = scanner.read().await? {
            yield event;
        }
    }
}
// ANCHOR_END: macro

// ANCHOR: unfold
/// The same without a macro: the scanner is the state between two items.
fn unfolded(scanner: impl Scanner) -> impl Stream<Item = Result<Event>> {
    try_unfold(scanner, |mut scanner| async {
        let event = scanner.read().await?;
        Ok(event.map(|event| (event, scanner)))
    })
}
// ANCHOR_END: unfold

// ANCHOR: produce
/// Items that a task sends. Its error or panic is the last item.
fn produce<T, F>(
    capacity: usize,
    producer: impl FnOnce(mpsc::Sender<T>) -> F + Send + 'static,
) -> impl Stream<Item = Result<T>>
where
    T: Send + 'static,
    F: Future<Output = Result<()>> + Send,
{
    let (tx, mut rx) = mpsc::channel(capacity);
    let producer = async move { producer(tx).await }; // it may panic here
    let task = AbortOnDropHandle::new(tokio::spawn(producer));
    try_stream! {
        while let Some(item) = rx.recv().await {
            yield item;
        }
        task.await??;
    }
}
// ANCHOR_END: produce

// ANCHOR: consume
/// The city where a parcel was scanned first, or the error before that.
async fn first_city(
    events: impl Stream<Item = Result<Event>>,
    parcel: u32,
) -> Result<Option<String>> {
    let mut events = pin!(events);
    while let Some((id, city)) = events.try_next().await? {
        if id == parcel {
            return Ok(Some(city));
        }
    }
    Ok(None)
}
// ANCHOR_END: consume
// ANCHOR_END: keep

// A scanner that reads an event a second, and what must come of it.
use std::future::{pending, ready};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use anyhow::bail;
use futures::future::FutureExt;
use futures::stream::{BoxStream, StreamExt, unfold};
use tokio::task::JoinError;
use tokio::time::{Instant, sleep, timeout};

const SECOND: Duration = Duration::from_secs(1);

/// Parcels 1 to 5, and how it ends. The `Arc` counts what it has read, and
/// shows whether it is dropped.
struct Belt {
    end: &'static str,
    reads: Arc<AtomicU32>,
}

impl Scanner for Belt {
    async fn read(&mut self) -> Result<Option<Event>> {
        sleep(SECOND).await;
        let parcel = self.reads.fetch_add(1, Relaxed) + 1;
        match (parcel, self.end) {
            (..6, _) => Ok(Some((parcel, "Hamburg".to_owned()))),
            (_, "fails") => bail!("the scanner fails"),
            (_, "panics") => panic!("a comma in the city"),
            (_, "hangs") => pending().await,
            (..) => Ok(None),
        }
    }
}

/// A stream, and what its scanner has read.
struct Case {
    events: BoxStream<'static, Result<Event>>,
    reads: Arc<AtomicU32>,
}

impl Case {
    fn reads(&self) -> u32 {
        self.reads.load(Relaxed)
    }

    async fn next(&mut self) -> Option<Result<Event>> {
        self.events.next().await
    }
}

/// The three ways to make a stream of a scanner.
const WAYS: [&str; 3] = ["try_stream!", "try_unfold", "produce"];

fn case(way: &'static str, end: &'static str) -> Case {
    let reads = Arc::new(AtomicU32::new(0));
    let scanner = Belt { end, reads: Arc::clone(&reads) };
    let events = match way {
        "try_stream!" => events(scanner).boxed(),
        "try_unfold" => unfolded(scanner).boxed(),
        _ => read_ahead(scanner).boxed(),
    };
    Case { events, reads }
}

fn read_ahead(mut scanner: Belt) -> impl Stream<Item = Result<Event>> {
    // ANCHOR: call
    let events = produce(2, |tx| async move {
        while let Some(event) = scanner.read().await? {
            tx.send(event).await?; // waits while two are in the channel
        }
        Ok(())
    });
    // ANCHOR_END: call
    events
}

/// How many events there are, and how it ends.
async fn drain(case: &mut Case) -> (u32, String) {
    let mut count = 0;
    let end = loop {
        match case.next().await {
            None => break "no error".to_owned(),
            Some(Ok((parcel, _))) => {
                count += 1;
                assert_eq!(parcel, count, "in order, and none twice");
            }
            Some(Err(error)) if error.is::<JoinError>() => {
                break "the scanner panics".to_owned();
            }
            Some(Err(error)) => break error.to_string(),
        }
    };
    assert!(case.next().await.is_none(), "the end stays the end");
    (count, end)
}

async fn ends() {
    for (end, expected) in [("", "no error"), ("fails", "the scanner fails")] {
        for way in WAYS {
            let mut case = case(way, end);
            let start = Instant::now();
            let (count, end) = drain(&mut case).await;
            println!("{way}: {count} events, {end}");
            assert_eq!((count, end.as_str()), (5, expected));
            assert_eq!(start.elapsed(), 6 * SECOND);
            assert_eq!(case.reads(), 6);
        }
    }
    for way in WAYS {
        let mut case = case(way, "panics");
        let drained = AssertUnwindSafe(drain(&mut case)).catch_unwind().await;
        let end = match drained {
            Ok((count, end)) => format!("{count} events, {end}"),
            Err(_) => "the scanner panics, and so does the consumer".to_owned(),
        };
        println!("{way}: {end}");
        match way {
            "produce" => assert_eq!(end, "5 events, the scanner panics"),
            _ => {
                assert_eq!(end, "the scanner panics, and so does the consumer")
            }
        }
    }
}

async fn consumers() -> Result<()> {
    for way in WAYS {
        let Case { events, reads } = case(way, "hangs");
        let city = first_city(events, 2).await?;
        assert_eq!(city.as_deref(), Some("Hamburg"));
        let at_once = Arc::strong_count(&reads) == 1;
        sleep(60 * SECOND).await;
        println!("found, {way}: reads: {reads:?}, dropped at once: {at_once}");
        assert_eq!(at_once, way != "produce");
        assert_eq!(Arc::strong_count(&reads), 1);
        assert_eq!(reads.load(Relaxed), 2);
    }
    for way in WAYS {
        assert_eq!(first_city(case(way, "").events, 9).await?, None);
        assert!(first_city(case(way, "fails").events, 9).await.is_err());
    }

    for way in WAYS {
        let mut case = case(way, "");
        let start = Instant::now();
        assert!(timeout(SECOND / 2, case.next()).await.is_err());
        let (parcel, _) = case.next().await.expect("an event")?;
        let seconds = start.elapsed().as_secs();
        println!("timeout, {way}: parcel {parcel} after {seconds} s");
        assert_eq!((parcel, seconds), (1, 1));
    }
    Ok(())
}

async fn backpressure() -> Result<()> {
    for way in WAYS {
        let mut case = case(way, "hangs");
        case.next().await.expect("an event")?;
        sleep(60 * SECOND).await;
        println!("a minute later, {way}: reads: {}", case.reads());
        // One is received, two are in the channel, and the producer has one.
        assert_eq!(case.reads(), if way == "produce" { 4 } else { 1 });
    }
    for way in WAYS {
        let case = case(way, "");
        sleep(60 * SECOND).await;
        println!("not polled, {way}: reads: {}", case.reads());
        assert_eq!(case.reads(), if way == "produce" { 3 } else { 0 });
    }
    for way in WAYS {
        let seconds = slow_consumer(case(way, "").events).await;
        println!("slow, {way}: {seconds} s");
        assert_eq!(seconds, if way == "produce" { 6 } else { 11 });
    }
    Ok(())
}

/// Works a second on each event.
async fn slow_consumer(events: impl Stream<Item = Result<Event>>) -> u64 {
    let start = Instant::now();
    let mut events = pin!(events);
    while let Some(Ok(_)) = events.next().await {
        sleep(SECOND).await;
    }
    start.elapsed().as_secs()
}

async fn adapters() -> Result<()> {
    let reads = Arc::new(AtomicU32::new(0));
    let scanner = Belt { end: "", reads: Arc::clone(&reads) };
    // ANCHOR: adapters
    let parcels = events(scanner)
        .map_ok(|(parcel, _)| parcel)
        .try_filter(|parcel| ready(parcel.is_multiple_of(2)))
        .take(2);
    assert_eq!(reads.load(Relaxed), 0); // nothing runs before the await
    let parcels: Vec<u32> = parcels.try_collect().await?;
    // ANCHOR_END: adapters
    println!("adapters: {parcels:?} from {reads:?} reads");
    assert_eq!((parcels, reads.load(Relaxed)), (vec![2, 4], 4));
    Ok(())
}

/// `unfold`, without `try_`, must not be polled after its end.
async fn after_the_end() {
    let one = || unfold(1, |left| ready((left > 0).then_some((7, left - 1))));
    let mut events = one();
    assert_eq!((events.next().await, events.next().await), (Some(7), None));
    let again = AssertUnwindSafe(events.next()).catch_unwind().await;
    assert!(again.is_err());
    let mut events = one().fuse();
    while events.next().await.is_some() {}
    assert_eq!(events.next().await, None);
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> Result<()> {
    // The producer panics before there is a future.
    let broken = |_: mpsc::Sender<u32>| -> std::future::Ready<Result<()>> {
        panic!("no scanner")
    };
    let end = pin!(produce(2, broken)).next().await;
    assert!(matches!(end, Some(Err(error)) if error.is::<JoinError>()));

    ends().await;
    consumers().await?;
    backpressure().await?;
    adapters().await?;
    after_the_end().await;
    Ok(())
}
// ANCHOR_END: all
