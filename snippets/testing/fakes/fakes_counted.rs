// ANCHOR: all
use std::sync::Mutex;

type Loan = (&'static str, &'static str);

const LOANS: [Loan; 3] = [("Ada", "Emma"), ("Ben", "Dune"), ("Cleo", "Kim")];

#[derive(Default)]
struct FakePost(Mutex<Vec<Loan>>);

impl FakePost {
    async fn send(&self, reader: &'static str, book: &'static str) {
        self.0.lock().expect("never poisoned").push((reader, book));
    }

    fn sent(&self) -> Vec<Loan> {
        self.0.lock().expect("never poisoned").clone()
    }
}

/// Has a mistake: whatever is missing, the first reader is told.
async fn remind(post: &FakePost, loans: &[Loan]) {
    for (_, book) in loans {
        post.send(loans[0].0, book).await;
    }
}

// ANCHOR: broken
// Broken: three letters, whoever they went to.
#[tokio::test]
async fn broken_three_calls_pass() {
    let post = FakePost::default();
    remind(&post, &LOANS).await;
    assert_eq!(post.sent().len(), 3);
}
// ANCHOR_END: broken

// ANCHOR: fixed
// Fixed: these letters, and no others.
#[tokio::test]
#[should_panic(expected = r#"("Ada", "Dune")"#)]
async fn fixed_three_letters_fail() {
    let post = FakePost::default();
    remind(&post, &LOANS).await;
    assert_eq!(post.sent(), LOANS);
}
// ANCHOR_END: fixed
// ANCHOR_END: all
