// ANCHOR: all
use std::sync::Mutex;
use std::time::Duration;

use tokio::time::{Instant, sleep};

const SECOND: Duration = Duration::from_secs(1);

/// Sends a word to a customer, in two seconds.
async fn send(word: &'static str) -> &'static str {
    sleep(2 * SECOND).await;
    word
}

struct Apart {
    city: Mutex<&'static str>,
    status: Mutex<&'static str>,
}

struct Together(Mutex<(&'static str, &'static str)>);

impl Apart {
    async fn report(&self) -> (&'static str, &'static str) {
        // ANCHOR: broken
        let city = *self.city.lock().expect("not poisoned");
        let city = send(city).await;
        let status = *self.status.lock().expect("not poisoned");
        let status = send(status).await;
        // ANCHOR_END: broken
        (city, status)
    }

    fn scan(&self) {
        *self.city.lock().expect("not poisoned") = "Oslo";
        *self.status.lock().expect("not poisoned") = "delivered";
    }
}

impl Together {
    async fn report(&self) -> (&'static str, &'static str) {
        // ANCHOR: fixed
        let (city, status) = *self.0.lock().expect("not poisoned");
        let city = send(city).await;
        let status = send(status).await;
        // ANCHOR_END: fixed
        (city, status)
    }

    fn scan(&self) {
        *self.0.lock().expect("not poisoned") = ("Oslo", "delivered");
    }
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let parcel = Apart { city: "Rome".into(), status: "on its way".into() };
    let (sent, ()) = tokio::join!(parcel.report(), async {
        sleep(SECOND).await;
        parcel.scan();
    });
    println!("two locks: {sent:?}");
    assert_eq!(sent, ("Rome", "delivered"));

    let parcel = Together(("Rome", "on its way").into());
    let start = Instant::now();
    let (sent, ()) = tokio::join!(parcel.report(), async {
        sleep(SECOND).await;
        parcel.scan();
    });
    println!("one lock: {sent:?}");
    assert_eq!(sent, ("Rome", "on its way"));
    assert_eq!(start.elapsed(), 4 * SECOND);
    assert_eq!(parcel.report().await, ("Oslo", "delivered"));
}
// ANCHOR_END: all
