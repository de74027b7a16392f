// ANCHOR: all
use std::collections::HashMap;
use std::sync::{Arc, RwLock, Weak};
use std::time::Duration;

use anyhow::{Context, Result};
use futures::future::{BoxFuture, FutureExt};
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep, timeout};

const SECOND: Duration = Duration::from_secs(1);

type Handler = Arc<dyn Fn(u32) -> BoxFuture<'static, Result<()>> + Send + Sync>;
type Handlers = HashMap<String, Handler>;

async fn handle_locked(
    handlers: &Mutex<Handlers>,
    kind: &str,
    id: u32,
) -> Result<()> {
    // ANCHOR: broken
    let handlers = handlers.lock().await; // a Mutex of tokio
    let handler = handlers.get(kind).context("no handler")?;
    handler(id).await
    // ANCHOR_END: broken
}

async fn handle(
    handlers: &RwLock<Handlers>,
    kind: &str,
    id: u32,
) -> Result<()> {
    // ANCHOR: fixed
    // A RwLock of std. Its guard is dropped at the end of the statement.
    let handler = handlers.read().expect("no panic within").get(kind).cloned();
    let handler = handler.context("no handler")?;
    handler(id).await
    // ANCHOR_END: fixed
}

/// A handler that takes a second.
fn slow() -> Handler {
    Arc::new(|_| {
        let call = async {
            sleep(SECOND).await;
            Ok(())
        };
        call.boxed()
    })
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> Result<()> {
    let locked = Arc::new_cyclic(|all: &Weak<Mutex<Handlers>>| {
        let all = Weak::clone(all);
        let nested: Handler = Arc::new(move |id| {
            let all = all.upgrade().expect("its owner calls it");
            let call = async move { handle_locked(&all, "slow", id).await };
            call.boxed()
        });
        let kinds = [("slow", slow()), ("nested", nested)];
        let kinds = kinds.map(|(kind, handler)| (kind.to_owned(), handler));
        Mutex::new(HashMap::from(kinds))
    });
    let start = Instant::now();
    let (one, two) = tokio::join!(
        handle_locked(&locked, "slow", 7),
        handle_locked(&locked, "slow", 8),
    );
    one.and(two)?;
    println!("locked, two calls: {:?}", start.elapsed());
    assert_eq!(start.elapsed(), 2 * SECOND);
    let day = 86_400 * SECOND;
    let nested = timeout(day, handle_locked(&locked, "nested", 7)).await;
    println!("locked, a nested call ends: {}", nested.is_ok());
    assert!(nested.is_err(), "a deadlock");

    let cloned = Arc::new_cyclic(|all: &Weak<RwLock<Handlers>>| {
        let all = Weak::clone(all);
        let nested: Handler = Arc::new(move |id| {
            let all = all.upgrade().expect("its owner calls it");
            let call = async move { handle(&all, "slow", id).await };
            call.boxed()
        });
        let kinds = [("slow", slow()), ("nested", nested)];
        let kinds = kinds.map(|(kind, handler)| (kind.to_owned(), handler));
        RwLock::new(HashMap::from(kinds))
    });
    let start = Instant::now();
    let (one, two) =
        tokio::join!(handle(&cloned, "slow", 7), handle(&cloned, "slow", 8),);
    one.and(two)?;
    println!("cloned, two calls: {:?}", start.elapsed());
    assert_eq!(start.elapsed(), SECOND);
    let nested = timeout(day, handle(&cloned, "nested", 7)).await;
    println!("cloned, a nested call ends: {}", nested.is_ok());
    nested??;
    let unknown = handle(&cloned, "unknown", 7).await;
    assert!(unknown.is_err());
    Ok(())
}
// ANCHOR_END: all
