// ANCHOR: all
use tokio::sync::mpsc::{self, Receiver};

async fn track(parcel: u32) -> String {
    format!("parcel {parcel} is in transit")
}

// ANCHOR: broken
async fn wait(parcel: u32, mut scans_rx: Receiver<u32>) -> String {
    let mut status = track(parcel);
    loop {
        tokio::select! {
            status = &mut status => return status,
            Some(scan) = scans_rx.recv() => println!("scan {scan}"),
        }
    }
}
// ANCHOR_END: broken

#[tokio::main]
async fn main() {
    wait(7, mpsc::channel(1).1).await;
}
// ANCHOR_END: all
