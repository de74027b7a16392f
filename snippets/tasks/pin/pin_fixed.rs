// ANCHOR: all
use std::future::Future;
use std::pin::{Pin, pin};
use std::time::Duration;

use futures::future::{BoxFuture, FutureExt, join_all};
use futures::stream::{self, FuturesUnordered, Stream, StreamExt};
use tokio::sync::mpsc::{self, Receiver};
use tokio::time::{sleep, timeout};

const SECOND: Duration = Duration::from_secs(1);

async fn track(parcel: u32) -> String {
    sleep(5 * SECOND / 2).await;
    format!("parcel {parcel} is in transit")
}

async fn cached() -> String {
    "parcel 7 is at the carrier".into()
}

fn scans() -> impl Stream<Item = u32> {
    stream::unfold(1, |scan| async move {
        sleep(SECOND).await;
        (scan <= 3).then_some((scan, scan + 1))
    })
}

// ANCHOR: fixed_select
async fn wait(parcel: u32, mut scans_rx: Receiver<u32>) -> String {
    let mut status = pin!(track(parcel));
    loop {
        tokio::select! {
            status = &mut status => return status,
            Some(scan) = scans_rx.recv() => println!("scan {scan}"),
        }
    }
}
// ANCHOR_END: fixed_select

// ANCHOR: fixed_bound
async fn count(events: impl Stream<Item = u32>) -> usize {
    tokio::pin!(events); // as `let mut events = pin!(events);`
    let mut count = 0;
    while events.next().await.is_some() {
        count += 1;
    }
    count
}
// ANCHOR_END: fixed_bound

// ANCHOR: fixed_list
async fn both() -> Vec<String> {
    let ways: Vec<BoxFuture<'static, String>> =
        vec![Box::pin(track(7)), cached().boxed()];
    join_all(ways).await
}
// ANCHOR_END: fixed_list

// ANCHOR: fixed_field
struct Request<F> {
    response: Pin<Box<F>>,
}

impl<F: Future> Request<F> {
    fn new(response: F) -> Self {
        Request { response: Box::pin(response) }
    }

    /// The response, if it is there within a second. Call it again.
    async fn poll(&mut self) -> Option<F::Output> {
        let second = Duration::from_secs(1);
        timeout(second, &mut self.response).await.ok()
    }
}
// ANCHOR_END: fixed_field

// ANCHOR: fixed_return
fn request(parcel: u32) -> Pin<Box<dyn Future<Output = String> + Send>> {
    Box::pin(track(parcel))
}
// ANCHOR_END: fixed_return

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let (scans_tx, scans_rx) = mpsc::channel(1);
    let sends = async {
        for scan in [1, 2] {
            sleep(SECOND).await;
            scans_tx.send(scan).await.expect("it is received");
        }
    };
    let (status, ()) = tokio::join!(wait(7, scans_rx), sends);
    println!("select!: {status}");
    assert_eq!(status, "parcel 7 is in transit");

    let count = count(scans()).await;
    println!("a stream: {count} events");
    assert_eq!(count, 3);

    let statuses = both().await;
    println!("a list: {statuses:?}");
    let expected = ["parcel 7 is in transit", "parcel 7 is at the carrier"];
    assert_eq!(statuses, expected);

    // Futures of one type need no `Pin` here.
    let requests = FuturesUnordered::from_iter([track(7), track(13)]);
    assert_eq!(requests.count().await, 2);
    assert_eq!(join_all([track(7), track(13)]).await.len(), 2);

    let mut request_7 = Request::new(track(7));
    let mut polls = 1;
    let status = loop {
        match request_7.poll().await {
            Some(status) => break status,
            None => polls += 1,
        }
    };
    println!("a field: {status}, in second {polls}");
    assert_eq!((status.as_str(), polls), ("parcel 7 is in transit", 3));

    let status = tokio::spawn(request(7)).await.expect("no panic");
    println!("returned: {status}");
    assert_eq!(status, "parcel 7 is in transit");
}
// ANCHOR_END: all
