// ANCHOR: all
use std::collections::HashMap;

/// Opens after five failures in a row, and never closes.
#[derive(Default)]
struct Breaker {
    failures: u32,
    refused: u32,
}

impl Breaker {
    fn call(&mut self, request: impl FnOnce() -> Result<(), ()>) {
        if self.failures >= 5 {
            self.refused += 1;
        } else {
            self.failures = request().map_or(self.failures + 1, |()| 0);
        }
    }
}

/// North is down, and South works.
fn track(host: &str) -> Result<(), ()> {
    if host == "north.example" { Err(()) } else { Ok(()) }
}

// ANCHOR: broken
fn with_one(breaker: &mut Breaker, host: &str) {
    breaker.call(|| track(host));
}
// ANCHOR_END: broken

// ANCHOR: fixed
/// `None` if your settings do not name the host.
fn with_each(breakers: &mut HashMap<&str, Breaker>, host: &str) -> Option<()> {
    breakers.get_mut(host)?.call(|| track(host));
    Some(())
}
// ANCHOR_END: fixed

fn main() {
    // Six calls to North, then thirty to each in turn.
    let (north, south) = ("north.example", "south.example");
    let hosts = [[north; 6].as_slice(), &[north, south].repeat(30)].concat();

    let (mut breaker, mut refused) = (Breaker::default(), 0);
    for host in &hosts {
        let before = breaker.refused;
        with_one(&mut breaker, host);
        if *host == south {
            refused += breaker.refused - before;
        }
    }
    println!("one breaker: {refused} of 30 calls to South are refused");
    assert_eq!(refused, 30);

    let mut breakers =
        HashMap::from([north, south].map(|host| (host, Breaker::default())));
    for host in &hosts {
        with_each(&mut breakers, host).expect("a known host");
    }
    assert_eq!(with_each(&mut breakers, "west.example"), None);
    let refused = [north, south].map(|host| breakers[host].refused);
    let [north, south] = refused;
    println!("one for each: North {north} of 36, South {south} of 30");
    assert_eq!(refused, [31, 0]);
}
// ANCHOR_END: all
