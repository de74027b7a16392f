// ANCHOR: all
use std::sync::{Arc, Mutex};

use async_trait::async_trait;

// ANCHOR: dyn
#[async_trait]
trait Notifier: Send + Sync {
    async fn send(&self, parcel: u32);
}

/// Of an axum server. The type of its notifier is known only at run time.
#[derive(Clone)]
struct State {
    notifier: Arc<dyn Notifier>,
}

#[async_trait]
impl Notifier for FakeNotifier {
    async fn send(&self, parcel: u32) {
        self.sent.lock().expect("no panic").push(parcel);
    }
}
// ANCHOR_END: dyn

#[derive(Default)]
struct FakeNotifier {
    sent: Mutex<Vec<u32>>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let notifier = Arc::new(FakeNotifier::default());
    let state = State { notifier: notifier.clone() };
    tokio::spawn(async move { state.notifier.send(7).await }).await?;
    let sent = notifier.sent.lock().expect("no panic");
    println!("sent: {sent:?}");
    assert_eq!(*sent, [7]);
    Ok(())
}
// ANCHOR_END: all
