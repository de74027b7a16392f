// ANCHOR: all
use std::any::Any;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::OnceCell;
use tokio::time::sleep;

/// The first attempt panics, if it comes so far.
async fn sign_in() -> u32 {
    static ATTEMPTS: AtomicU32 = AtomicU32::new(0);
    sleep(Duration::from_secs(10)).await;
    let attempts = ATTEMPTS.fetch_add(1, Relaxed);
    assert!(attempts > 0, "a comma in the password");
    attempts
}

// ANCHOR: broken
static BLOCKS: LazyLock<u32> =
    LazyLock::new(|| Handle::current().block_on(sign_in()));
// ANCHOR_END: broken

// ANCHOR: fixed
static AWAITS: OnceCell<u32> = OnceCell::const_new();

async fn session() -> u32 {
    *AWAITS.get_or_init(sign_in).await
}
// ANCHOR_END: fixed

/// The first sentence of a panic.
fn sentence(panic: Box<dyn Any + Send>) -> String {
    let text = panic.downcast::<String>().map(|text| *text);
    let text = text
        .or_else(|panic| panic.downcast().map(|s: Box<&str>| s.to_string()));
    let text = text.unwrap_or_default();
    text.split(". ").next().unwrap_or_default().to_owned()
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    for expected in ["from within a runtime", "previously been poisoned"] {
        let end = tokio::spawn(async { *BLOCKS }).await;
        let panic = sentence(end.unwrap_err().into_panic());
        println!("LazyLock: {panic}");
        assert!(panic.contains(expected));
    }

    // A panic is not kept: the next caller tries again.
    let end = tokio::spawn(session()).await;
    let panic = sentence(end.unwrap_err().into_panic());
    println!("OnceCell: {panic}");
    assert_eq!(panic, "a comma in the password");
    let session = tokio::spawn(session()).await?;
    println!("OnceCell: session {session}");
    assert_eq!(session, 1);
    Ok(())
}
// ANCHOR_END: all
