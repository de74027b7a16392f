// ANCHOR: all
use std::hash::{DefaultHasher, Hash, Hasher};

use moka::future::Cache;

#[derive(Clone, Debug, PartialEq, Eq)]
struct Delivery {
    floor: i32,
    weight: u32,
}

// ANCHOR: hash
/// Equal deliveries have equal hashes: all that `Hash` promises. Others
/// may share one.
impl Hash for Delivery {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.weight.hash(state);
    }
}
// ANCHOR_END: hash

fn hashed(delivery: &Delivery) -> u64 {
    let mut hasher = DefaultHasher::new();
    delivery.hash(&mut hasher);
    hasher.finish()
}

async fn quote(delivery: Delivery) -> u32 {
    500 + 90 * delivery.weight + 25 * delivery.floor.unsigned_abs()
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let first = Delivery { floor: -1, weight: 5 };
    let second = Delivery { floor: -2, weight: 5 };

    // ANCHOR: broken
    // Broken: the second delivery gets the first one's price.
    let prices = Cache::new(100);
    let mut answers = Vec::new();
    for delivery in [&first, &second] {
        let price = quote(delivery.clone());
        answers.push(prices.get_with(hashed(delivery), price).await);
    }
    assert_eq!(answers, [975, 975]);
    println!("by the hash: {answers:?}");
    // ANCHOR_END: broken

    // ANCHOR: fixed
    // Fixed: the hash finds the place, `==` decides.
    let prices = Cache::new(100);
    let mut answers = Vec::new();
    for delivery in [&first, &second] {
        let price = quote(delivery.clone());
        answers.push(prices.get_with(delivery.clone(), price).await);
    }
    assert_eq!(answers, [975, 1000]);
    println!("by the key: {answers:?}");
    // ANCHOR_END: fixed
}
// ANCHOR_END: all
