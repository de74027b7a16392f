// ANCHOR: all
use std::cell::{Cell, RefCell};

use uuid::Uuid;

/// Buys a label for each key. Each first response of a purchase is lost.
#[derive(Default)]
struct Carrier {
    requests: Cell<usize>,
    labels: RefCell<Vec<String>>,
}

impl Carrier {
    fn request(&self, key: &str) {
        self.requests.set(self.requests.get() + 1);
        let mut labels = self.labels.borrow_mut();
        if !labels.iter().any(|known| known == key) {
            labels.push(key.to_owned());
        }
    }

    /// How many labels were bought, by two requests for each of two.
    fn bought(&self) -> usize {
        assert_eq!(self.requests.take(), 4);
        self.labels.take().len()
    }
}

fn by_parcel(carrier: &Carrier, parcel: u32) {
    // ANCHOR: broken
    let key = parcel.to_string();
    for _attempt in 0..2 {
        carrier.request(&key);
    }
    // ANCHOR_END: broken
}

fn by_attempt(carrier: &Carrier) {
    // ANCHOR: broken_attempt
    for _attempt in 0..2 {
        let key = Uuid::new_v4().to_string();
        carrier.request(&key);
    }
    // ANCHOR_END: broken_attempt
}

fn by_purchase(carrier: &Carrier) {
    // ANCHOR: fixed
    let key = Uuid::new_v4().to_string();
    for _attempt in 0..2 {
        carrier.request(&key);
    }
    // ANCHOR_END: fixed
}

fn main() {
    let carrier = Carrier::default();
    by_parcel(&carrier, 7);
    by_parcel(&carrier, 7);
    let bought = carrier.bought();
    println!("a key for a parcel, two purchases: {bought} label");
    assert_eq!(bought, 1);

    by_attempt(&carrier);
    by_attempt(&carrier);
    let bought = carrier.bought();
    println!("a key for an attempt, two purchases: {bought} labels");
    assert_eq!(bought, 4);

    by_purchase(&carrier);
    by_purchase(&carrier);
    let bought = carrier.bought();
    println!("a key for a purchase, two purchases: {bought} labels");
    assert_eq!(bought, 2);
}
// ANCHOR_END: all
