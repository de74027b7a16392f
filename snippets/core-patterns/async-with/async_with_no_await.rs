// ANCHOR: all
struct Till;

impl Till {
    async fn mark_closed(&mut self) {}
}

impl Drop for Till {
    fn drop(&mut self) {
        self.mark_closed().await;
    }
}

fn main() {
    drop(Till);
}
// ANCHOR_END: all
