// ANCHOR: all
use std::future::{Future, IntoFuture, pending};
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use axum::{Router, routing::get};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{pause, timeout};

// ANCHOR: serve
/// Serves until the end, and a little longer what is under way then.
pub async fn serve_until(
    end: impl Future<Output = ()>,
    listener: TcpListener,
    app: Router,
    patience: Duration,
) -> io::Result<()> {
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    let (ending, ended) = oneshot::channel::<()>();
    let server = axum::serve(listener, app)
        .with_graceful_shutdown(async { drop(ended.await) });
    let mut server = pin!(server.into_future());
    tokio::select! {
        result = &mut server => return result,
        () = end => drop(ending),
    }
    // Some connections never end: what is left, the runtime drops.
    timeout(patience, server).await.unwrap_or(Ok(()))
}
// ANCHOR_END: serve

/// Says so when it is dropped.
struct Reader(mpsc::UnboundedSender<&'static str>);

impl Drop for Reader {
    fn drop(&mut self) {
        _ = self.0.send("an endless answer is dropped");
    }
}

async fn ask(url: SocketAddr, path: &str) -> io::Result<TcpStream> {
    let mut stream = TcpStream::connect(url).await?;
    let head = format!("GET {path} HTTP/1.1\r\nHost: {url}\r\n\r\n");
    stream.write_all(head.as_bytes()).await?;
    Ok(stream)
}

async fn evening(log: mpsc::UnboundedSender<&'static str>) -> io::Result<()> {
    let (asked, mut questions) = mpsc::channel::<oneshot::Sender<()>>(1);
    let endless = get(async move || {
        let _reader = Reader(log);
        pending::<()>().await;
    });
    let page = get(async move || {
        let (turn, turned) = oneshot::channel();
        asked.send(turn).await.expect("somebody listens");
        turned.await.expect("somebody turns the page");
        "the last page"
    });
    let app = Router::new().route("/endless", endless).route("/page", page);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = listener.local_addr()?;
    let (bell, rung) = oneshot::channel();
    let end = async { rung.await.expect("the bell rings") };
    let library = serve_until(end, listener, app, Duration::from_secs(60));
    let library = tokio::spawn(library);

    let _endless = ask(url, "/endless").await?;
    let mut page = ask(url, "/page").await?;
    let turn = questions.recv().await.expect("it is asked");
    bell.send(()).expect("somebody hears it");
    while TcpStream::connect(url).await.is_ok() {}
    println!("nobody comes in any more");
    assert!(!library.is_finished());
    turn.send(()).expect("somebody waits");
    let mut answer = String::new();
    page.read_to_string(&mut answer).await?;
    let (_, text) = answer.split_once("\r\n\r\n").expect("an answer");
    println!("what is under way is finished: {text}");
    assert_eq!(text, "the last page");

    pause(); // the minute passes now
    library.await??;
    println!("the server has ended");
    Ok(())
}

fn main() -> anyhow::Result<()> {
    let (log, mut logged) = mpsc::unbounded_channel();
    Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(evening(log))?;
    let last = logged.try_recv()?;
    println!("{last}");
    assert_eq!(last, "an endless answer is dropped");
    Ok(())
}
// ANCHOR_END: all
