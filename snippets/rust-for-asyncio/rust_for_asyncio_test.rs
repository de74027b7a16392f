// ANCHOR: broken
use parcels::number;

#[test]
fn a_parcel_has_a_number() {
    assert_eq!(number("LX 7"), Some(7));
}
// ANCHOR_END: broken

fn main() {}
