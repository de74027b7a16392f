// ANCHOR: all
struct Session;

impl Session {
    async fn close(&mut self) {}
}

// ANCHOR: broken
impl Drop for Session {
    fn drop(&mut self) {
        self.close().await;
    }
}
// ANCHOR_END: broken

fn main() {
    drop(Session);
}
// ANCHOR_END: all
