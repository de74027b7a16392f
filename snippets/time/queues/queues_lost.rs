// ANCHOR: all
use std::collections::BinaryHeap;
use std::pin::pin;
use std::sync::Mutex;
use std::time::Duration;

use tokio::sync::{Notify, Semaphore};
use tokio::task::yield_now;
use tokio::time::timeout;

const DAY: Duration = Duration::from_secs(86_400);

struct Room {
    waiting: Mutex<BinaryHeap<u8>>,
    bell: Notify,
    count: Semaphore,
}

impl Room {
    fn enter(&self, patient: u8) {
        self.waiting.lock().expect("never poisoned").push(patient);
        self.bell.notify_one();
        self.count.add_permits(1);
    }

    fn look(&self) -> Option<u8> {
        self.waiting.lock().expect("never poisoned").pop()
    }

    // ANCHOR: broken
    // Broken: two rings that nobody hears are one for whoever comes later.
    async fn listen(&self) -> Option<u8> {
        self.bell.notified().await;
        self.look()
    }

    // Broken: so are two rings between the look and the ear.
    async fn look_then_listen(&self) -> Option<u8> {
        loop {
            if let Some(patient) = self.look() {
                return Some(patient);
            }
            yield_now().await; // washes his hands
            self.bell.notified().await;
        }
    }
    // ANCHOR_END: broken

    // ANCHOR: fixed
    // Fixed: the ear is open before the look.
    async fn listen_then_look(&self) -> Option<u8> {
        loop {
            let mut bell = pin!(self.bell.notified());
            bell.as_mut().enable();
            if let Some(patient) = self.look() {
                return Some(patient);
            }
            yield_now().await;
            bell.await;
        }
    }

    // Fixed: no bell, but a count of those who are there.
    async fn count(&self) -> Option<u8> {
        self.count.acquire().await.ok()?.forget();
        self.look()
    }
    // ANCHOR_END: fixed
}

/// Two vets, two patients. How many patients are left after a day, if they come
/// first, and if the vets do?
async fn left(next: impl AsyncFn(&Room) -> Option<u8>) -> [usize; 2] {
    let mut left = [0, 0];
    for (case, left) in left.iter_mut().enumerate() {
        let (waiting, bell) = (Mutex::default(), Notify::new());
        let room = Room { waiting, bell, count: Semaphore::new(0) };
        let vet = || timeout(DAY, next(&room));
        let patients = async { [1, 2].map(|patient| room.enter(patient)) };
        if case == 0 {
            _ = tokio::join!(patients, vet(), vet());
        } else {
            _ = tokio::join!(vet(), vet(), patients);
        }
        *left = room.waiting.into_inner().expect("never poisoned").len();
    }
    left
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let broken = [left(Room::listen).await, left(Room::look_then_listen).await];
    println!("listen, or look then listen: {broken:?} left");
    assert_eq!(broken, [[1, 0], [0, 1]]);

    let fixed = [left(Room::listen_then_look).await, left(Room::count).await];
    println!("listen then look, or count: {fixed:?} left");
    assert_eq!(fixed, [[0, 0], [0, 0]]);
}
// ANCHOR_END: all
