// ANCHOR: all
// ANCHOR: keep
use std::error::Error;
use std::future::Future;
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, ClientBuilder, Identity};
use tokio::sync::Semaphore;
use tokio::time::timeout;

// ANCHOR: settings
/// The settings of the one client. `roots` has your own root certificates,
/// `identity` the client certificate and its key, both as PEM.
fn settings(roots: &[u8], identity: &[u8]) -> reqwest::Result<ClientBuilder> {
    let builder = Client::builder()
        .user_agent("parcels/1.0 (ops@parcels.example)")
        .https_only(true)
        .redirect(Policy::none())
        // The system's roots are trusted, too.
        .tls_certs_merge(Certificate::from_pem_bundle(roots)?)
        .identity(Identity::from_pem(identity)?)
        .connect_timeout(Duration::from_secs(2))
        .read_timeout(Duration::from_secs(5))
        .timeout(Duration::from_secs(10))
        .pool_idle_timeout(Duration::from_secs(4))
        .http2_keep_alive_interval(Duration::from_secs(10))
        .http2_keep_alive_timeout(Duration::from_secs(2));
    Ok(builder)
}
// ANCHOR_END: settings

// ANCHOR: limited
/// No permit was free in time. The request was not sent.
#[derive(Debug)]
struct Busy;

/// Calls `request` when a permit is free, and holds it until `request` ends.
async fn limited<T, F>(
    permits: &Semaphore,
    wait: Duration,
    request: impl FnOnce() -> F,
) -> Result<T, Busy>
where
    F: Future<Output = T>,
{
    let acquired = timeout(wait, permits.acquire()).await;
    let _permit = acquired.map_err(|_| Busy)?.expect("it is never closed");
    Ok(request().await)
}
// ANCHOR_END: limited

// ANCHOR: label
/// What failed, for a metric, and the innermost cause, for the log.
fn describe(error: reqwest::Error) -> (&'static str, String) {
    let error = error.without_url(); // it may hold a secret
    let label = match error.status() {
        Some(_) => "status",
        None if error.is_builder() => "settings or URL",
        None if error.is_dns() => "dns",
        None if error.is_connect() && error.is_timeout() => "connect timeout",
        None if error.is_connect() => "connect",
        None if error.is_timeout() => "timeout",
        None if error.is_decode() => "body",
        None => "request",
    };
    let mut cause: &dyn Error = &error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    (label, cause.to_string())
}
// ANCHOR_END: label
// ANCHOR_END: keep

// A carrier that fails on purpose, and what must come of it.
use std::future::pending;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::header::{LOCATION, SET_COOKIE};
use axum::response::IntoResponse;
use axum::{Router, routing::get};
use futures::future::{join, join_all};
use futures::{StreamExt, stream};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use rcgen::{CertificateParams, DnType, KeyPair, date_time_ymd};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::io::{AsyncReadExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::{Instant, sleep};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

const SECOND: Duration = Duration::from_secs(1);

/// A certificate for `carrier.example`, which is its own root, and its key,
/// both as PEM.
struct Signed {
    certificate: String,
    key: String,
}

impl Signed {
    /// Makes one with a new key, valid until the beginning of a year.
    fn new(name: &str, year: i32) -> Result<Self, rcgen::Error> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(["carrier.example".into()])?;
        params.distinguished_name.push(DnType::CommonName, name);
        params.not_after = date_time_ymd(year, 1, 1);
        let certificate = params.self_signed(&key)?.pem();
        Ok(Signed { certificate, key: key.serialize_pem() })
    }

    /// For a client.
    fn identity(&self) -> String {
        [&*self.certificate, &self.key].concat()
    }
}

/// A carrier with a certificate. Its clients need `trusted`.
fn tls(own: &Signed, trusted: &Signed) -> anyhow::Result<TlsAcceptor> {
    let der = |pem: &str| CertificateDer::from_pem_slice(pem.as_bytes());
    let chain = vec![der(&own.certificate)?];
    let key = PrivateKeyDer::from_pem_slice(own.key.as_bytes())?;
    let mut roots = RootCertStore::empty();
    roots.add(der(&trusted.certificate)?)?;
    let verifier = WebPkiClientVerifier::builder(Arc::new(roots)).build()?;
    let config = ServerConfig::builder().with_client_cert_verifier(verifier);
    let mut config = config.with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

#[derive(Default)]
struct Counts {
    /// How many connections were opened, and how many still are.
    opened: AtomicUsize,
    open: AtomicUsize,
    /// How many requests run at the same time, and how many did.
    running: AtomicUsize,
    peak: AtomicUsize,
}

/// The version of a request, and its headers. Sets a cookie.
async fn show(request: Request) -> impl IntoResponse {
    let headers = request.headers().iter();
    let mut headers: Vec<_> =
        headers.map(|(name, value)| format!("{name}: {value:?}")).collect();
    headers.sort();
    let text = format!("{:?}, {}", request.version(), headers.join(", "));
    ([(SET_COOKIE, "session=7")], text)
}

/// A byte a second, and at the end the connection breaks.
fn trickle(bytes: u64) -> Body {
    let parts = stream::iter(0..=bytes).then(move |sent| async move {
        sleep(SECOND).await;
        let part = Bytes::from_static(b".");
        if sent < bytes { Ok(part) } else { Err("broken") }
    });
    Body::from_stream(parts)
}

fn router(counts: Arc<Counts>) -> Router {
    let slow = move || async move {
        let running = counts.running.fetch_add(1, Relaxed) + 1;
        counts.peak.fetch_max(running, Relaxed);
        sleep(SECOND / 10).await;
        counts.running.fetch_sub(1, Relaxed);
    };
    let moved = (StatusCode::FOUND, [(LOCATION, "/show")]);
    Router::new()
        .route("/show", get(show))
        .route("/slow", get(slow))
        .route("/moved", get(async move || moved))
        .route("/503", get(async || StatusCode::SERVICE_UNAVAILABLE))
        .route("/silent", get(pending::<()>))
        .route("/drip", get(async || trickle(u64::MAX)))
        .route("/cut", get(async || trickle(1)))
}

/// Starts a carrier.
async fn start(
    tls: TlsAcceptor,
    counts: &Arc<Counts>,
) -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let counts = Arc::clone(counts);
    let service = TowerToHyperService::new(router(Arc::clone(&counts)));
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.expect("a connection");
            // It fails if the client has gone.
            let _ = stream.set_nodelay(true);
            counts.opened.fetch_add(1, Relaxed);
            counts.open.fetch_add(1, Relaxed);
            let counts = Arc::clone(&counts);
            let (tls, service) = (tls.clone(), service.clone());
            tokio::spawn(async move {
                match tls.accept(stream).into_fallible().await {
                    Ok(stream) => {
                        let stream = TokioIo::new(stream);
                        let builder = Builder::new(TokioExecutor::new());
                        let _ = builder.serve_connection(stream, service).await;
                    }
                    // It stays open, so that the client gets the reason.
                    Err((_, mut stream)) => {
                        let _ = stream.read_to_end(&mut Vec::new()).await;
                    }
                }
                counts.open.fetch_sub(1, Relaxed);
            });
        }
    });
    Ok(address)
}

/// A network in front of the carrier: when `cut` is set, its connections
/// neither carry data nor end, and new ones do.
async fn network(
    carrier: SocketAddr,
    cut: Arc<AtomicBool>,
) -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        loop {
            let (mut client, _) = listener.accept().await.expect("a client");
            client.set_nodelay(true).expect("a socket");
            let cut = Arc::clone(&cut);
            tokio::spawn(async move {
                let server = TcpStream::connect(carrier).await;
                let mut server = server.expect("a carrier");
                server.set_nodelay(true).expect("a socket");
                let is_cut = async {
                    while !cut.swap(false, Relaxed) {
                        sleep(SECOND / 10).await;
                    }
                };
                tokio::select! {
                    _ = copy_bidirectional(&mut client, &mut server) => {}
                    () = is_cut => pending().await,
                }
            });
        }
    });
    Ok(address)
}

/// A name server that knows one name, and does not answer for another one.
struct Dns {
    carrier: SocketAddr,
    lookups: AtomicUsize,
}

impl Resolve for Dns {
    fn resolve(&self, name: Name) -> Resolving {
        let carrier = self.carrier;
        self.lookups.fetch_add(1, Relaxed);
        Box::pin(async move {
            match name.as_str() {
                "carrier.example" => {
                    Ok(Box::new([carrier].into_iter()) as Addrs)
                }
                "silent" => pending().await,
                _ => Err("no such host".into()),
            }
        })
    }
}

async fn fetch(client: &Client, url: &str) -> reqwest::Result<String> {
    client.get(url).send().await?.error_for_status()?.text().await
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    let counts = Arc::new(Counts::default());
    let ours = Signed::new("ours", 2999)?;
    let expired = Signed::new("expired", 2020)?;
    // Neither the client nor the carrier trusts it.
    let foreign = Signed::new("foreign", 2999)?;
    let carrier = start(tls(&ours, &ours)?, &counts).await?;
    let url_of = |server: SocketAddr, path: &str| {
        format!("https://carrier.example:{}/{path}", server.port())
    };
    let roots = [&*ours.certificate, &expired.certificate].concat();
    let (roots, identity) = (roots, ours.identity());
    let (roots, identity) = (roots.as_bytes(), identity.as_bytes());

    let url = url_of(carrier, "show");
    // ANCHOR: call
    // Only this example needs `no_proxy` and `resolve`.
    let builder = settings(roots, identity)?.no_proxy();
    let client = builder.resolve("carrier.example", carrier).build()?;
    let (permits, wait) = (Semaphore::new(10), Duration::from_secs(1));
    let request = || async { client.get(&url).send().await?.text().await };
    let body = limited(&permits, wait, request).await.expect("free")?;
    // ANCHOR_END: call
    println!("show: {body}");
    let agent = r#"user-agent: "parcels/1.0 (ops@parcels.example)""#;
    assert_eq!(body, format!(r#"HTTP/2.0, accept: "*/*", {agent}"#));

    // It has kept no cookie.
    assert_eq!(fetch(&client, &url).await?, body);

    let dns = Arc::new(Dns { carrier, lookups: AtomicUsize::new(0) });
    let settings_with = |identity: &[u8]| {
        let builder = settings(roots, identity)?.no_proxy();
        let builder = builder.dns_resolver(Arc::clone(&dns));
        reqwest::Result::Ok(builder.resolve("other.example", carrier))
    };
    let fresh = || settings_with(identity);

    // A hundred callers at the same time, each of a request of 100 ms.
    for (case, http1, limit) in
        [("HTTP/2", false, 10), ("HTTP/1", true, 10), ("no limit", true, 100)]
    {
        let builder = if http1 { fresh()?.http1_only() } else { fresh()? };
        let (client, url) = (builder.build()?, url_of(carrier, "slow"));
        let permits = Semaphore::new(limit);
        let before = counts.open.load(Relaxed);
        counts.opened.store(0, Relaxed);
        counts.peak.store(0, Relaxed);
        let requests = (0..100).map(async |_| {
            limited(&permits, wait, || fetch(&client, &url)).await
        });
        for got in join_all(requests).await {
            assert_eq!(got.expect("a permit")?, "");
        }
        sleep(SECOND / 100).await;
        let peak = counts.peak.load(Relaxed);
        let opened = counts.opened.load(Relaxed);
        let open = counts.open.load(Relaxed) - before;
        println!("{case}: {peak} at once, {opened} opened, {open} kept");
        let kept = if http1 { limit } else { 1 };
        assert_eq!((peak, opened, open), (limit, limit, kept));
        drop(client);
        sleep(SECOND / 100).await; // its connections are closed
    }

    // All permits are held by requests that get no answer for 5 s.
    let silent = url_of(carrier, "silent");
    let requests = (0..10).map(async |_| {
        limited(&permits, wait, || fetch(&client, &silent)).await
    });
    let late = async {
        let start = Instant::now();
        let refused = limited(&permits, wait, || fetch(&client, &url)).await;
        println!("busy, {} s: {refused:?}", start.elapsed().as_secs());
        assert!(refused.is_err() && start.elapsed().as_secs() == 1);
    };
    let (requests, ()) = join(join_all(requests), late).await;
    assert!(requests.iter().all(|got| matches!(got, Ok(Err(_)))));

    // A request that is given up, or panics, gives its permit back.
    let given_up = limited(&permits, wait, || fetch(&client, &silent));
    assert!(timeout(SECOND, given_up).await.is_err());
    let permits = Arc::new(permits);
    let shared = Arc::clone(&permits);
    let panicking = async || panic!("a fault");
    let panicked =
        tokio::spawn(async move { limited(&shared, wait, panicking).await });
    assert!(panicked.await.expect_err("a panic").is_panic());
    println!("cancelled, panicked: {} permits", permits.available_permits());
    assert_eq!(permits.available_permits(), 10);

    // The limits count from the call of `send`, not from the first poll.
    let request = client.get(&silent).send();
    sleep(5 * SECOND).await;
    let called = Instant::now();
    assert!(request.await.expect_err("late").is_timeout());
    assert_eq!(called.elapsed(), Duration::ZERO);

    // A connection is used again within 4 s, and needs no lookup.
    counts.opened.store(0, Relaxed);
    dns.lookups.store(0, Relaxed);
    let client = fresh()?.build()?;
    for pause in [0, 3_900, 4_100] {
        sleep(Duration::from_millis(pause)).await;
        fetch(&client, &url).await?;
        let opened = counts.opened.load(Relaxed);
        println!("idle, {pause} ms: {opened} opened");
        assert_eq!(dns.lookups.load(Relaxed), opened);
    }
    assert_eq!(counts.opened.load(Relaxed), 2);

    let expired = start(tls(&expired, &ours)?, &counts).await?;
    let unknown = start(tls(&foreign, &ours)?, &counts).await?;
    // The port is taken, and nothing listens on it.
    let refusing = TcpSocket::new_v4()?;
    refusing.bind("127.0.0.1:0".parse()?)?;
    let refused = refusing.local_addr()?;
    // The kernel accepts the connection, and nothing answers.
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let deaf = listener.local_addr()?;
    let stranger = settings_with(foreign.identity().as_bytes())?.build()?;
    let no_roots = settings(b"no PEM", identity)?.no_proxy();
    let no_roots = no_roots.resolve("carrier.example", carrier).build()?;
    let http1 = fresh()?.http1_only().build()?;
    let wrong_name = url.replace("carrier", "other");

    // The case; after how many seconds it fails, what, and why.
    let late = "operation timed out";
    let expired_text = "invalid peer certificate: certificate expired";
    let unknown_text = "invalid peer certificate: UnknownIssuer";
    let name_text = "invalid peer certificate: certificate not valid for name";
    for (case, client, url, seconds, label, cause) in [
        ("plain", &client, "http://a".into(), 0, "settings or URL", "URL"),
        ("unknown host", &client, "https://a".into(), 0, "dns", "no such host"),
        (
            "no DNS",
            &client,
            "https://silent".into(),
            2,
            "connect timeout",
            late,
        ),
        ("no TLS", &client, url_of(deaf, ""), 2, "connect timeout", late),
        ("refused", &client, url_of(refused, ""), 0, "connect", "Connection"),
        ("expired", &client, url_of(expired, ""), 0, "connect", expired_text),
        ("unknown", &client, url_of(unknown, ""), 0, "connect", unknown_text),
        ("no roots", &no_roots, url.clone(), 0, "connect", unknown_text),
        ("wrong name", &client, wrong_name, 0, "connect", name_text),
        ("stranger", &stranger, url.clone(), 0, "request", "received fatal"),
        ("silent", &client, url_of(carrier, "silent"), 5, "timeout", late),
        ("trickling", &client, url_of(carrier, "drip"), 10, "timeout", late),
        ("cut", &client, url_of(carrier, "cut"), 2, "body", "stream error"),
        ("cut, HTTP/1", &http1, url_of(carrier, "cut"), 2, "body", "peer"),
        ("503", &client, url_of(carrier, "503"), 0, "status", "HTTP status"),
    ] {
        let start = Instant::now();
        let error = fetch(client, &url).await.expect_err("a failure");
        let after = start.elapsed().as_secs();
        let actual = describe(error);
        println!("{case}, {after} s: {}", actual.0);
        assert_eq!((after, actual.0), (seconds, label), "{actual:?}");
        assert!(actual.1.starts_with(cause), "{actual:?}");
        assert!(!actual.1.contains(&url), "{actual:?}");
    }

    // A redirect is not an error.
    let moved = client.get(url_of(carrier, "moved")).send().await?;
    let status = moved.error_for_status()?.status();
    println!("moved: {status}");
    assert_eq!(status, StatusCode::FOUND);

    // The first of two addresses refuses.
    let builder = settings(roots, identity)?.no_proxy();
    let addresses = ["[::1]:0".parse()?, carrier];
    let builder = builder.resolve_to_addrs("carrier.example", &addresses);
    assert_eq!(fetch(&builder.build()?, &url).await?, body);
    println!("two addresses: the second one");

    let error = settings(roots, roots).expect_err("it has no key");
    let (label, cause) = describe(error);
    println!("no key: {label}: {cause}");
    assert_eq!(label, "settings or URL");

    // A connection that carries nothing any more, and a request a second.
    let cut = Arc::new(AtomicBool::new(false));
    let network = network(carrier, Arc::clone(&cut)).await?;
    let builder = settings(roots, identity)?.no_proxy();
    let client = builder.resolve("carrier.example", network).build()?;
    let url = url_of(network, "show");
    fetch(&client, &url).await?;
    cut.store(true, Relaxed);
    let requests = (1..=20).map(async |second| {
        sleep(SECOND * second).await;
        fetch(&client, &url).await.is_ok()
    });
    let answered = join_all(requests).await;
    let lost = answered.iter().take_while(|ok| !**ok).count();
    println!("dead: requests 1 to {lost} fail");
    assert_eq!(lost, 11);
    assert!(answered[lost..].iter().all(|ok| *ok));
    Ok(())
}
// ANCHOR_END: all
