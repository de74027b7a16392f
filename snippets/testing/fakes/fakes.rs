// ANCHOR: all
use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

use tokio::task::{JoinHandle, yield_now};

#[derive(Debug, thiserror::Error)]
#[error("the post office is closed")]
struct Closed;

// ANCHOR: trait
/// What the library wants of the post.
trait Post: Send + Sync {
    fn send(
        &self,
        reader: &str,
        text: String,
    ) -> impl Future<Output = Result<(), Closed>> + Send;
}
// ANCHOR_END: trait

type Loan = (&'static str, &'static str);

// ANCHOR: remind
/// Writes to every reader; returns those whose letter could not be sent.
async fn remind(post: &impl Post, loans: &[Loan]) -> Vec<&'static str> {
    let mut missed = Vec::new();
    for (reader, book) in loans {
        let text = format!("Please bring back {book}.");
        if post.send(reader, text).await.is_err() {
            missed.push(*reader);
        }
    }
    missed
}
// ANCHOR_END: remind

fn remind_later(
    post: Arc<impl Post + 'static>,
    loans: &'static [Loan],
) -> JoinHandle<Vec<&'static str>> {
    tokio::spawn(async move { remind(&*post, loans).await })
}

// ANCHOR: fake
/// Keeps the letters that it is given, except for one.
#[derive(Default)]
struct FakePost {
    sent: Mutex<Vec<(String, String)>>,
    calls: AtomicUsize,
    closed_at_call: usize,
}
// ANCHOR_END: fake

impl Post for FakePost {
    // ANCHOR: send
    async fn send(&self, reader: &str, text: String) -> Result<(), Closed> {
        yield_now().await; // the real one makes you wait, too
        let call = 1 + self.calls.fetch_add(1, Relaxed);
        if call == self.closed_at_call {
            return Err(Closed);
        }
        let mut sent = self.sent.lock().expect("never poisoned");
        sent.push((reader.into(), text));
        Ok(())
    }
    // ANCHOR_END: send
}

// ANCHOR: loans
const LOANS: [Loan; 3] = [("Ada", "Emma"), ("Ben", "Dune"), ("Cleo", "Kim")];
// ANCHOR_END: loans

fn letter(reader: &str, book: &str) -> (String, String) {
    (reader.into(), format!("Please bring back {book}."))
}

// ANCHOR: tests
#[tokio::test]
async fn everybody_gets_a_letter_about_their_book() {
    let post = FakePost::default();
    assert!(remind(&post, &LOANS).await.is_empty());
    let sent = post.sent.into_inner().expect("never poisoned");
    assert_eq!(sent, LOANS.map(|(reader, book)| letter(reader, book)));
}

// ANCHOR: fails
#[tokio::test]
async fn a_letter_that_fails_holds_up_no_other() {
    let post = FakePost { closed_at_call: 2, ..FakePost::default() };
    assert_eq!(remind(&post, &LOANS).await, ["Ben"]);
    let sent = post.sent.into_inner().expect("never poisoned");
    assert_eq!(sent, [letter("Ada", "Emma"), letter("Cleo", "Kim")]);
}
// ANCHOR_END: fails

#[tokio::test]
async fn letters_go_out_from_a_task() {
    let post = Arc::new(FakePost::default());
    let task = remind_later(post.clone(), &LOANS);
    assert!(task.await.expect("no panic").is_empty());
    assert_eq!(post.sent.lock().expect("never poisoned").len(), 3);
}
// ANCHOR_END: tests
// ANCHOR_END: all
