// ANCHOR: all
use std::collections::HashMap;
use std::future::Future;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::future::{BoxFuture, FutureExt, Shared, TryFutureExt, join_all};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::task::AbortOnDropHandle;

type Flight = Shared<BoxFuture<'static, Result<f64, Arc<anyhow::Error>>>>;

// ANCHOR: flights
struct Rates {
    flights: Mutex<HashMap<String, (Instant, Flight)>>,
    time_to_live: Duration,
    capacity: usize,
}
// ANCHOR_END: flights

impl Rates {
    // ANCHOR: get
    fn get<F>(&self, currency: &str, ask: F) -> Flight
    where
        F: Future<Output = anyhow::Result<f64>> + Send + 'static,
    {
        let mut flights = self.flights.lock().expect("never poisoned");
        // ANCHOR: reuse
        if let Some((begun, flight)) = flights.get(currency) {
            let failed = matches!(flight.peek(), Some(Err(_)));
            if !failed && begun.elapsed() < self.time_to_live {
                return flight.clone();
            }
        }
        // ANCHOR_END: reuse
        flights.remove(currency); // too old, or failed
        if flights.len() >= self.capacity {
            let oldest = flights.iter().min_by_key(|(_, (begun, _))| begun);
            if let Some(oldest) = oldest.map(|(currency, _)| currency.clone()) {
                flights.remove(&oldest);
            }
        }
        // ANCHOR: ask
        let task = AbortOnDropHandle::new(tokio::spawn(ask));
        // ANCHOR_END: ask
        // ANCHOR: shared
        let flight = async { task.await? }.map_err(Arc::new).boxed().shared();
        flights.insert(currency.into(), (Instant::now(), flight.clone()));
        flight
        // ANCHOR_END: shared
    }
    // ANCHOR_END: get
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let time_to_live = Duration::from_secs(60);
    let flights = Mutex::default();
    let rates = Rates { flights, time_to_live, capacity: 100 };
    static REQUESTS: AtomicU32 = AtomicU32::new(0);
    let bank = |answer: Result<f64, &'static str>| async move {
        REQUESTS.fetch_add(1, Relaxed);
        sleep(Duration::from_millis(50)).await;
        answer.map_err(anyhow::Error::msg)
    };

    let start = Instant::now();
    let askers = (0..10_000).map(|_| rates.get("EUR", bank(Ok(1.08))));
    let answers = join_all(askers.map(tokio::spawn)).await;
    assert!(answers.iter().all(|rate| matches!(rate, Ok(Ok(1.08)))));
    assert_eq!(start.elapsed(), Duration::from_millis(50));
    assert_eq!(REQUESTS.swap(0, Relaxed), 1);
    println!("{} answers from one request", answers.len());

    // ANCHOR: failure
    let down = || bank(Err("the bank is down"));
    let answers = join_all((0..20).map(|_| rates.get("JPY", down()))).await;
    assert!(answers.iter().all(|answer| answer.is_err()));
    assert_eq!(REQUESTS.swap(0, Relaxed), 1);
    assert!(rates.get("JPY", bank(Ok(0.006))).await.is_ok(), "not kept");
    assert_eq!(REQUESTS.swap(0, Relaxed), 1);
    println!("{} failures from one request", answers.len());
    // ANCHOR_END: failure

    // ANCHOR: cancel
    let ask = || rates.get("GBP", bank(Ok(1.17)));
    let first = timeout(Duration::from_millis(10), ask());
    let (first, second) = tokio::join!(first, ask());
    assert!(first.is_err() && second.is_ok(), "the request went on");
    assert_eq!(REQUESTS.swap(0, Relaxed), 1);
    // ANCHOR_END: cancel

    // ANCHOR: bound
    sleep(Duration::from_secs(60)).await;
    let rate = rates.get("EUR", bank(Ok(1.09))).await;
    assert!(matches!(rate, Ok(1.09)), "the old rate had expired");
    let ask = |n| rates.get(&format!("coin {n}"), bank(Ok(0.0)));
    let answers = join_all((0..1_000).map(ask)).await;
    assert!(answers.iter().all(|answer| answer.is_ok()));
    assert_eq!(rates.flights.lock().expect("never poisoned").len(), 100);
    assert_eq!(REQUESTS.swap(0, Relaxed), 1_001);
    (1_000..2_000).for_each(|n| drop(ask(n))); // nobody waits
    sleep(Duration::from_secs(1)).await;
    assert_eq!(REQUESTS.load(Relaxed), 100, "the others were never asked");
    // ANCHOR_END: bound
}
// ANCHOR_END: all
