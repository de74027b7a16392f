// ANCHOR: all
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep, sleep_until};

const MINUTE: Duration = Duration::from_secs(60);

type Patient = &'static str;

#[derive(Default)]
struct Room {
    waiting: Mutex<Waiting>,
    came: Notify,
}

// ANCHOR: waiting
#[derive(Default)]
struct Waiting {
    /// By urgency, then by number. On top of a heap is the greatest: hence
    /// `Reverse`.
    heap: BinaryHeap<Reverse<(u8, u64, Patient)>>,
    number: u64,
    closed: bool,
}
// ANCHOR_END: waiting

impl Room {
    // ANCHOR: enter
    /// Who comes too late comes back.
    fn enter(&self, urgency: u8, patient: Patient) -> Result<(), Patient> {
        let mut waiting = self.waiting.lock().expect("never poisoned");
        if waiting.closed {
            return Err(patient);
        }
        waiting.number += 1;
        let place = (urgency, waiting.number, patient);
        waiting.heap.push(Reverse(place));
        self.came.notify_one();
        Ok(())
    }
    // ANCHOR_END: enter

    // ANCHOR: next
    /// The most urgent; `None` when the room is closed and empty.
    async fn next(&self) -> Option<Patient> {
        loop {
            // First listen, then look.
            let mut came = pin!(self.came.notified());
            came.as_mut().enable();
            {
                let mut waiting = self.waiting.lock().expect("never poisoned");
                if let Some(Reverse((_, _, patient))) = waiting.heap.pop() {
                    return Some(patient);
                }
                if waiting.closed {
                    return None;
                }
            }
            came.await;
        }
    }
    // ANCHOR_END: next

    fn close(&self) {
        self.waiting.lock().expect("never poisoned").closed = true;
        self.came.notify_waiters();
    }
}

async fn treat(_patient: Patient) {
    sleep(10 * MINUTE).await;
}

// ANCHOR: vet
async fn vet(room: Arc<Room>, start: Instant) -> Vec<(u64, Patient)> {
    let mut treated = Vec::new();
    while let Some(patient) = room.next().await {
        treated.push((start.elapsed().as_secs() / 60, patient));
        treat(patient).await;
    }
    treated
}
// ANCHOR_END: vet

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    let (room, start) = (Arc::new(Room::default()), Instant::now());
    let vet = tokio::spawn(vet(room.clone(), start));
    // ANCHOR: patients
    for (minute, urgency, patient) in
        [(1, 3, "cat"), (2, 2, "dog"), (3, 2, "parrot"), (4, 1, "snake")]
    {
        sleep_until(start + minute * MINUTE).await;
        assert_eq!(room.enter(urgency, patient), Ok(()));
    }
    // ANCHOR_END: patients
    room.close();
    assert_eq!(room.enter(1, "horse"), Err("horse"));
    let treated = vet.await?;
    println!("{treated:?}");
    let order = [(1, "cat"), (11, "snake"), (21, "dog"), (31, "parrot")];
    assert_eq!(treated, order);
    Ok(())
}
// ANCHOR_END: all
