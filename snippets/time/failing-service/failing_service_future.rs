// ANCHOR: all
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use tokio::task::{JoinHandle, yield_now};

/// A breaker that is open, or has let the request through.
struct Breaker {
    open: bool,
}

// ANCHOR: broken
impl Breaker {
    async fn call<T>(&self, request: impl Future<Output = T>) -> Option<T> {
        if self.open { None } else { Some(request.await) }
    }
}

async fn refused(breaker: &Breaker, carrier: &Carrier) -> bool {
    breaker.call(carrier.track()).await.is_none()
}
// ANCHOR_END: broken

// ANCHOR: fixed
impl Breaker {
    async fn call_fn<T>(&self, f: impl AsyncFnOnce() -> T) -> Option<T> {
        if self.open { None } else { Some(f().await) }
    }
}

async fn refused_fn(breaker: &Breaker, carrier: &Carrier) -> bool {
    breaker.call_fn(|| carrier.track()).await.is_none()
}
// ANCHOR_END: fixed

#[derive(Clone, Default)]
struct Carrier {
    requests: Arc<AtomicUsize>,
}

impl Carrier {
    /// Sends the request in a task, which starts now.
    fn track(&self) -> JoinHandle<&'static str> {
        let requests = Arc::clone(&self.requests);
        tokio::spawn(async move {
            requests.fetch_add(1, Relaxed);
            "in transit"
        })
    }

    async fn requests(&self) -> usize {
        yield_now().await; // the tasks run
        self.requests.swap(0, Relaxed)
    }
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let (breaker, carrier) = (Breaker { open: true }, Carrier::default());
    for _ in 0..10 {
        assert!(refused(&breaker, &carrier).await);
    }
    let sent = carrier.requests().await;
    println!("a future: 10 refused, {sent} sent");
    assert_eq!(sent, 10);

    for _ in 0..10 {
        assert!(refused_fn(&breaker, &carrier).await);
    }
    let sent = carrier.requests().await;
    println!("a function: 10 refused, {sent} sent");
    assert_eq!(sent, 0);
    let breaker = Breaker { open: false };
    assert!(!refused_fn(&breaker, &carrier).await);
    assert!(!refused(&breaker, &carrier).await);
    assert_eq!(carrier.requests().await, 2);
}
// ANCHOR_END: all
