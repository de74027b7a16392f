//! Serves the rendered book, and renders it again when it has been edited.

#[expect(dead_code, reason = "with the program that shows it on its page")]
#[path = "../../snippets/serving/graceful_end.rs"]
mod graceful_end;

use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Result, anyhow};
use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, HeaderValue, IF_MODIFIED_SINCE};
use axum::response::{IntoResponse, Response};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tower_http::services::{ServeDir, ServeFile};

use crate::render::Book;
use crate::{complain, failed, print, run};
use graceful_end::serve_until;

/// Browsers keep connections open that they may never use again; a server
/// that is to end waits so long for them.
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

/// Serves the book until SIGINT or SIGTERM.
///
/// # Errors
///
/// The book cannot be rendered the first time, or the port is not to be had.
pub fn serve(book: Book, options: &Options) -> Result<()> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(failed("cannot start the server", "try again"))?
        .block_on(listen_and_serve(book, options))
}

async fn listen_and_serve(book: Book, options: &Options) -> Result<()> {
    let end = signal_to_end()?;
    let listener = listen(&options.host, options.port).await?;
    let address = listener
        .local_addr()
        .map_err(failed("cannot tell the port", "name one with `--port`"))?;
    let run = run::route(book.root(), address.port());
    let site = Arc::new(Site::new(book)?);
    let router = Router::new()
        .route("/run/{name}", run)
        .fallback(answer)
        .with_state(site);

    announce(address, options.open)?;
    serve_until(end, listener, router, PATIENCE)
        .await
        .map_err(failed("cannot go on serving", "start it again"))
}

async fn listen(host: &str, port: u16) -> Result<TcpListener> {
    let listener = TcpListener::bind((host, port)).await;
    listener.map_err(|error| match error.kind() {
        ErrorKind::AddrInUse => anyhow!(
            "port {port} is taken on {host}; choose another with `--port`, or \
             let `--port 0` find a free one"
        ),
        _ => anyhow!(
            "cannot listen on port {port} of {host}: {error}; choose another \
             with `--port` and `--host`"
        ),
    })
}

/// Tells the reader where the book is, and others who can read it too.
fn announce(mut address: SocketAddr, open: bool) -> Result<()> {
    if !address.ip().is_loopback() {
        complain(
            "warning",
            format!(
                "other machines can read the book at {address}; without \
                 `--host` only this one can"
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
        complain(
            "warning",
            format!("cannot start a browser: {error}; open {url} in yours"),
        );
    }
    Ok(())
}

async fn answer(
    State(site): State<Arc<Site>>,
    mut request: Request,
) -> Response {
    // Its seconds are too coarse for a page that is edited twice in one.
    request.headers_mut().remove(IF_MODIFIED_SINCE);
    let page = is_page(request.uri().path());
    let rendering =
        tokio::task::spawn_blocking(move || site.rendering(page)).await;
    let Ok(rendering) = rendering else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
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

/// Whether a path asks for a page, rather than for what a page brings along.
fn is_page(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    name.ends_with(".html") || !name.contains('.')
}

/// The book, and the last rendering of it that has succeeded.
struct Site {
    book: Book,
    last: Mutex<Last>,
}

struct Last {
    /// Of the sources that were last tried.
    fingerprint: u64,
    rendering: Arc<Rendering>,
}

/// A rendered book in a folder of its own, deleted with the last answer that
/// reads from it.
struct Rendering {
    _folder: TempDir,
    html: PathBuf,
}

impl Site {
    fn new(book: Book) -> Result<Site> {
        let fingerprint = book.fingerprint();
        let rendering = Arc::new(Rendering::new(&book)?);
        let last = Mutex::new(Last { fingerprint, rendering });
        Ok(Site { book, last })
    }

    /// The rendering to answer from; if `fresh`, of the sources as they are
    /// now. Sources that cannot be rendered are complained of once, and the
    /// earlier rendering stays.
    fn rendering(&self, fresh: bool) -> Arc<Rendering> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if fresh {
            let fingerprint = self.book.fingerprint();
            if fingerprint != last.fingerprint {
                last.fingerprint = fingerprint;
                match Rendering::new(&self.book) {
                    Ok(rendering) => last.rendering = Arc::new(rendering),
                    Err(error) => complain("error", format!("{error:#}")),
                }
            }
        }
        Arc::clone(&last.rendering)
    }
}

impl Rendering {
    fn new(book: &Book) -> Result<Rendering> {
        let folder =
            TempDir::with_prefix("async-cookbook-").map_err(failed(
                "cannot make a temporary folder",
                "set TMPDIR to a writable one",
            ))?;
        let html = book.render_to_serve(folder.path())?;
        Ok(Rendering { _folder: folder, html })
    }
}

/// Ready with the first signal to end, from now on.
#[cfg(unix)]
fn signal_to_end() -> Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let cannot = || failed("cannot listen to signals", "try again");
    let mut interrupt = signal(SignalKind::interrupt()).map_err(cannot())?;
    let mut terminate = signal(SignalKind::terminate()).map_err(cannot())?;
    let mut hang_up = signal(SignalKind::hangup()).map_err(cannot())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hang_up.recv() => {} // the terminal is closed
        }
    })
}

#[cfg(not(unix))]
fn signal_to_end() -> Result<impl Future<Output = ()>> {
    Ok(async { drop(tokio::signal::ctrl_c().await) })
}
