// ANCHOR: all
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use tokio::time::sleep;

struct FakePost {
    takes: Option<Duration>,
    sent: AtomicU32,
}

impl FakePost {
    async fn send(&self, _reader: &str) {
        if let Some(time) = self.takes {
            sleep(time).await;
        }
        self.sent.fetch_add(1, Relaxed);
    }
}

/// The readers who have been written to today.
type Written = Mutex<Vec<&'static str>>;

/// Has a mistake: looks first, and notes it down when the letter is sent.
async fn remind_once(post: &FakePost, written: &Written) {
    let known = written.lock().expect("never poisoned").contains(&"Ada");
    if !known {
        post.send("Ada").await;
        written.lock().expect("never poisoned").push("Ada");
    }
}

/// Two clerks at two desks write to the same reader.
async fn one_letter_is_sent(takes: Option<Duration>) {
    let post = FakePost { takes, sent: AtomicU32::new(0) };
    let written = Written::default();
    tokio::join!(remind_once(&post, &written), remind_once(&post, &written));
    assert_eq!(post.sent.into_inner(), 1, "letters");
}

// ANCHOR: broken
// Broken: a fake that never waits. The first clerk is done before the second
// one begins.
#[tokio::test(start_paused = true)]
async fn broken_a_fake_that_never_waits_passes() {
    one_letter_is_sent(None).await;
}
// ANCHOR_END: broken

// ANCHOR: fixed
// Fixed: a fake that takes a second, as the real one might.
#[tokio::test(start_paused = true)]
#[should_panic(expected = "letters\n  left: 2")]
async fn fixed_a_fake_that_takes_its_time_fails() {
    one_letter_is_sent(Some(Duration::from_secs(1))).await;
}
// ANCHOR_END: fixed
// ANCHOR_END: all
