use std::mem::take;
use std::sync::Mutex;

use futures::future::{BoxFuture, FutureExt};

static CLOSED: Mutex<Vec<&str>> = Mutex::new(Vec::new());

fn close(what: &'static str) {
    CLOSED.lock().expect("not poisoned").push(what);
}

fn closed() -> Vec<&'static str> {
    take(&mut CLOSED.lock().expect("not poisoned"))
}

struct Guard(&'static str);

impl Drop for Guard {
    fn drop(&mut self) {
        close(self.0);
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    // ANCHOR: stack
    {
        let _printer = Guard("printer");
        let _carrier = Guard("carrier");
    }
    assert_eq!(closed(), ["carrier", "printer"]);
    drop(vec![Guard("printer"), Guard("carrier")]);
    assert_eq!(closed(), ["printer", "carrier"], "the other order");

    // Clean-ups that await, in a stack.
    let mut stack: Vec<BoxFuture<()>> = Vec::new();
    for name in ["printer", "carrier"] {
        stack.push(async move { close(name) }.boxed());
    }
    while let Some(cleanup) = stack.pop() {
        cleanup.await;
    }
    assert_eq!(closed(), ["carrier", "printer"]);
    // ANCHOR_END: stack
    println!("variables: the last one first; a Vec: the first one first");
}
