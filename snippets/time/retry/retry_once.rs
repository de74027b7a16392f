// ANCHOR: all
use std::cell::RefCell;
use std::collections::BTreeSet;

use backon::{ConstantBuilder, Retryable};

/// Which appointments are in the diary, by the keys of the requests.
#[derive(Default)]
struct Surgery {
    diary: RefCell<BTreeSet<u128>>,
    calls: RefCell<u32>,
}

impl Surgery {
    /// The first time, the line breaks when it has been written down.
    async fn book(&self, key: u128) -> Result<usize, &'static str> {
        self.diary.borrow_mut().insert(key);
        *self.calls.borrow_mut() += 1;
        match *self.calls.borrow() {
            1 => Err("the line is broken"),
            _ => Ok(self.diary.borrow().len()),
        }
    }
}

fn new_key() -> u128 {
    fastrand::u128(..)
}

// ANCHOR: broken
// Broken: a key for each attempt, which is none.
async fn key_inside(surgery: &Surgery) -> Result<usize, &'static str> {
    let book = || surgery.book(new_key());
    book.retry(ConstantBuilder::default()).await
}
// ANCHOR_END: broken

// ANCHOR: fixed
// Fixed: a key for what the patient wants, however often he says it.
async fn key_outside(surgery: &Surgery) -> Result<usize, &'static str> {
    let key = new_key();
    let book = || surgery.book(key);
    book.retry(ConstantBuilder::default()).await
}
// ANCHOR_END: fixed

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let surgery = Surgery::default();
    let appointments = key_inside(&surgery).await;
    println!("a key for each attempt: {appointments:?} in the diary");
    assert_eq!(appointments, Ok(2), "one patient, booked twice");

    let surgery = Surgery::default();
    let appointments = key_outside(&surgery).await;
    println!("a key for the wish: {appointments:?} in the diary");
    assert_eq!(appointments, Ok(1));
    assert_eq!(surgery.calls.into_inner(), 2);
}
// ANCHOR_END: all
