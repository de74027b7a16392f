// ANCHOR: all
// ANCHOR: keep
use std::future::Future;
use std::sync::Arc;

// ANCHOR: context
/// What belongs to one request, for code that you cannot give an argument.
#[derive(Debug, PartialEq)]
struct Context {
    request_id: String,
    language: String,
}

tokio::task_local! {
    static CONTEXT: Option<Arc<Context>>;
}
// ANCHOR_END: context

// ANCHOR: current
/// The context of the code that runs now. `None` outside of a request.
fn current() -> Option<Arc<Context>> {
    CONTEXT.try_get().ok().flatten()
}
// ANCHOR_END: current

/// For a task: the future runs in the context in which you call `inherit`.
fn inherit<F: Future>(work: F) -> impl Future<Output = F::Output> {
    CONTEXT.scope(current(), work)
}

// ANCHOR: inherit_sync
/// For a thread: the same for a function.
fn inherit_sync<T>(work: impl FnOnce() -> T) -> impl FnOnce() -> T {
    let context = current();
    move || CONTEXT.sync_scope(context, work)
}
// ANCHOR_END: inherit_sync
// ANCHOR_END: keep

// Two requests at the same time, and what else happens to a scope.
use std::future::pending;
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use anyhow::Result;
use futures::future::join_all;
use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinSet, spawn_blocking, yield_now};
use tokio::time::{sleep, timeout};

// ANCHOR: call
/// The headers of each request to a carrier.
fn headers() -> Option<String> {
    let context = current()?;
    let Context { request_id, language } = &*context;
    Some(format!("x-request-id: {request_id}, accept-language: {language}"))
}

/// What the carrier knows of a parcel, and its label.
async fn track(parcel: u32) -> Result<Vec<String>> {
    let status = ask("status", parcel).await; // in the scope already
    let events = tokio::spawn(inherit(ask("events", parcel)));
    let label = spawn_blocking(inherit_sync(move || render(parcel)));
    Ok(vec![status, events.await?, label.await?])
}

async fn handler(context: Context, parcel: u32) -> Result<Vec<String>> {
    CONTEXT.scope(Some(Arc::new(context)), track(parcel)).await
}
// ANCHOR_END: call

async fn ask(what: &str, parcel: u32) -> String {
    sleep(Duration::from_secs(u64::from(parcel))).await;
    format!("{what} of {parcel}: {:?}", headers())
}

fn render(parcel: u32) -> String {
    format!("label of {parcel}: {:?}", headers())
}

fn context(request_id: &str, language: &str) -> Context {
    Context { request_id: request_id.into(), language: language.into() }
}

/// Runs a future in the scope of a request.
async fn request<F: Future>(request_id: &str, work: F) -> F::Output {
    let context = Arc::new(context(request_id, "en"));
    CONTEXT.scope(Some(context), work).await
}

/// Calls a function in the scope of a request.
fn start<T>(request_id: &str, start: impl FnOnce() -> T) -> T {
    CONTEXT.sync_scope(Some(Arc::new(context(request_id, "en"))), start)
}

/// The request's id, where it is called.
fn id() -> Option<String> {
    current().map(|context| context.request_id.clone())
}

async fn id_later() -> Option<String> {
    yield_now().await;
    id()
}

/// Tasks and threads without the context.
async fn not_inherited() -> Result<[Option<String>; 4]> {
    // ANCHOR: broken_spawn
    let mut tasks = JoinSet::new();
    tasks.spawn(id_later());
    let one = tasks.join_next().await.expect("one task")?;
    let two = tokio::spawn(id_later()).await?;
    let three = spawn_blocking(id).await?;
    // ANCHOR_END: broken_spawn
    let four = thread::spawn(id).join().expect("no panic");
    Ok([one, two, three, four])
}

async fn inherited() -> Result<[Option<String>; 4]> {
    // ANCHOR: fixed_spawn
    let mut tasks = JoinSet::new();
    tasks.spawn(inherit(id_later()));
    let one = tasks.join_next().await.expect("one task")?;
    let two = tokio::spawn(inherit(id_later())).await?;
    let three = spawn_blocking(inherit_sync(id)).await?;
    // ANCHOR_END: fixed_spawn
    let four = thread::spawn(inherit_sync(id)).join().expect("no panic");
    Ok([one, two, three, four])
}

/// The context is read in the new task, and before.
async fn late() -> Result<[Option<String>; 2]> {
    // ANCHOR: broken_late
    let late = tokio::spawn(async {
        let context = current(); // runs in the new task
        CONTEXT.scope(context, id_later()).await
    });
    // ANCHOR_END: broken_late
    // ANCHOR: fixed_late
    let context = current(); // runs in this task
    let task = tokio::spawn(CONTEXT.scope(context, id_later()));
    // ANCHOR_END: fixed_late
    Ok([late.await?, task.await?])
}

/// Notes the request's id, where it is dropped.
struct Dropped(Arc<Mutex<Vec<Option<String>>>>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.lock().expect("no holder panics").push(id());
    }
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> Result<()> {
    // ANCHOR: both
    let (one, two) = tokio::try_join!(
        handler(context("a1", "en"), 2),
        handler(context("b2", "nb"), 1),
    )?;
    // ANCHOR_END: both
    println!("two requests:");
    for (lines, headers) in [
        (one, "of 2: Some(\"x-request-id: a1, accept-language: en\")"),
        (two, "of 1: Some(\"x-request-id: b2, accept-language: nb\")"),
    ] {
        println!("  {}", lines.join("\n  "));
        let calls = ["status", "events", "label"];
        assert_eq!(lines, calls.map(|call| format!("{call} {headers}")));
    }

    // All that is awaited is polled in the scope.
    let a1 = Some("a1".to_owned());
    let awaited = request("a1", async {
        let (one, two) = tokio::join!(id_later(), Box::pin(id_later()));
        let three = timeout(Duration::from_secs(1), id_later()).await?;
        anyhow::Ok([vec![one, two, three], join_all([id_later()]).await])
    });
    let awaited = awaited.await?.concat();
    let found = awaited.iter().filter(|id| **id == a1).count();
    println!("awaited: {found} of {}", awaited.len());
    assert_eq!(found, 4);

    let none = request("a1", not_inherited()).await?;
    println!("not inherited: {none:?}");
    assert_eq!(none, [const { None }; 4]);
    let some = request("a1", inherited()).await?;
    println!("inherited: {some:?}");
    assert!(some.iter().all(|id| *id == a1));
    let late = request("a1", late()).await?;
    println!("read in the new task, read before: {late:?}");
    assert_eq!(late, [None, a1.clone()]);

    let outside = inherit(async { (inherit_sync(id)(), headers()) }).await;
    println!("outside of a request: {outside:?}");
    assert_eq!(outside, (None, None));
    let error = CONTEXT.try_get().expect_err("no scope");
    println!("outside of each scope: {error}");

    let nested = request("a1", async {
        [request("b2", id_later()).await, id_later().await]
    });
    let nested = nested.await;
    println!("nested: {nested:?}");
    assert_eq!(nested, [Some("b2".to_owned()), a1.clone()]);

    // The request has ended; its task has not.
    let (closed_tx, closed) = oneshot::channel::<()>();
    let work = async {
        closed.await.expect_err("it is dropped");
        id()
    };
    let task = start("a1", || tokio::spawn(inherit(work)));
    drop(closed_tx);
    let later = task.await?;
    println!("after the request: {later:?}");
    assert_eq!(later, a1);

    // A panic, and a cancellation before and after the first poll.
    let dropped = Arc::<Mutex<_>>::default();
    let note = Dropped(Arc::clone(&dropped));
    let panics = request("a1", async move {
        let _note = note;
        yield_now().await;
        std::panic::resume_unwind(Box::new("a panic without a message"))
    });
    let end: Result<(), _> = tokio::spawn(panics).await;
    assert!(end.is_err_and(|error| error.is_panic()));
    for first in [false, true] {
        let note = Dropped(Arc::clone(&dropped));
        let work = async move {
            let _note = note;
            pending::<()>().await;
        };
        let task = start("a1", || tokio::spawn(inherit(work)));
        if first {
            yield_now().await;
        }
        task.abort();
        assert!(task.await.is_err_and(|error| error.is_cancelled()));
    }
    let dropped = dropped.lock().expect("no holder panics").clone();
    println!("panics, cancelled twice: {dropped:?}, then {:?}", id());
    assert_eq!((dropped, id()), (vec![a1.clone(); 3], None));

    // A task that serves all requests: the context is in the message.
    // ANCHOR: actor
    let (jobs_tx, mut jobs_rx) = mpsc::channel(8);
    let actor = tokio::spawn(async move {
        while let Some((context, reply_tx)) = jobs_rx.recv().await {
            let reply_tx: oneshot::Sender<_> = reply_tx;
            let id = CONTEXT.scope(context, id_later()).await;
            _ = reply_tx.send(id);
        }
    });
    let id = request("a1", async {
        let (reply_tx, reply) = oneshot::channel();
        jobs_tx.send((current(), reply_tx)).await?;
        anyhow::Ok(reply.await?)
    });
    let id = id.await?;
    // ANCHOR_END: actor
    println!("in a message: {id:?}");
    assert_eq!(id, a1);
    drop(jobs_tx);
    Ok(actor.await?)
}
// ANCHOR_END: all
