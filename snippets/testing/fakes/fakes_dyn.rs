// ANCHOR: all
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;

// ANCHOR: trait
#[async_trait]
trait Post: Send + Sync {
    async fn send(&self, text: &str);
}

/// How each reader wants to be written to: known when the program runs.
type Contacts = HashMap<&'static str, Box<dyn Post>>;

async fn remind(contacts: &Contacts, reader: &str, book: &str) {
    if let Some(post) = contacts.get(reader) {
        post.send(&format!("Please bring back {book}.")).await;
    }
}
// ANCHOR_END: trait

type Sent = Arc<Mutex<Vec<String>>>;

struct FakePaper(Sent);

#[async_trait]
impl Post for FakePaper {
    async fn send(&self, text: &str) {
        let mut sent = self.0.lock().expect("never poisoned");
        sent.push(format!("on paper: {text}"));
    }
}

struct FakeMail(Sent);

#[async_trait]
impl Post for FakeMail {
    async fn send(&self, text: &str) {
        let mut sent = self.0.lock().expect("never poisoned");
        sent.push(format!("by mail: {text}"));
    }
}

// ANCHOR: test
#[tokio::test]
async fn each_reader_is_written_to_as_they_wish() {
    let sent = Sent::default();
    let mut contacts = Contacts::new();
    contacts.insert("Ada", Box::new(FakePaper(sent.clone())));
    contacts.insert("Ben", Box::new(FakeMail(sent.clone())));

    let work = async move { remind(&contacts, "Ben", "Dune").await };
    tokio::spawn(work).await.expect("no panic");
    let sent = sent.lock().expect("never poisoned");
    assert_eq!(*sent, ["by mail: Please bring back Dune."]);
}
// ANCHOR_END: test
// ANCHOR_END: all
