// ANCHOR: all
use std::future::Future;

trait Post: Send + Sync {
    async fn send(&self, text: &str);
}

fn in_background(_work: impl Future<Output = ()> + Send) {}

fn remind(post: &impl Post) {
    in_background(async { post.send("Please bring back Emma.").await });
}

fn main() {}
// ANCHOR_END: all
