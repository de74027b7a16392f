// ANCHOR: all
use std::future::Future;
use std::sync::Arc;

// ANCHOR: broken
trait Notifier: Send + Sync {
    fn send(&self, parcel: u32) -> impl Future<Output = ()> + Send;
}

struct State {
    notifier: Arc<dyn Notifier>,
}
// ANCHOR_END: broken

fn main() {}
// ANCHOR_END: all
