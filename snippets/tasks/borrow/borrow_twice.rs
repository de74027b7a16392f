// ANCHOR: all
async fn scan(events: &mut Vec<u32>, parcel: u32) {
    events.push(parcel);
}

// ANCHOR: broken
async fn scan_both() -> Vec<u32> {
    let mut events = vec![];
    tokio::join!(scan(&mut events, 7), scan(&mut events, 8));
    events
}
// ANCHOR_END: broken

#[tokio::main]
async fn main() {
    scan_both().await;
}
// ANCHOR_END: all
