// ANCHOR: all
use std::sync::{Arc, Mutex};

/// How much oil there is, and how much of it is in the lamp.
#[derive(Default)]
struct Oil {
    barrel: u32,
    lamp: u32,
}

type Store = Arc<Mutex<Oil>>;

/// Fills the lamp. The first shift stumbles in the middle of it.
async fn keep(store: Store, shift: u32) {
    let mut oil = store.lock().expect("nobody stumbles");
    oil.barrel -= 1;
    assert_ne!(shift, 0, "stumbles on the stairs");
    oil.lamp += 1;
}

/// Looks first what the last shift has left.
fn put_in_order(store: &Store) {
    let mut oil = store.lock().unwrap_or_else(|poisoned| {
        store.clear_poison();
        poisoned.into_inner()
    });
    oil.barrel = 10 - oil.lamp;
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    // ANCHOR: broken
    // Broken: each shift finds what the first one has left, and panics too.
    let store = Store::default();
    store.lock().expect("nobody else").barrel = 10;
    let mut panics = 0;
    for shift in 0..5 {
        let end = tokio::spawn(keep(store.clone(), shift)).await;
        panics += u32::from(end.is_err_and(|error| error.is_panic()));
    }
    println!("started again: {panics} of 5 shifts panic");
    assert_eq!(panics, 5);
    // ANCHOR_END: broken

    // ANCHOR: fixed
    // Fixed: put in order what the last one has left, then start again.
    let store = Store::default();
    let mut panics = 0;
    for shift in 0..5 {
        put_in_order(&store);
        let end = tokio::spawn(keep(store.clone(), shift)).await;
        panics += u32::from(end.is_err_and(|error| error.is_panic()));
    }
    println!("put in order: {panics} of 5 shifts panics");
    assert_eq!(panics, 1);
    let oil = store.lock().expect("in order");
    assert_eq!((oil.barrel, oil.lamp), (6, 4));
    // ANCHOR_END: fixed
}
// ANCHOR_END: all
