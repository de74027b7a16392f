//! Serves the book: its files, the Run buttons, and the reload of open pages.
//!
//! Parts of it are programs of the page "How this book is served".

#[expect(dead_code, reason = "with the program that shows it on its page")]
#[path = "../../../snippets/how-it-is-served/graceful_end.rs"]
mod graceful_end;
#[expect(dead_code, reason = "with the program that shows it on its page")]
#[path = "../../../snippets/how-it-is-served/same_origin.rs"]
mod same_origin;

use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, anyhow};
use axum::Router;
use axum::extract::ws::{Message, WebSocketUpgrade};
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, HeaderValue, IF_MODIFIED_SINCE};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{
    DefaultPredicate, NotForContentType, Predicate,
};
use tower_http::services::{ServeDir, ServeFile};

use crate::render::{Book, LIVE_RELOAD};
use crate::site::Site;
use crate::{failed, print, report, run};
use graceful_end::serve_until;
use same_origin::same_origin;

/// How long a server that ends waits for open connections. Browsers keep
/// some open that they may never use again.
const PATIENCE: Duration = Duration::from_secs(1);

#[derive(clap::Args)]
pub struct Options {
    /// The port to listen on; 0 takes a free one
    #[arg(long, default_value_t = 3000)]
    port: u16,
    /// The address to listen on; 0.0.0.0 lets other machines read the book
    #[arg(long, default_value = "127.0.0.1")]
    host: String,
    /// Open the book in the browser
    #[arg(long)]
    open: bool,
}

/// Serves the book until SIGINT, SIGTERM or SIGHUP.
///
/// # Errors
///
/// The book cannot be rendered the first time, or the port is not free.
pub fn serve(book: Book, options: &Options) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(failed("cannot start the server", "start it again"))?;
    let served = runtime.block_on(listen_and_serve(book, options));
    // A rendering, or a line for a terminal that is stopped, may take longer.
    runtime.shutdown_timeout(PATIENCE);
    served
}

async fn listen_and_serve(book: Book, options: &Options) -> Result<()> {
    let end = signal_to_end()?;
    let listener = listen(&options.host, options.port).await?;
    let address = listener.local_addr().map_err(failed(
        "cannot determine the port",
        "choose one with `--port`",
    ))?;
    let run = run::route(book.root());
    let site = Arc::new(Site::new(book)?);
    tokio::spawn(Arc::clone(&site).watch());
    announce(address, options.open)?;
    serve_until(end, listener, router(site, run, address.port()), PATIENCE)
        .await
        .map_err(failed("cannot continue to serve", "start it again"))
}

fn router(site: Arc<Site>, run: MethodRouter<Arc<Site>>, port: u16) -> Router {
    // Images and fonts are compressed already.
    let compressible =
        DefaultPredicate::new().and(NotForContentType::const_new("font/"));
    // On this machine, a higher level takes longer than it saves.
    let compression = CompressionLayer::new()
        .quality(CompressionLevel::Fastest)
        .compress_when(compressible);
    let same_origin = from_fn_with_state(port, same_origin);
    Router::new()
        .fallback(file)
        .layer(compression)
        // The routes below are not compressed: the compressor would hold back
        // the lines of a running program.
        .route("/run/{name}", run.route_layer(same_origin.clone()))
        .route(
            &format!("/{LIVE_RELOAD}/{{version}}"),
            get(live_reload).route_layer(same_origin),
        )
        .with_state(site)
}

async fn listen(host: &str, port: u16) -> Result<TcpListener> {
    let listener = TcpListener::bind((host, port)).await;
    listener.map_err(|error| match error.kind() {
        ErrorKind::AddrInUse => anyhow!(
            "port {port} is taken on {host}\n\
             help: choose another with `--port`, or a free one with `--port 0`"
        ),
        _ => anyhow!(
            "cannot listen on port {port} of {host}: {error}\n\
             help: choose others with `--port` and `--host`"
        ),
    })
}

/// Prints where the book is, and warns if other machines can read it.
fn announce(mut address: SocketAddr, open: bool) -> Result<()> {
    if !address.ip().is_loopback() {
        report(
            "warning",
            format!(
                "other machines can read the book at {address}\n\
                 help: without `--host`, only this machine can"
            ),
        );
    }
    if address.ip().is_unspecified() {
        address.set_ip(match address.ip() {
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    let url = format!("http://{address}");
    print(format!("The book is at {url} (Ctrl-C ends it)"))?;
    if open && let Err(error) = open::that_detached(&url) {
        report(
            "warning",
            format!(
                "cannot start a browser: {error}\n\
                 help: open {url} in your browser"
            ),
        );
    }
    Ok(())
}

/// Sends a file of the rendered book.
async fn file(State(site): State<Arc<Site>>, mut request: Request) -> Response {
    // Its seconds are too coarse for a page that is edited twice in one.
    request.headers_mut().remove(IF_MODIFIED_SINCE);
    let rendering = if is_page(request.uri().path()) {
        site.current().await
    } else {
        site.latest()
    };
    let not_found = ServeFile::new(rendering.html.join("404.html"));
    let response = ServeDir::new(&rendering.html)
        .not_found_service(not_found)
        .try_call(request)
        .await;
    let mut response = match response {
        Ok(response) => response.into_response(),
        // Such as a name that the file system finds too long.
        Err(_) => StatusCode::NOT_FOUND.into_response(),
    };
    let revalidate = HeaderValue::from_static("no-cache");
    response.headers_mut().insert(CACHE_CONTROL, revalidate);
    response
}

/// Whether a path asks for a page, rather than for a file that a page uses.
fn is_page(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    name.ends_with(".html") || !name.contains('.')
}

/// Tells a page of this version to reload when there is another version.
///
/// The script in the page is mdBook's: it opens this WebSocket, reloads the
/// page at the message "reload", and sends nothing.
async fn live_reload(
    State(site): State<Arc<Site>>,
    Path(version): Path<String>,
    upgrade: WebSocketUpgrade,
) -> Response {
    // A browser may keep a hundred pages open.
    let upgrade = upgrade.read_buffer_size(1 << 10).max_message_size(1 << 10);
    upgrade.on_upgrade(async move |mut socket| {
        let mut another = pin!(site.wait_for_another(&version));
        loop {
            tokio::select! {
                () = &mut another => {
                    // An error means that the page has been closed.
                    _ = socket.send("reload".into()).await;
                    break;
                }
                // The socket answers a ping by itself. Anything else that is
                // received changes nothing, but for the page's end.
                received = socket.recv() => match received {
                    Some(Ok(message)) if !is_close(&message) => {}
                    _ => break,
                },
            }
        }
    })
}

fn is_close(message: &Message) -> bool {
    matches!(message, Message::Close(_))
}

/// Ready with the first signal to end, from now on.
fn signal_to_end() -> Result<impl Future<Output = ()>> {
    let listen = |kind| {
        signal(kind)
            .map_err(failed("cannot listen for signals", "start it again"))
    };
    let mut interrupt = listen(SignalKind::interrupt())?;
    let mut terminate = listen(SignalKind::terminate())?;
    let mut hang_up = listen(SignalKind::hangup())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hang_up.recv() => {} // the terminal is closed
        }
    })
}
