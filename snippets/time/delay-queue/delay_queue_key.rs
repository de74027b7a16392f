// ANCHOR: all
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use futures::StreamExt;
use tokio_util::time::DelayQueue;

const SECOND: Duration = Duration::from_secs(1);

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let mut queue = DelayQueue::new();
    let key = queue.insert("parcel 7", SECOND);
    queue.next().await.expect("parcel 7"); // and it goes on to other jobs
    let remove = AssertUnwindSafe(|| queue.remove(&key));
    catch_unwind(remove).expect_err("a panic");
    println!("nothing has the key: remove panics");

    let mut queue = DelayQueue::new();
    // ANCHOR: broken
    let key = queue.insert("parcel 7", SECOND);
    queue.next().await.expect("parcel 7");
    queue.insert("parcel 8", SECOND);
    let removed = queue.try_remove(&key);
    // ANCHOR_END: broken
    let removed = removed.map(|expired| expired.into_inner());
    println!("to cancel parcel 7 has removed: {removed:?}");
    assert_eq!(removed, Some("parcel 8"));

    let (mut queue, mut keys) = (DelayQueue::new(), HashMap::new());
    // ANCHOR: fixed
    keys.insert("parcel 7", queue.insert("parcel 7", SECOND));
    let expired = queue.next().await.expect("parcel 7");
    keys.remove(expired.get_ref());
    keys.insert("parcel 8", queue.insert("parcel 8", SECOND));
    let mut cancel =
        |name| keys.remove(name).map(|key| queue.remove(&key).into_inner());
    // ANCHOR_END: fixed
    let removed = [cancel("parcel 7"), cancel("parcel 8")];
    println!("with their names: {removed:?}");
    assert_eq!(removed, [None, Some("parcel 8")]);
}
// ANCHOR_END: all
