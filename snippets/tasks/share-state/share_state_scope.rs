// ANCHOR: all
use std::sync::Mutex;

/// A macro of edition 2024 takes `_` for an expression; of 2021 it does not.
macro_rules! edition {
    ($_it:expr) => {
        2024
    };
    (_) => {
        2021
    };
}

fn main() {
    let jobs = Mutex::new(vec![1, 2, 3]);
    let lock = || jobs.lock().expect("not poisoned");
    let is_locked = || jobs.try_lock().is_err();

    // ANCHOR: broken
    let locked = match lock().pop() {
        Some(_job) => is_locked(), // the guard lives until the last brace
        None => false,
    };
    // ANCHOR_END: broken
    let body = if let Some(_job) = lock().pop() { is_locked() } else { false };
    println!("match: locked {locked}, if let: locked {body}");
    assert!(locked && body);

    // ANCHOR: fixed
    let job = lock().pop(); // the guard lives until the semicolon
    let locked = match job {
        Some(_job) => is_locked(),
        None => true,
    };
    // ANCHOR_END: fixed
    let body = if lock().is_empty() { is_locked() } else { true };
    println!("let: locked {locked}, a condition: locked {body}");
    assert!(!locked && !body);

    // No job is left. An edition lies between these two.
    let arm = match lock().pop() {
        Some(_job) => false,
        None => is_locked(),
    };
    let or = if let Some(_job) = lock().pop() { false } else { is_locked() };
    println!("match: locked {arm}, else of if let: locked {or}");
    assert!(arm);
    assert_eq!(or, edition!(_) == 2021);
}
// ANCHOR_END: all
