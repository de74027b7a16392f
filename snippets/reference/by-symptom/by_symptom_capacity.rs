// ANCHOR: all
use std::collections::HashMap;

fn main() {
    let mut parcels = vec![7_u8; 1_000_000];
    parcels.clear();
    assert_eq!(parcels.capacity(), 1_000_000);

    let mut cities: HashMap<u32, u32> =
        (0..100_000).map(|id| (id, 7)).collect();
    cities.clear();
    assert!(cities.is_empty() && cities.capacity() >= 100_000);

    println!("empty, with room for {} bytes", parcels.capacity());
    parcels.shrink_to_fit();
    cities.shrink_to_fit();
    println!("shrunk: {} and {}", parcels.capacity(), cities.capacity());
    assert_eq!((parcels.capacity(), cities.capacity()), (0, 0));
}
// ANCHOR_END: all
