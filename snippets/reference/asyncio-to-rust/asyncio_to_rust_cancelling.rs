// ANCHOR: all
use std::future::ready;
use std::mem::take;
use std::sync::Mutex;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::{AbortHandle, yield_now};
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tokio_util::sync::CancellationToken;

const HOUR: Duration = Duration::from_secs(3600);

static LOG: Mutex<Vec<&str>> = Mutex::new(Vec::new());

fn log(what: &'static str) {
    LOG.lock().expect("never poisoned").push(what);
}

fn logged() -> Vec<&'static str> {
    take(&mut LOG.lock().expect("never poisoned"))
}

struct Lamp;

impl Drop for Lamp {
    fn drop(&mut self) {
        log("dark");
    }
}

/// At sea for three hours.
async fn sail() -> &'static str {
    let _lamp = Lamp;
    sleep(3 * HOUR).await;
    log("home");
    "fish"
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    // timeout, timeout_at: Drop runs, no other line does.
    assert!(timeout(HOUR, sail()).await.is_err());
    let noon = Instant::now() + HOUR;
    assert!(timeout_at(noon, sail()).await.is_err());
    assert_eq!(Instant::now(), noon);
    assert_eq!(logged(), ["dark", "dark"]);
    println!("timeout: the future is dropped");

    // A task and its handle: a shield.
    let mut boat = tokio::spawn(sail());
    assert!(timeout(HOUR, &mut boat).await.is_err());
    assert_eq!(boat.await?, "fish");
    assert_eq!(logged(), ["home", "dark"]);
    println!("spawn: the timeout leaves the task alone");

    // abort: at the next wait. The joiner is told, the task is not.
    let (send, receive) = oneshot::channel::<AbortHandle>();
    let boat = tokio::spawn(async {
        let _lamp = Lamp;
        receive.await.expect("sent below").abort(); // itself
        ready(()).await; // does not wait
        log("sails on");
        yield_now().await;
        log("never");
    });
    send.send(boat.abort_handle()).expect("received above");
    assert!(boat.await.unwrap_err().is_cancelled());
    assert_eq!(logged(), ["sails on", "dark"]);
    println!("abort: takes effect at an await that waits");

    // CancellationToken: the task is told, and says goodbye.
    let storm = CancellationToken::new();
    let warned = storm.clone();
    let boat = tokio::spawn(async move {
        // The scope: what is inside is dropped, what follows is not.
        assert_eq!(warned.run_until_cancelled(sail()).await, None);
        sleep(HOUR).await;
        "in the harbour"
    });
    yield_now().await;
    storm.cancel();
    assert_eq!(boat.await?, "in the harbour");
    assert_eq!(logged(), ["dark"]);
    println!("token: told, not dropped");
    Ok(())
}
// ANCHOR_END: all
