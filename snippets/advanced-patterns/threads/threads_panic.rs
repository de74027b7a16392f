// ANCHOR: all
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::process::Command;

use tokio::sync::oneshot;
use tokio::task::spawn_blocking;

// ANCHOR: broken
// Broken: nothing catches the panic on rayon's thread.
async fn compute_uncaught<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let (sender, receiver) = oneshot::channel();
    rayon::spawn(move || _ = sender.send(work()));
    receiver.await.ok()
}
// ANCHOR_END: broken

// ANCHOR: fixed
// Fixed: it is caught there, and goes on here.
async fn compute<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> T {
    let (sender, receiver) = oneshot::channel();
    rayon::spawn(move || {
        _ = sender.send(catch_unwind(AssertUnwindSafe(work)));
    });
    match receiver.await.expect("rayon runs what it is given") {
        Ok(value) => value,
        Err(panic) => resume_unwind(panic),
    }
}
// ANCHOR_END: fixed

fn torn_photo() -> u32 {
    panic!("the photo is torn")
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    // The broken way runs in a process of its own: this program, once more.
    if std::env::args().nth(1).as_deref() == Some("broken") {
        compute_uncaught(torn_photo).await;
        std::future::pending::<()>().await; // would wait for ever
    }
    let child =
        Command::new(std::env::current_exe()?).arg("broken").output()?;
    assert!(!child.status.success());
    assert_ne!(child.status.code(), Some(101), "no panic, an abort");
    assert!(String::from_utf8(child.stderr)?.contains("aborting"));
    println!("uncaught: the program is gone");

    let crash = tokio::spawn(compute(torn_photo)).await.unwrap_err();
    let message = crash.into_panic();
    assert_eq!(message.downcast_ref(), Some(&"the photo is torn"));
    assert_eq!(compute(|| 7).await, 7);
    println!("caught: one caller is told, rayon works on");

    // ANCHOR: blocking
    // spawn_blocking catches by itself, as tokio::spawn does.
    let crash = spawn_blocking(torn_photo).await.unwrap_err();
    assert!(crash.is_panic());
    assert_eq!(spawn_blocking(|| 7).await?, 7);
    // ANCHOR_END: blocking
    println!("spawn_blocking: the same");
    Ok(())
}
// ANCHOR_END: all
