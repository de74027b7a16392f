// ANCHOR: all
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::PathBuf;
use std::pin::pin;
use std::sync::{Arc, Barrier, mpsc};

use futures::future::try_join_all;
use futures::poll;
use rayon::{ThreadPool, ThreadPoolBuilder};
use tokio::sync::oneshot;
use tokio::task::spawn_blocking;

// ANCHOR: compute
async fn compute<T: Send + 'static>(
    pool: &ThreadPool,
    work: impl FnOnce() -> T + Send + 'static,
) -> T {
    let (sender, receiver) = oneshot::channel();
    pool.spawn(move || {
        if !sender.is_closed() {
            // A panic that left this closure would end the whole program.
            let outcome = catch_unwind(AssertUnwindSafe(work));
            let _ = sender.send(outcome); // fails if nobody waits any more
        }
    });
    match receiver.await.expect("the pool runs what it is given") {
        Ok(value) => value,
        Err(panic) => resume_unwind(panic),
    }
}
// ANCHOR_END: compute

// ANCHOR: fingerprint
fn fingerprint(photo: &[u8]) -> u32 {
    photo.iter().fold(7, |mark: u32, &byte| {
        mark.wrapping_mul(31).wrapping_add(byte.into())
    })
}
// ANCHOR_END: fingerprint

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    // ANCHOR: archive
    let archive = tempfile::tempdir()?;
    let photos: Vec<Vec<u8>> = (1..=4).map(|n| vec![n; 100_000]).collect();
    let paths: Vec<PathBuf> =
        (1..=4).map(|n| archive.path().join(format!("{n}.raw"))).collect();
    for (path, photo) in paths.iter().zip(&photos) {
        std::fs::write(path, photo)?;
    }
    // ANCHOR_END: archive

    // ANCHOR: parallel
    // ANCHOR: pool
    let pool = &ThreadPoolBuilder::new().num_threads(4).build()?;
    // ANCHOR_END: pool
    let all_four = &Arc::new(Barrier::new(4));
    // ANCHOR: gather
    let marks = try_join_all(paths.into_iter().map(async |path| {
        // ANCHOR_END: gather
        // ANCHOR: disk
        // Waits for the disk: any number may wait at once.
        let photo = spawn_blocking(|| std::fs::read(path)).await??;
        // ANCHOR_END: disk
        let all_four = all_four.clone();
        // ANCHOR: processor
        // Needs a processor: no more at once than there are threads.
        let mark = compute(pool, move || {
            all_four.wait(); // goes on when all four are at work
            fingerprint(&photo)
        });
        // ANCHOR_END: processor
        anyhow::Ok(mark.await)
    }))
    .await?;
    // ANCHOR_END: parallel

    let one_by_one: Vec<u32> = photos.iter().map(|p| fingerprint(p)).collect();
    assert_eq!(marks, one_by_one);
    println!("4 photos at work together: {marks:?}");

    // ANCHOR: skipped
    let pool = &ThreadPoolBuilder::new().num_threads(1).build()?;
    let (finish, finished) = mpsc::channel::<()>();
    let mut busy = pin!(compute(pool, move || finished.recv().is_err()));
    assert!(poll!(&mut busy).is_pending());
    let (began, begin) = mpsc::channel();
    {
        let mut queued = pin!(compute(pool, move || began.send(())));
        assert!(poll!(&mut queued).is_pending());
    } // its caller leaves
    drop(finish);
    assert!(busy.await);
    assert!(begin.recv().is_err(), "it was thrown away");
    // ANCHOR_END: skipped
    println!("a fifth, which nobody waits for, is skipped");
    Ok(())
}
// ANCHOR_END: all
