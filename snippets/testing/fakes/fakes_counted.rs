// ANCHOR: all
use std::sync::Mutex;

#[derive(Default)]
struct FakeNotifier {
    sent: Mutex<Vec<u32>>,
}

impl FakeNotifier {
    async fn send(&self, parcel: u32) {
        self.sent.lock().expect("no panic").push(parcel);
    }
}

/// By mistake it always sends the first parcel.
async fn notify_all(notifier: &FakeNotifier, parcels: &[u32]) {
    for _ in parcels {
        notifier.send(parcels[0]).await;
    }
}

/// What the tests assert.
fn checks(sent: &[u32]) -> (bool, bool) {
    // ANCHOR: broken
    let of_count = sent.len() == 3;
    // ANCHOR_END: broken
    // ANCHOR: fixed
    let of_arguments = sent == [7, 8, 9];
    // ANCHOR_END: fixed
    (of_count, of_arguments)
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let notifier = FakeNotifier::default();
    notify_all(&notifier, &[7, 8, 9]).await;
    let sent = notifier.sent.into_inner().expect("no panic");
    let (of_count, of_arguments) = checks(&sent);
    println!("sent: {sent:?}");
    println!("three calls: {of_count}, these calls: {of_arguments}");
    assert!(of_count && !of_arguments);
    assert_eq!(checks(&[7, 8, 9]), (true, true));
}
// ANCHOR_END: all
