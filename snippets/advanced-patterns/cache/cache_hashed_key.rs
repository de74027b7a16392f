// ANCHOR: all
use std::hash::{DefaultHasher, Hash, Hasher};

use moka::future::Cache;

#[derive(Clone, PartialEq, Eq)]
struct Parcel {
    degrees: i32,
    weight: u32,
}

/// Equal parcels have equal hashes. Others may have the same.
impl Hash for Parcel {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.weight.hash(state);
    }
}

fn hash(parcel: &Parcel) -> u64 {
    let mut hasher = DefaultHasher::new();
    parcel.hash(&mut hasher);
    hasher.finish()
}

async fn quote(parcel: Parcel) -> u32 {
    500 + 90 * parcel.weight + 25 * parcel.degrees.unsigned_abs()
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let parcels = [-1, -2].map(|degrees| Parcel { degrees, weight: 5 });

    let quotes = Cache::new(100);
    let mut prices = Vec::new();
    for parcel in parcels.clone() {
        // ANCHOR: broken
        let key = hash(&parcel);
        let price = quotes.get_with(key, quote(parcel)).await;
        // ANCHOR_END: broken
        prices.push(price);
    }
    println!("the hash is the key: {prices:?}");
    assert_eq!(prices, [975, 975]);

    let quotes = Cache::new(100);
    let mut prices = Vec::new();
    for parcel in parcels {
        // ANCHOR: fixed
        let key = parcel.clone();
        let price = quotes.get_with(key, quote(parcel)).await;
        // ANCHOR_END: fixed
        prices.push(price);
    }
    println!("the parcel is the key: {prices:?}");
    assert_eq!(prices, [975, 1000]);
}
// ANCHOR_END: all
