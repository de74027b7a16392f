// ANCHOR: all
enum DepotError {
    Unreachable,
    Silent,
    Nonsense,
}

fn what_to_do(error: DepotError) -> &'static str {
    match error {
        DepotError::Unreachable => "ask the next depot",
        DepotError::Silent => "ask again",
    }
}

fn main() {
    what_to_do(DepotError::Nonsense);
}
// ANCHOR_END: all
