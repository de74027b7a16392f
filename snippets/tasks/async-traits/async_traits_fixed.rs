// ANCHOR: all
use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, mpsc};

use anyhow::Result;
use futures::future::{BoxFuture, FutureExt};
use tokio::task::{JoinHandle, yield_now};

// ANCHOR: fixed_general
async fn retry<F: Future<Output = bool>>(mut function: impl FnMut() -> F) {
    while !function().await {}
}
// ANCHOR_END: fixed_general

/// What the requests were.
type Asked = Arc<Mutex<Vec<String>>>;

/// A request. The third one succeeds.
async fn ask(carrier: &str, asked: &Asked) -> bool {
    yield_now().await;
    let mut asked = asked.lock().expect("no panic within");
    asked.push(carrier.to_owned());
    asked.len() == 3
}

fn start_borrowing(carrier: String, asked: Asked) -> JoinHandle<()> {
    tokio::spawn(async move {
        retry(async || ask(&carrier, &asked).await).await;
    })
}

fn start_counting(mut requests: u32) -> JoinHandle<u32> {
    tokio::spawn(async move {
        // ANCHOR: fixed_count
        let counted = || {
            requests += 1;
            let is_last = requests == 3;
            async move { is_last }
        };
        retry(counted).await;
        // ANCHOR_END: fixed_count
        requests
    })
}

/// With the bound that does not name the future's type.
async fn retry_lent(mut function: impl AsyncFnMut() -> bool) {
    while !function().await {}
}

/// With the bounds of `Handlers::on`.
fn start<F>(handler: impl Fn(u32) -> F + Send + 'static) -> JoinHandle<()>
where
    F: Future<Output = ()> + Send + 'static,
{
    tokio::spawn(async move { handler(7).await })
}

async fn twice<F: Future<Output = ()>>(function: impl Fn() -> F) {
    function().await;
    function().await;
}

type Log = Vec<u32>;

/// For a map, or for a function that spawns.
type LogHandler =
    Box<dyn for<'a> Fn(&'a mut Log) -> BoxFuture<'a, Result<()>> + Send + Sync>;

async fn with_log(log: &mut Log, function: impl AsyncFn(&mut Log)) {
    function(log).await;
}

#[tokio::main]
async fn main() -> Result<()> {
    let asked = Asked::default();
    start_borrowing("post".to_owned(), Arc::clone(&asked)).await?;
    let count = asked.lock().expect("no panic within").len();
    println!("in a task, borrows: {count} requests");
    assert_eq!(count, 3);
    let count = start_counting(0).await?;
    println!("in a task, counts: {count} requests");
    assert_eq!(count, 3);

    // The other bound: not in a task, or with a closure that owns its values.
    let mut requests = 0;
    retry_lent(async || {
        requests += 1;
        requests == 3
    })
    .await;
    assert_eq!(requests, 3);
    let (carrier, asked) = ("post".to_owned(), Asked::default());
    let requests = Arc::clone(&asked);
    let owns = async move || ask(&carrier, &asked).await;
    tokio::spawn(retry_lent(owns)).await?;
    assert_eq!(requests.lock().expect("no panic within").len(), 3);

    let (sent_tx, sent_rx) = mpsc::channel();
    let handler = move |id| {
        let sent_tx = sent_tx.clone();
        async move {
            yield_now().await;
            sent_tx.send(id).expect("it is read below");
        }
    };
    start(handler).await?;
    let id = sent_rx.recv()?;
    println!("any function, in a task: parcel {id}");
    assert_eq!(id, 7);

    let sent = Mutex::new(Vec::new());
    let send = |city: &String| {
        sent.lock().expect("no panic within").push(city.clone());
    };
    // ANCHOR: fixed_once
    let city = "Oslo".to_owned();
    twice(async || send(&city)).await;
    // ANCHOR_END: fixed_once
    // ANCHOR: fixed_clone
    let each = || {
        let city = city.clone(); // one for each call
        async move { send(&city) }
    };
    twice(each).await;
    // ANCHOR_END: fixed_clone
    let sent = sent.into_inner()?;
    println!("several calls: {sent:?}");
    assert_eq!(sent, ["Oslo"; 4]);

    let mut log = Log::new();
    // ANCHOR: fixed_lent
    with_log(&mut log, async |log: &mut Log| log.push(7)).await;
    // ANCHOR_END: fixed_lent
    println!("a log that is lent: {log:?}");
    assert_eq!(log, [7]);

    // In a map, and in a task.
    let write: LogHandler = Box::new(|log: &mut Log| {
        async move {
            yield_now().await;
            log.push(8);
            Ok(())
        }
        .boxed()
    });
    let handlers = HashMap::from([("write", write)]);
    let written = tokio::spawn(async move {
        let mut log = Log::new();
        handlers["write"](&mut log).await.map(|()| log)
    });
    let log = written.await??;
    println!("lent by a task: {log:?}");
    assert_eq!(log, [8]);
    Ok(())
}
// ANCHOR_END: all
