// ANCHOR: all
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::future::{BoxFuture, FutureExt, Shared};
use tokio::time::{sleep, timeout};

type Book = Arc<Mutex<Vec<&'static str>>>;
type Sales = Mutex<HashMap<&'static str, Shared<BoxFuture<'static, usize>>>>;

/// Returns the number of the entry.
async fn write(book: Book, house: &'static str) -> usize {
    sleep(Duration::from_secs(5)).await;
    let mut book = book.lock().expect("never poisoned");
    book.push(house);
    book.len()
}

// ANCHOR: broken
// Broken: the first one is still at it when the second one comes.
async fn again(book: &Book, house: &'static str) -> usize {
    tokio::spawn(write(book.clone(), house)).await.expect("no panic")
}
// ANCHOR_END: broken

// ANCHOR: fixed
// Fixed: who comes with the same key waits for the same task.
async fn once(sales: &Sales, book: &Book, key: &'static str) -> usize {
    let sale = {
        let mut sales = sales.lock().expect("never poisoned");
        let begin = || {
            let task = tokio::spawn(write(book.clone(), key));
            task.map(|end| end.expect("no panic")).boxed().shared()
        };
        sales.entry(key).or_insert_with(begin).clone()
    };
    sale.await
}
// ANCHOR_END: fixed

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let patience = Duration::from_secs(3);

    let book = Book::default();
    assert!(timeout(patience, again(&book, "7 Mill Lane")).await.is_err());
    let number = again(&book, "7 Mill Lane").await;
    println!("again: entry {number}");
    assert_eq!(number, 2, "it is sold twice");

    let (sales, book) = (Sales::default(), Book::default());
    let sell = || once(&sales, &book, "7 Mill Lane");
    assert!(timeout(patience, sell()).await.is_err());
    let number = sell().await;
    println!("once: entry {number}");
    assert_eq!((number, sell().await), (1, 1));
    assert_eq!(book.lock().expect("never poisoned").len(), 1);
}
// ANCHOR_END: all
