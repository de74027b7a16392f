// ANCHOR: all
// ANCHOR: keep
use std::collections::HashMap;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::sync::broadcast::{self, error::RecvError};

type Statuses = HashMap<u32, Arc<str>>;

// ANCHOR: update
#[derive(Clone, Debug)]
enum Update {
    /// All parcels. It replaces what the subscriber has.
    Snapshot(Statuses),
    /// A parcel has this status now.
    Event(u32, Arc<str>),
}
// ANCHOR_END: update

/// The status of each parcel, and its changes for all subscribers.
struct Tracking {
    statuses: Arc<Mutex<Statuses>>,
    events_tx: broadcast::Sender<Update>,
}

/// Gets a snapshot, then each event, and a new snapshot if it was too slow.
struct Subscription {
    statuses: Arc<Mutex<Statuses>>,
    events_rx: broadcast::Receiver<Update>,
    is_behind: bool,
}

fn lock(statuses: &Mutex<Statuses>) -> MutexGuard<'_, Statuses> {
    statuses.lock().expect("no panic while it is locked")
}

impl Tracking {
    // ANCHOR: new
    fn new(capacity: usize) -> Self {
        let (events_tx, _) = broadcast::channel(capacity);
        Tracking { statuses: Arc::default(), events_tx }
    }
    // ANCHOR_END: new

    // ANCHOR: set
    fn set(&self, parcel: u32, status: Arc<str>) {
        let mut statuses = lock(&self.statuses);
        statuses.insert(parcel, Arc::clone(&status));
        // While it is locked, so that the events come in the same order.
        _ = self.events_tx.send(Update::Event(parcel, status));
    }
    // ANCHOR_END: set

    fn subscribe(&self) -> Subscription {
        let statuses = Arc::clone(&self.statuses);
        let events_rx = self.events_tx.subscribe();
        Subscription { statuses, events_rx, is_behind: true }
    }
}

impl Subscription {
    // ANCHOR: next
    /// `None` when `Tracking` has been dropped, and all is received.
    async fn next(&mut self) -> Option<Update> {
        if !mem::take(&mut self.is_behind) {
            match self.events_rx.recv().await {
                Ok(event) => return Some(event),
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return None,
            }
        }
        let statuses = lock(&self.statuses); // no event comes meanwhile
        self.events_rx = self.events_rx.resubscribe();
        Some(Update::Snapshot(statuses.clone()))
    }
    // ANCHOR_END: next
}
// ANCHOR_END: keep

// A writer, quick and slow subscribers, and what they must know.
use std::time::Duration;

use tokio::time::{sleep, timeout};

const SECOND: Duration = Duration::from_secs(1);

/// What a subscriber knows, and in which steps it has learned it.
#[derive(Debug, Default, PartialEq)]
struct Known {
    statuses: Statuses,
    snapshots: u32,
    events: u32,
}

impl Known {
    fn learn(&mut self, update: Update) {
        match update {
            Update::Snapshot(statuses) => {
                self.statuses = statuses;
                self.snapshots += 1;
            }
            Update::Event(parcel, status) => {
                self.statuses.insert(parcel, status);
                self.events += 1;
            }
        }
    }
}

/// Takes so much time for each update.
async fn follow(mut subscription: Subscription, time: Duration) -> Known {
    let mut known = Known::default();
    while let Some(update) = subscription.next().await {
        known.learn(update);
        sleep(time).await;
    }
    known
}

fn call() -> (Tracking, Subscription) {
    // ANCHOR: call
    let tracking = Tracking::new(64);
    let subscription = tracking.subscribe(); // for each client
    tracking.set(7, "in transit".into());
    // ANCHOR_END: call
    (tracking, subscription)
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let (tracking, mut subscription) = call();
    let first = subscription.next().await.expect("a snapshot");
    println!("called: {first:?}");
    assert!(matches!(&first, Update::Snapshot(all) if all.len() == 1));
    tracking.set(7, "delivered".into());
    let second = subscription.next().await.expect("an event");
    println!("called: {second:?}");
    assert!(matches!(second, Update::Event(7, _)));

    // Twelve parcels, one a second.
    // ANCHOR: slow
    let tracking = Tracking::new(4);
    let quick = tokio::spawn(follow(tracking.subscribe(), Duration::ZERO));
    let slow = tokio::spawn(follow(tracking.subscribe(), 3 * SECOND));
    for parcel in 1..=12 {
        sleep(SECOND).await;
        tracking.set(parcel, "received".into());
    }
    let all = lock(&tracking.statuses).clone();
    drop(tracking);
    // ANCHOR_END: slow
    for (case, end) in [("quick", quick), ("slow", slow)] {
        let known = end.await.expect("no panic");
        let Known { snapshots, events, .. } = known;
        println!("{case}: {snapshots} snapshots, {events} events");
        assert_eq!(known.statuses, all);
        assert_eq!((snapshots, events) == (1, 12), case == "quick");
    }

    let tracking = Tracking::new(4);
    tracking.set(0, "received".into()); // nothing is subscribed
    let mut never = tracking.subscribe();
    let mut cancelled = tracking.subscribe();
    assert!(cancelled.next().await.is_some());
    let mut late = None;
    for parcel in 1..=12 {
        // A call that is cancelled loses no update.
        assert!(timeout(SECOND, cancelled.next()).await.is_err());
        tracking.set(parcel, "received".into());
        let update = cancelled.next().await;
        let Some(Update::Event(seen, _)) = update else {
            panic!("{update:?}");
        };
        assert_eq!(seen, parcel);
        if parcel == 6 {
            let subscription = tracking.subscribe();
            late = Some(tokio::spawn(follow(subscription, Duration::ZERO)));
        }
    }
    println!("cancelled: 12 events");
    let all = lock(&tracking.statuses).clone();
    drop(tracking);

    let late = late.expect("after parcel 6").await.expect("no panic");
    println!("late: {} snapshots, {} events", late.snapshots, late.events);
    assert_eq!((late.snapshots, late.events, &late.statuses), (1, 6, &all));
    let last = never.next().await.expect("a snapshot");
    assert!(matches!(last, Update::Snapshot(last) if last == all));
    assert!(never.next().await.is_none());
    println!("never received: a snapshot, and the end");
    assert!(cancelled.next().await.is_none());
}
// ANCHOR_END: all
