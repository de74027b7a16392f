// ANCHOR: all
use std::future::Future;

use tokio::task::{JoinHandle, spawn};

tokio::task_local! {
    static CLERK: &'static str;
}

async fn sign() -> String {
    let clerk = CLERK.try_with(|clerk| *clerk);
    format!("signed by {}", clerk.unwrap_or("nobody"))
}

// ANCHOR: fixed
// Fixed: it goes along. (Where there is no clerk, `get` panics.)
fn spawn_as_clerk<F>(work: F) -> JoinHandle<F::Output>
where
    F: Future<Output: Send> + Send + 'static,
{
    spawn(CLERK.scope(CLERK.get(), work))
}
// ANCHOR_END: fixed

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let work = async {
        let here = sign().await;
        // Broken: a task has no task-locals but its own.
        let there = spawn(sign()).await?;
        let with = spawn_as_clerk(sign()).await?;
        anyhow::Ok([here, there, with])
    };
    let signed = CLERK.scope("Vera", work).await?;
    println!("{signed:?}");
    let [vera, nobody] = ["signed by Vera", "signed by nobody"];
    assert_eq!(signed, [vera, nobody, vera]);
    Ok(())
}
// ANCHOR_END: all
