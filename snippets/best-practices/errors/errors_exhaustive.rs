// ANCHOR: broken
use std::num::IntErrorKind;

#[non_exhaustive]
pub enum QuoteError {
    Connect,
    Lost,
}

fn same_crate(error: QuoteError) -> &'static str {
    match error {
        QuoteError::Connect => "ask another carrier",
    }
}

fn other_crate(kind: &IntErrorKind) -> &'static str {
    match kind {
        IntErrorKind::Empty => "no digits",
        IntErrorKind::InvalidDigit => "other characters",
        IntErrorKind::PosOverflow => "too high",
        IntErrorKind::NegOverflow => "too low",
        IntErrorKind::Zero => "zero",
    }
}
// ANCHOR_END: broken

fn main() {
    same_crate(QuoteError::Lost);
    other_crate(&IntErrorKind::Empty);
}
