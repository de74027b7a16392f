// ANCHOR: all
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use futures::future::join_all;
use tokio::sync::{Notify, Semaphore};
use tokio::time::{Instant, sleep};

const MINUTE: Duration = Duration::from_secs(60);

/// A patient a minute: how urgent, and who.
const PATIENTS: [(u8, &str); 5] =
    [(3, "cat"), (3, "mouse"), (3, "hen"), (3, "rabbit"), (1, "snake")];

/// Two may wait in here. A map has two ends.
struct Room {
    waiting: Mutex<BTreeMap<(u8, usize), &'static str>>,
    came: Notify,
    places: Semaphore,
}

impl Room {
    fn new() -> Self {
        let (waiting, came) = (Mutex::default(), Notify::new());
        Self { waiting, came, places: Semaphore::new(2) }
    }

    // ANCHOR: broken
    /// Broken: whoever waits at the door waits for everybody before him.
    async fn queue_up(&self, number: usize) {
        self.places.acquire().await.expect("never closed").forget();
        let (urgency, patient) = PATIENTS[number];
        let mut waiting = self.waiting.lock().expect("never poisoned");
        waiting.insert((urgency, number), patient);
        self.came.notify_one();
    }
    // ANCHOR_END: broken

    // ANCHOR: fixed
    /// Fixed: if there is one too many, the least urgent is sent away.
    fn enter(&self, number: usize) -> Option<&'static str> {
        let (urgency, patient) = PATIENTS[number];
        let mut waiting = self.waiting.lock().expect("never poisoned");
        waiting.insert((urgency, number), patient);
        self.came.notify_one();
        let one_too_many = waiting.len() > 2;
        let (_, patient) = one_too_many.then(|| waiting.pop_last())??;
        Some(patient)
    }
    // ANCHOR_END: fixed

    /// The vet, up to the snake. There is one, so he may look, then listen.
    async fn treat(&self) -> u64 {
        let start = Instant::now();
        loop {
            let first =
                self.waiting.lock().expect("never poisoned").pop_first();
            match first {
                Some((_, "snake")) => return start.elapsed().as_secs() / 60,
                Some(_) => {
                    self.places.add_permits(1);
                    sleep(10 * MINUTE).await;
                }
                None => self.came.notified().await,
            }
        }
    }
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let come = async |number: usize| sleep(number as u32 * MINUTE).await;

    let room = Room::new();
    let door = join_all((0..5).map(async |number| {
        come(number).await;
        room.queue_up(number).await;
    }));
    let (minute, _) = tokio::join!(room.treat(), door);
    println!("a queue at the door: the snake's turn at {minute} min");
    assert_eq!(minute, 30);

    let room = Room::new();
    let door = join_all((0..5).map(async |number| {
        come(number).await;
        room.enter(number)
    }));
    let (minute, sent_away) = tokio::join!(room.treat(), door);
    let sent_away: Vec<_> = sent_away.into_iter().flatten().collect();
    println!("{sent_away:?} sent away: at {minute} min");
    assert_eq!((minute, sent_away), (10, vec!["rabbit", "hen"]));
}
// ANCHOR_END: all
