// ANCHOR: all
/// The number of a parcel: 7 of `LX 7`.
pub fn number(parcel: &str) -> Option<u32> {
    digits(parcel)?.parse().ok()
}

fn digits(parcel: &str) -> Option<&str> {
    parcel.strip_prefix("LX ")
}

// In your library, write #[cfg(test)] in place of this line.
mod tests {
    use super::{digits, number};

    #[test]
    fn the_prefix_is_removed() {
        assert_eq!(digits("LX 7"), Some("7"));
        assert_eq!(digits("7"), None);
    }

    #[test]
    fn the_digits_are_a_number() {
        assert_eq!(number("LX 7"), Some(7));
        assert_eq!(number("LX seven"), None);
    }
}
// ANCHOR_END: all
