// ANCHOR: all
use std::io::ErrorKind::AddrInUse;
use std::net::SocketAddr;

use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet, yield_now};
use tokio_util::task::AbortOnDropHandle;

async fn serve(listener: TcpListener) {
    while listener.accept().await.is_ok() {}
}

async fn start() -> anyhow::Result<(SocketAddr, JoinHandle<()>)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let task = tokio::spawn(serve(listener));
    yield_now().await; // the task begins
    Ok((address, task))
}

async fn in_use(address: SocketAddr) -> bool {
    let bound = TcpListener::bind(address).await;
    bound.is_err_and(|error| error.kind() == AddrInUse)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let (address, task) = start().await?;
    // ANCHOR: broken
    task.abort();
    let listener = TcpListener::bind(address).await;
    // ANCHOR_END: broken
    println!("aborted: port in use: {}", listener.is_err());
    assert!(listener.is_err());

    let (address, task) = start().await?;
    drop(AbortOnDropHandle::new(task));
    println!("dropped: port in use: {}", in_use(address).await);
    assert!(in_use(address).await);

    let (address, task) = start().await?;
    // ANCHOR: fixed
    task.abort();
    _ = task.await; // the task has ended, and its future is dropped
    let listener = TcpListener::bind(address).await;
    // ANCHOR_END: fixed
    println!("aborted, awaited: port in use: {}", listener.is_err());
    listener?;

    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let mut servers = JoinSet::from_iter([serve(listener)]);
    servers.shutdown().await;
    println!("JoinSet::shutdown: port in use: {}", in_use(address).await);
    assert!(!in_use(address).await);
    Ok(())
}
// ANCHOR_END: all
