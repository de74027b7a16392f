// ANCHOR: all
use std::io;
use std::net::{SocketAddr, TcpListener};

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc::{Sender, channel};
use tokio::sync::{Mutex, OnceCell};

/// A connection to a carrier, and a task that takes jobs.
struct Client {
    conn: Mutex<TcpStream>,
    jobs_tx: Sender<u32>,
}

async fn connect(address: SocketAddr) -> io::Result<Client> {
    let conn = Mutex::new(TcpStream::connect(address).await?);
    let (jobs_tx, mut jobs_rx) = channel(8);
    tokio::spawn(async move { while jobs_rx.recv().await.is_some() {} });
    Ok(Client { conn, jobs_tx })
}

/// The errors of a request and of a job.
async fn errors(client: &Client) -> [Option<String>; 2] {
    let sent = client.conn.lock().await.write_all(b"?").await;
    let job = client.jobs_tx.send(1).await;
    [
        sent.err().map(|error| error.to_string()),
        job.err().map(|error| error.to_string()),
    ]
}

// ANCHOR: broken
static CLIENT: OnceCell<Client> = OnceCell::const_new();

async fn shared(address: SocketAddr) -> io::Result<&'static Client> {
    CLIENT.get_or_try_init(|| connect(address)).await
}
// ANCHOR_END: broken

/// Each `#[tokio::test]` has a runtime of its own, too.
fn runtime() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_all().build()
}

fn main() -> anyhow::Result<()> {
    let carrier = TcpListener::bind("127.0.0.1:0")?;
    let address = carrier.local_addr()?;

    let errors_of_shared =
        async || anyhow::Ok(errors(shared(address).await?).await);
    let first = runtime()?.block_on(errors_of_shared())?;
    let [sent, job] = runtime()?.block_on(errors_of_shared())?;
    println!("first runtime: {first:?}");
    println!("second runtime: {sent:?}, {job:?}");
    assert_eq!(first, [None, None]);
    assert!(sent.is_some_and(|error| error.contains("being shutdown")));
    assert_eq!(job.as_deref(), Some("channel closed"));

    for number in 1..=2 {
        let of_one = runtime()?.block_on(async {
            // ANCHOR: fixed
            let client = connect(address).await?;
            let found = errors(&client).await;
            // ANCHOR_END: fixed
            anyhow::Ok(found)
        })?;
        println!("a client for runtime {number}: {of_one:?}");
        assert_eq!(of_one, [None, None]);
    }
    Ok(())
}
// ANCHOR_END: all
