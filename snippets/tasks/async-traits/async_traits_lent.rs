// ANCHOR: all
type Log = Vec<u32>;

async fn with_log(function: impl AsyncFn(&mut Log)) {
    function(&mut Log::new()).await;
}

#[tokio::main]
async fn main() {
    // ANCHOR: broken
    with_log(|log: &mut Log| async move { log.push(7) }).await;
    // ANCHOR_END: broken
}
// ANCHOR_END: all
