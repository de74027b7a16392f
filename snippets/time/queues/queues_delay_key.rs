// ANCHOR: all
use std::collections::HashMap;
use std::time::Duration;

use futures::StreamExt;
use tokio_util::time::DelayQueue;

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    // ANCHOR: broken
    // Broken: the cat has been looked at, and her key fits the dog.
    let mut due = DelayQueue::new();
    let cat = due.insert("cat", 10 * MINUTE);
    assert_eq!(due.next().await.map(|e| e.into_inner()), Some("cat"));
    due.insert("dog", 10 * MINUTE);
    let removed = due.try_remove(&cat).map(|expired| expired.into_inner());
    println!("the cat goes home: {removed:?} is removed");
    assert_eq!((removed, due.is_empty()), (Some("dog"), true));
    // ANCHOR_END: broken

    // ANCHOR: fixed
    // Fixed: a key goes when its patient does.
    let (mut due, mut keys) = (DelayQueue::new(), HashMap::new());
    keys.insert("cat", due.insert("cat", 10 * MINUTE));
    if let Some(expired) = due.next().await {
        keys.remove(expired.get_ref());
    }
    keys.insert("dog", due.insert("dog", 10 * MINUTE));
    let removed = keys.remove("cat").map(|key| due.remove(&key));
    println!("the cat goes home: {removed:?}");
    assert!(removed.is_none());
    assert_eq!(due.next().await.map(|e| e.into_inner()), Some("dog"));
    // ANCHOR_END: fixed
}
// ANCHOR_END: all
