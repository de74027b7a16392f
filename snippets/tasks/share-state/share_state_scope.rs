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
    let lots = Mutex::new(vec!["a clock", "a vase", "a chair"]);
    let next = || lots.lock().expect("never poisoned");
    let held = || lots.try_lock().is_err();

    // ANCHOR: held
    // Until the end of what the guard was taken for.
    let an_arm = match next().pop() {
        Some(_lot) => held(),
        None => false,
    };
    let a_body = if let Some(_lot) = next().pop() { held() } else { false };
    println!("in an arm: {an_arm}, in the body of if let: {a_body}");
    assert!(an_arm && a_body);
    // ANCHOR_END: held

    // ANCHOR: free
    // No longer than the statement, or the condition.
    let lot = next().pop();
    let after_let = match lot {
        Some(_lot) => held(),
        None => true,
    };
    let after_if = if next().is_empty() { held() } else { true };
    println!("after let: {after_let}, after a condition: {after_if}");
    assert!(!after_let && !after_if);
    // ANCHOR_END: free

    // ANCHOR: none
    // There is no lot left. The same two, and an edition between them.
    let an_arm = match next().pop() {
        Some(_lot) => false,
        None => held(),
    };
    let an_else = if let Some(_lot) = next().pop() { false } else { held() };
    println!("in an arm: {an_arm}, in else: {an_else}");
    assert!(an_arm);
    assert_eq!(an_else, edition!(_) == 2021);
    // ANCHOR_END: none
}
// ANCHOR_END: all
