// ANCHOR: all
// ANCHOR: broken
#[tokio::test(flavor = "multi_thread", start_paused = true)]
async fn no_event_is_lost() {}
// ANCHOR_END: broken

fn main() {}
// ANCHOR_END: all
