// ANCHOR: all
use std::io::ErrorKind::AddrInUse;
use std::net::SocketAddr;

use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet, yield_now};
use tokio_util::task::AbortOnDropHandle;

/// The panel on the greenhouse wall.
async fn panel(listener: TcpListener) {
    while listener.accept().await.is_ok() {}
}

async fn start() -> anyhow::Result<(SocketAddr, JoinHandle<()>)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let task = tokio::spawn(panel(listener));
    yield_now().await; // lets it begin
    Ok((address, task))
}

async fn in_use(address: SocketAddr) -> bool {
    let bound = TcpListener::bind(address).await;
    bound.is_err_and(|error| error.kind() == AddrInUse)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    // ANCHOR: broken
    // Broken: the order is given. Nobody has seen it carried out.
    let (address, task) = start().await?;
    task.abort();
    println!("aborted: port in use: {}", in_use(address).await);
    assert!(in_use(address).await && !task.is_finished());

    let (address, task) = start().await?;
    drop(AbortOnDropHandle::new(task));
    println!("dropped: port in use: {}", in_use(address).await);
    assert!(in_use(address).await);
    // ANCHOR_END: broken

    // ANCHOR: fixed
    // Fixed: abort, then await.
    let (address, task) = start().await?;
    task.abort();
    assert!(task.await.unwrap_err().is_cancelled());
    println!("aborted and awaited: port in use: {}", in_use(address).await);
    assert!(!in_use(address).await);
    // ANCHOR_END: fixed

    // ANCHOR: set
    // `shutdown` does both, for as many as there are.
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let mut panels = JoinSet::from_iter([panel(listener)]);
    panels.shutdown().await;
    println!("shut down: port in use: {}", in_use(address).await);
    assert!(!in_use(address).await);
    // ANCHOR_END: set
    Ok(())
}
// ANCHOR_END: all
