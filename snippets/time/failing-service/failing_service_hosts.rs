// ANCHOR: all
use std::collections::HashMap;
use std::future::pending;
use std::time::Duration;

use tokio::time::timeout;

const SECOND: Duration = Duration::from_secs(1);

/// Opens after three failures in a row.
#[derive(Default)]
struct Breaker {
    failures: u32,
    refused: u32,
}

/// North is dead, and South is well.
async fn ring(wholesaler: &str) {
    if wholesaler == "North" {
        pending().await
    }
}

impl Breaker {
    async fn call(&mut self, wholesaler: &str) {
        if self.failures >= 3 {
            self.refused += 1;
            return;
        }
        match timeout(5 * SECOND, ring(wholesaler)).await {
            Ok(()) => self.failures = 0,
            Err(_) => self.failures += 1,
        }
    }
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    // Six ask at North, then thirty at both in turn.
    let north = ["North"; 6].into_iter();
    let orders = || north.clone().chain(["North", "South"].repeat(15));

    // ANCHOR: broken
    // Broken: one for all of them.
    let (mut breaker, mut refused) = (Breaker::default(), 0);
    for wholesaler in orders() {
        let before = breaker.refused;
        breaker.call(wholesaler).await;
        if wholesaler == "South" {
            refused += breaker.refused - before;
        }
    }
    println!("one breaker: South is refused {refused} times of 15");
    assert_eq!(refused, 15);
    // ANCHOR_END: broken

    // ANCHOR: fixed
    // Fixed: one for each.
    let mut breakers: HashMap<&str, Breaker> = HashMap::new();
    for wholesaler in orders() {
        breakers.entry(wholesaler).or_default().call(wholesaler).await;
    }
    let refused = ["North", "South"].map(|name| breakers[name].refused);
    println!("one for each: refused {refused:?}");
    assert_eq!(refused, [18, 0]);
    // ANCHOR_END: fixed
}
// ANCHOR_END: all
