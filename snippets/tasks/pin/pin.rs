// ANCHOR: all
// ANCHOR: keep
use std::future::Future;
use std::pin::{Pin, pin};
use std::time::Duration;

use anyhow::{Result, bail};
use futures::future::{Fuse, FusedFuture, FutureExt};
use futures::stream::{BoxStream, Stream, StreamExt};
use tokio::time::{Instant, Sleep, sleep};

// ANCHOR: feed
/// The events of a carrier. `next` fails if none comes for `silence`.
struct Feed<T> {
    events: BoxStream<'static, T>,
    timer: Pin<Box<Sleep>>,
    silence: Duration,
}

impl<T> Feed<T> {
    fn new(
        events: impl Stream<Item = T> + Send + 'static,
        silence: Duration,
    ) -> Self {
        let (events, timer) = (events.fuse().boxed(), Box::pin(sleep(silence)));
        Feed { events, timer, silence }
    }

    /// The next event, or `None` at the end. Cancel-safe.
    async fn next(&mut self) -> Result<Option<T>> {
        tokio::select! {
            biased; // an event that is there comes before the timer
            event = self.events.next() => {
                self.timer.as_mut().reset(Instant::now() + self.silence);
                Ok(event)
            }
            () = &mut self.timer => bail!("no event for {:?}", self.silence),
        }
    }
}
// ANCHOR_END: feed

/// Saves the newest event, one at a time, and reads on while a save runs.
///
/// After an error it reads no more, saves the newest event, and returns.
async fn save_newest<T, F: Future<Output = Result<()>>>(
    mut feed: Feed<T>,
    mut save: impl FnMut(T) -> F,
) -> Result<()> {
    let mut saving = pin!(Fuse::terminated()); // no save runs yet
    let (mut newest, mut open, mut outcome) = (None, true, Ok(()));
    loop {
        // ANCHOR: start
        if saving.is_terminated() {
            match newest.take() {
                Some(event) => saving.set(save(event).fuse()),
                None if open => {}
                None => return outcome,
            }
        }
        // ANCHOR_END: start
        // ANCHOR: wait
        tokio::select! {
            event = feed.next(), if open => match event {
                Ok(Some(event)) => newest = Some(event),
                Ok(None) => open = false,
                Err(error) => (open, outcome) = (false, Err(error)),
            },
            result = &mut saving, if !saving.is_terminated() => {
                open &= result.is_ok();
                outcome = outcome.and(result); // the first error
            }
        }
        // ANCHOR_END: wait
    }
}
// ANCHOR_END: keep

// A carrier that sends an event a second, and what must come of it.
use std::cell::Cell;
use std::future::pending;
use std::ptr::from_ref;
use std::sync::{Arc, Mutex};

use futures::{poll, stream};
use tokio::task::yield_now;
use tokio::time::timeout;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

/// Events 1 to `last`, one a second. Then it is silent, or ends.
fn scans(last: u32, silent: bool) -> impl Stream<Item = u32> + Send {
    stream::unfold(0, move |event| async move {
        if event == last && silent {
            pending::<()>().await;
        }
        sleep(SECOND).await;
        (event < last).then_some((event + 1, event + 1))
    })
}

/// Where the newest event is saved. A save takes a while.
#[derive(Clone, Default)]
struct Store(Arc<Mutex<(Vec<u32>, usize)>>);

/// A save that runs: it has a connection until it is dropped.
struct Conn(Store);

impl Drop for Conn {
    fn drop(&mut self) {
        self.0.0.lock().expect("no panic within").1 -= 1;
    }
}

impl Store {
    fn connect(&self) -> Conn {
        let mut store = self.0.lock().expect("no panic within");
        store.1 += 1;
        assert_eq!(store.1, 1, "one save at a time");
        Conn(self.clone())
    }

    fn saved(&self) -> Vec<u32> {
        self.0.lock().expect("no panic within").0.clone()
    }

    fn conns(&self) -> usize {
        self.0.lock().expect("no panic within").1
    }

    async fn save(&self, event: u32) -> Result<()> {
        let _conn = self.connect();
        sleep(5 * SECOND / 2).await;
        self.0.lock().expect("no panic within").0.push(event);
        Ok(())
    }
}

#[derive(Clone, Copy)]
enum Act {
    Fail,
    Panic,
    Hang,
}

/// How a run ends in which the saves of some events act in another way.
async fn run(
    feed: Feed<u32>,
    store: &Store,
    acts: &'static [(u32, Act)],
) -> String {
    let saves = store.clone();
    let save = move |event| {
        let store = saves.clone();
        async move {
            let act = acts.iter().find(|(when, _)| *when == event);
            let Some((_, act)) = act else { return store.save(event).await };
            let _conn = store.connect();
            sleep(SECOND).await;
            match act {
                Act::Fail => bail!("event {event} is not saved"),
                Act::Panic => panic!("no column for event {event}"),
                Act::Hang => pending().await,
            }
        }
    };
    let task = tokio::spawn(save_newest(feed, save));
    match timeout(60 * MINUTE, task).await {
        Err(_) => "runs after an hour".into(),
        Ok(Ok(Ok(()))) => "ended".into(),
        Ok(Ok(Err(error))) => error.to_string(),
        Ok(Err(error)) if error.is_panic() => "a panic".into(),
        Ok(Err(error)) => error.to_string(),
    }
}

/// Notes the address of a variable that it borrows across an await.
async fn borrows(address: &Cell<usize>) -> usize {
    let parcels = [7, 13, 99];
    let slice = &parcels[1..];
    address.set(from_ref(&parcels).addr());
    yield_now().await;
    slice.len()
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> Result<()> {
    let (events, store) = (scans(5, false), &Store::default());
    let start = Instant::now();
    // ANCHOR: call
    let feed = Feed::new(events, Duration::from_secs(60));
    let limit = Duration::from_secs(5); // of one save
    let save = |event| async move {
        timeout(limit, store.save(event)).await? // a timeout, or its result
    };
    save_newest(feed, save).await?;
    // ANCHOR_END: call
    println!("ends: saved {:?} in {:?}", store.saved(), start.elapsed());
    assert_eq!(store.saved(), [1, 3, 5]);
    assert_eq!(start.elapsed(), 17 * SECOND / 2);

    const FAIL_3: (u32, Act) = (3, Act::Fail);
    const FAIL_4: (u32, Act) = (4, Act::Fail);
    const FAIL_5: (u32, Act) = (5, Act::Fail);
    for (case, last, acts, end, saved) in [
        ("silent", 4, &[][..], "no event for 1.5s", &[1, 3, 4][..]),
        ("silent, fails", 4, &[FAIL_4], "no event for 1.5s", &[1, 3]),
        ("a save fails", 5, &[FAIL_3], "event 3 is not saved", &[1, 4]),
        ("two fail", 5, &[FAIL_3, FAIL_4], "event 3 is not saved", &[1]),
        ("the last fails", 5, &[FAIL_5], "event 5 is not saved", &[1, 3]),
        ("a save panics", 5, &[(3, Act::Panic)], "a panic", &[1]),
        ("a save hangs", 5, &[(3, Act::Hang)], "runs after an hour", &[1]),
    ] {
        let (store, silent) = (Store::default(), last == 4);
        let feed = Feed::new(scans(last, silent), 3 * SECOND / 2);
        let found = run(feed, &store, acts).await;
        println!("{case}: {found}, saved: {:?}", store.saved());
        assert_eq!((found.as_str(), &store.saved()[..]), (end, saved));
    }

    // The caller gives up in the first save.
    let (store, feed) = (Store::default(), Feed::new(scans(5, false), MINUTE));
    let saved = save_newest(feed, |event| store.save(event));
    assert!(timeout(2 * SECOND, saved).await.is_err());
    let (saved, saves) = (store.saved(), store.conns());
    println!("cancelled: saved: {saved:?}, saves that run: {saves}");
    assert_eq!((saved.len(), saves), (0, 0));

    // Half read, the feed moves to a task. Nothing is lost on the way.
    let mut feed = Feed::new(scans(3, false), MINUTE);
    assert_eq!(feed.next().await?, Some(1));
    assert!(timeout(SECOND / 2, feed.next()).await.is_err());
    let reads = async move {
        let mut events = vec![];
        while let Some(event) = feed.next().await? {
            events.push(event);
        }
        assert_eq!(feed.next().await?, None, "it has ended");
        anyhow::Ok(events)
    };
    let events = tokio::spawn(reads).await??;
    println!("moved: {events:?}");
    assert_eq!(events, [2, 3]);

    // An event that came while the feed was not polled.
    for _ in 0..20 {
        let mut feed = Feed::new(stream::iter([7]), MINUTE);
        sleep(2 * MINUTE).await;
        assert_eq!(feed.next().await?, Some(7));
    }
    println!("not polled: event 7 after two minutes");

    let address = Cell::new(0);
    let future = Box::pin(borrows(&address));
    let start = from_ref(&*future).addr();
    let place = start..start + size_of_val(&*future);
    let mut moved = [future]; // moves the box, not the future
    assert!(poll!(&mut moved[0]).is_pending());
    let inside = place.contains(&address.get());
    println!("borrows: the variable is inside the future: {inside}");
    assert!(inside);
    let [future] = moved;
    assert_eq!(future.await, 2);

    // At a shutdown the stream ends, and the newest event is saved.
    let store = Store::default();
    let events = scans(5, false).take_until(sleep(5 * SECOND / 2));
    let feed = Feed::new(events, MINUTE);
    save_newest(feed, |event| store.save(event)).await?;
    assert_eq!(store.saved(), [1, 2]);
    Ok(())
}
// ANCHOR_END: all
