// ANCHOR: all
use std::thread;
use std::time::Duration;

use futures::future::join_all;
use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::timeout;

tokio::task_local! {
    static CASE: u32;
}

fn number() -> Option<u32> {
    CASE.try_get().ok()
}

async fn case() -> Option<u32> {
    number()
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    // An archive that is always open, and writes down who asks.
    let (archive, mut letters) = mpsc::channel(1);
    let archivist = tokio::spawn(async move {
        while let Some((told, reply)) = letters.recv().await {
            let reply: oneshot::Sender<_> = reply;
            reply.send(number().or(told)).expect("someone waits");
        }
    });
    let ask = async |told: Option<u32>| {
        let (reply, answer) = oneshot::channel();
        archive.send((told, reply)).await?;
        anyhow::Ok(answer.await?)
    };

    let kept = CASE.scope(7, async {
        let (one, two) = tokio::join!(case(), Box::pin(case()));
        let three = timeout(Duration::from_secs(1), case()).await?;
        anyhow::Ok([vec![one, two, three], join_all([case()]).await].concat())
    });
    assert_eq!(kept.await?, [Some(7); 4]);
    println!("4 of 4 futures know the case");

    // ANCHOR: broken
    // Broken: out of the task, and the number stays behind.
    let lost = CASE.scope(7, async {
        let mut set = JoinSet::new();
        set.spawn(case());
        let task = tokio::spawn(case()).await?;
        let blocking = spawn_blocking(number).await?;
        let thread = thread::spawn(number).join().expect("no panic");
        let others = [task, blocking, thread, ask(None).await?];
        anyhow::Ok([set.join_all().await, others.to_vec()].concat())
    });
    assert_eq!(lost.await?, [None; 5]);
    println!("0 of 5 others know it");
    // ANCHOR_END: broken

    // ANCHOR: fixed
    // Fixed: read it where it is known, and hand it over.
    let handed = CASE.scope(7, async {
        let known = CASE.get();
        let mut set = JoinSet::new();
        set.spawn(CASE.scope(known, case()));
        let task = tokio::spawn(CASE.scope(known, case())).await?;
        let number = move || CASE.sync_scope(known, number);
        let blocking = spawn_blocking(number).await?;
        let thread = thread::spawn(number).join().expect("no panic");
        let others = [task, blocking, thread, ask(Some(known)).await?];
        anyhow::Ok([set.join_all().await, others.to_vec()].concat())
    });
    assert_eq!(handed.await?, [Some(7); 5]);
    println!("handed over: 5 of 5");
    // ANCHOR_END: fixed

    drop(archive);
    archivist.await?;
    Ok(())
}
// ANCHOR_END: all
