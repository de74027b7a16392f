// ANCHOR: all
use std::future::IntoFuture;
use std::net::SocketAddr;

use axum::extract::connect_info::{ConnectInfo, MockConnectInfo};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::{HOST, ORIGIN};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::{Router, routing::post};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

// ANCHOR: check
/// Lets a request pass that a page of this server sends, on this machine.
pub async fn same_origin(
    State(port): State<u16>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
    next: Next,
) -> Response {
    let headers = request.headers();
    let ours = ["127.0.0.1", "localhost", "[::1]"].iter().any(|name| {
        let host = format!("{name}:{port}");
        let host = host.trim_end_matches(":80"); // as browsers do
        let origin = format!("http://{host}");
        headers.get_all(HOST).iter().eq([host])
            && headers.get_all(ORIGIN).iter().eq([origin.as_str()])
    });
    if ours && peer.ip().to_canonical().is_loopback() {
        return next.run(request).await;
    }
    let why = "only the book's own pages, read on this machine, may ask this\n";
    (StatusCode::FORBIDDEN, why).into_response()
}
// ANCHOR_END: check

/// The status of an answer.
async fn ask(url: SocketAddr, head: String) -> anyhow::Result<String> {
    let mut stream = TcpStream::connect(url).await?;
    let request = format!("{head}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    let status = answer.split(' ').nth(1);
    Ok(status.unwrap_or_default().to_owned())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = listener.local_addr()?;
    let port = url.port();
    let guarded = from_fn_with_state(port, same_origin);
    let run = post(async || "running").route_layer(guarded);
    let app = Router::new().route("/run", run);
    // It hears of any neighbour as if from another machine.
    let neighbour = SocketAddr::from(([192, 0, 2, 7], 1234));
    let abroad = app.clone().layer(MockConnectInfo(neighbour));
    let next_door = TcpListener::bind("127.0.0.1:0").await?;
    let from_next_door = next_door.local_addr()?;
    tokio::spawn(axum::serve(next_door, abroad).into_future());
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(axum::serve(listener, app).into_future());

    let [own, other] = [port, port ^ 1].map(|p| format!("127.0.0.1:{p}"));
    let [own, other, evil] = [&own[..], &other[..], "evil.example"];
    for (what, url, method, host, origin, expected) in [
        ("its own page", url, "POST", own, own, "200"),
        ("no page", url, "POST", own, "", "403"),
        ("a foreign page", url, "POST", own, evil, "403"),
        ("a page of another port", url, "POST", own, other, "403"),
        ("a foreign name that leads here", url, "POST", evil, evil, "403"),
        ("the same, as if from its own page", url, "POST", evil, own, "403"),
        ("another machine", from_next_door, "POST", own, own, "403"),
        ("a link", url, "GET", own, own, "405"),
    ] {
        let mut head = format!("{method} /run HTTP/1.1\r\nHost: {host}");
        if !origin.is_empty() {
            head += &format!("\r\nOrigin: http://{origin}");
        }
        let status = ask(url, head).await?;
        println!("{what}: {status}");
        assert_eq!(status, expected);
    }
    Ok(())
}
// ANCHOR_END: all
