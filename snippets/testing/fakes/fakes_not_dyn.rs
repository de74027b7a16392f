// ANCHOR: all
use std::future::Future;

trait Post: Send + Sync {
    fn send(&self, text: &str) -> impl Future<Output = ()> + Send;
}

fn add_contact(_reader: &str, _post: Box<dyn Post>) {}

fn main() {}
// ANCHOR_END: all
