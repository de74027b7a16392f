// ANCHOR: all
use std::collections::BinaryHeap;
use std::pin::pin;
use std::sync::Mutex;

use futures::poll;
use tokio::sync::Notify;

#[derive(Default)]
struct Room {
    heap: Mutex<BinaryHeap<u8>>,
    came: Notify,
}

impl Room {
    fn enter(&self, patient: u8) {
        self.heap.lock().expect("never poisoned").push(patient);
        self.came.notify_one();
    }

    async fn next(&self) -> u8 {
        loop {
            let mut came = pin!(self.came.notified());
            came.as_mut().enable();
            let patient = self.heap.lock().expect("never poisoned").pop();
            if let Some(patient) = patient {
                return patient;
            }
            came.await;
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let room = Room::default();
    let mut first = Box::pin(room.next());
    let mut second = pin!(room.next());
    assert!(poll!(&mut first).is_pending());
    assert!(poll!(&mut second).is_pending());

    // The bell is for the first vet, who goes home at that moment.
    room.enter(1);
    assert!(poll!(&mut second).is_pending());
    drop(first);
    let patient = second.await;
    println!("the second vet has patient {patient}");
    assert_eq!(patient, 1);
    assert!(room.heap.lock().expect("never poisoned").is_empty());
}
// ANCHOR_END: all
