// ANCHOR: all
use std::sync::{Arc, Mutex};

use tokio::sync::Mutex as AsyncMutex;

#[derive(Debug)]
struct Account {
    credit: u32,
    labels: Vec<String>,
}

/// Has a bug: it panics for parcel 13.
fn render(parcel: u32) -> String {
    assert_ne!(parcel, 13, "the address has a comma");
    format!("label {parcel}")
}

fn broken(account: &mut Account, parcel: u32) {
    // ANCHOR: broken
    account.credit -= 30;
    account.labels.push(render(parcel));
    // ANCHOR_END: broken
}

fn fixed(account: &mut Account, parcel: u32) {
    // ANCHOR: fixed
    let label = render(parcel);
    account.labels.push(label);
    account.credit -= 30;
    // ANCHOR_END: fixed
}

type Buy = fn(&mut Account, u32);

/// A task panics while it holds tokio's lock. What does the next one see?
async fn bought(buy: Buy) -> Account {
    let account = Account { credit: 100, labels: Vec::new() };
    let account = Arc::new(AsyncMutex::new(account));
    let shared = Arc::clone(&account);
    let task = async move { buy(&mut *shared.lock().await, 13) };
    assert!(tokio::spawn(task).await.is_err_and(|end| end.is_panic()));
    let account = Arc::into_inner(account).expect("the task has ended");
    account.into_inner()
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let account = bought(broken).await;
    println!("pay, render: {account:?}");
    assert_eq!((account.credit, account.labels.len()), (70, 0));

    let account = bought(fixed).await;
    println!("render, pay: {account:?}");
    assert_eq!((account.credit, account.labels.len()), (100, 0));

    let mut account = account;
    fixed(&mut account, 7);
    assert_eq!((account.credit, account.labels.len()), (70, 1));

    // A panic under std's lock.
    let shared = Arc::new(Mutex::new(account));
    let account = Arc::clone(&shared);
    let task = async move {
        let mut account = account.lock().expect("not poisoned");
        fixed(&mut account, 13);
    };
    assert!(tokio::spawn(task).await.is_err_and(|end| end.is_panic()));
    let error = shared.lock().expect_err("the task has panicked");
    println!("std's lock: {error}");
    assert_eq!(error.get_ref().credit, 70);
}
// ANCHOR_END: all
