//! What is cancelled when a future, a handle or a runtime is dropped.
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use tokio::runtime::Builder;
use tokio::task::{JoinSet, yield_now};
use tokio::time::{sleep, timeout};

static SENT: Mutex<Vec<&str>> = Mutex::new(Vec::new());
static CONNECTED: AtomicU32 = AtomicU32::new(0);

struct Connection;

impl Connection {
    fn open() -> Connection {
        CONNECTED.fetch_add(1, Relaxed);
        Connection
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        CONNECTED.fetch_sub(1, Relaxed);
    }
}

/// Takes a second, and notes that it has reached its end.
async fn notify(case: &'static str) {
    let _connection = Connection::open();
    sleep(Duration::from_secs(1)).await;
    SENT.lock().expect("no panic").push(case);
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    // ANCHOR: fixed
    notify("awaited").await;

    // It never begins: nothing polls it.
    let future = notify("not polled");

    // It is dropped at its await, after 0.5 s.
    let limit = Duration::from_millis(500);
    let result = timeout(limit, notify("timed out")).await;

    // The task goes on without its handle.
    drop(tokio::spawn(notify("detached")));

    // The task is dropped, at its await or before it begins.
    let task = tokio::spawn(notify("aborted"));
    task.abort();
    // ANCHOR_END: fixed

    drop(future);
    assert!(result.is_err());
    assert!(task.await.expect_err("aborted").is_cancelled());
    let mut set = JoinSet::new();
    set.spawn(notify("in a set"));
    yield_now().await; // all tasks begin
    assert_eq!(CONNECTED.load(Relaxed), 2);
    drop(set);
    yield_now().await;
    assert_eq!(CONNECTED.load(Relaxed), 1);

    let end_of_main = thread::spawn(|| {
        let runtime = Builder::new_current_thread().enable_time().build()?;
        runtime.block_on(async {
            tokio::spawn(notify("at the end of main"));
            yield_now().await;
            assert_eq!(CONNECTED.load(Relaxed), 2);
        });
        drop(runtime);
        assert_eq!(CONNECTED.load(Relaxed), 1);
        anyhow::Ok(())
    });
    end_of_main.join().expect("no assertion fails")?;

    sleep(Duration::from_secs(2)).await;
    let sent = SENT.lock().expect("no panic");
    let connected = CONNECTED.load(Relaxed);
    assert_eq!(*sent, ["awaited", "detached"]);
    assert_eq!(connected, 0);
    println!("sent: {sent:?}, still connected: {connected}");
    Ok(())
}
