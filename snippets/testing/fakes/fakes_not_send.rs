// ANCHOR: all
use std::future::Future;

fn spawn(_: impl Future<Output = ()> + Send) {}

// ANCHOR: broken
trait Notifier: Send + Sync {
    async fn send(&self, parcel: u32);
}

fn notify(notifier: &impl Notifier) {
    spawn(async { notifier.send(7).await });
}
// ANCHOR_END: broken

fn main() {}
// ANCHOR_END: all
