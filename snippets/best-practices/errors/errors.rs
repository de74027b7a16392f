// ANCHOR: all
// ANCHOR: keep
use std::error::Error;
use std::io::{self, ErrorKind};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// The longest response that is read, in bytes, with the end of its line.
const MAX_RESPONSE: usize = 64;

// ANCHOR: error
/// Why there is no response: a variant for each thing that a caller can do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum QuoteError {
    #[error("cannot connect to the carrier")]
    Connect(#[source] io::Error),
    #[error("the connection to the carrier was lost")]
    Lost(#[source] io::Error),
    #[error("no response from the carrier in {0:?}")]
    Timeout(Duration),
    #[error("the response has more than {MAX_RESPONSE} bytes")]
    TooLong,
    #[error("the response {response:?} is not a price")]
    Malformed { response: String, source: Box<dyn Error + Send + Sync> },
}
// ANCHOR_END: error

// ANCHOR: quote
/// The price in cents, or `None` if the carrier does not take this weight.
pub async fn quote(
    carrier: &str,
    grams: u32,
    limit: Duration,
) -> Result<Option<u32>, QuoteError> {
    let response = timeout(limit, ask(carrier, grams)).await;
    let line = response.map_err(|_| QuoteError::Timeout(limit))??;
    parse(&line).map_err(|source| {
        let response = String::from_utf8_lossy(&line).into_owned();
        QuoteError::Malformed { response, source }
    })
}
// ANCHOR_END: quote

// ANCHOR: ask
/// One line to the carrier, and one line back.
async fn ask(carrier: &str, grams: u32) -> Result<Vec<u8>, QuoteError> {
    let stream = TcpStream::connect(carrier).await;
    let mut stream = stream.map_err(QuoteError::Connect)?;
    let request = format!("{grams}\n");
    let mut line = Vec::new();
    let exchange = async {
        stream.write_all(request.as_bytes()).await?;
        let response = stream.take(MAX_RESPONSE as u64);
        BufReader::new(response).read_until(b'\n', &mut line).await
    };
    exchange.await.map_err(QuoteError::Lost)?;
    match line.last() {
        Some(b'\n') => Ok(line),
        _ if line.len() == MAX_RESPONSE => Err(QuoteError::TooLong),
        _ => Err(QuoteError::Lost(ErrorKind::UnexpectedEof.into())),
    }
}
// ANCHOR_END: ask

// ANCHOR: parse
fn parse(line: &[u8]) -> Result<Option<u32>, Box<dyn Error + Send + Sync>> {
    match str::from_utf8(line)?.trim_end() {
        "none" => Ok(None),
        price => Ok(Some(price.parse()?)),
    }
}
// ANCHOR_END: parse
// ANCHOR_END: keep

// ANCHOR: call
fn next_step(quoted: &Result<Option<u32>, QuoteError>) -> &'static str {
    match quoted {
        Ok(Some(_)) => "buy the label",
        Ok(None) | Err(QuoteError::Connect(_)) => "ask another carrier",
        // A quote changes nothing, so it may be asked for twice.
        Err(QuoteError::Lost(_) | QuoteError::Timeout(_)) => "ask again",
        Err(QuoteError::TooLong | QuoteError::Malformed { .. }) => "report it",
    }
}
// ANCHOR_END: call

// A carrier that fails on purpose, and what must come of it.
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

const SECOND: Duration = Duration::from_secs(1);
const LIMIT: Duration = Duration::from_secs(2);

/// The case, the end of `quote`, its text, and the seconds that it takes.
const CASES: [(&str, &str, &str, u32); 19] = [
    ("price", "1250", "buy the label", 0),
    ("in pieces", "1250", "buy the label", 1),
    ("longest", "1250", "buy the label", 0),
    ("none", "none", "ask another carrier", 0),
    ("refused", "Connect", "ask another carrier", 0),
    ("unknown host", "Connect", "ask another carrier", 0),
    ("reset", "Lost", "ask again", 0),
    ("cut", "Lost", "ask again", 0),
    ("no response", "Lost", "ask again", 0),
    ("silent", "Timeout", "ask again", 2),
    ("trickling", "Timeout", "ask again", 2),
    ("too long", "TooLong", "report it", 0),
    ("endless", "TooLong", "report it", 0),
    ("not UTF-8", "Malformed", "report it", 0),
    ("not a price", "Malformed", "report it", 0),
    ("negative", "Malformed", "report it", 0),
    ("other digits", "Malformed", "report it", 0),
    ("too high", "Malformed", "report it", 0),
    ("two numbers", "Malformed", "report it", 0),
];

/// What the carrier sends. A price is in the last bytes.
fn response(case: &str) -> Vec<u8> {
    match case {
        "price" | "in pieces" | "trickling" => b"1250\n".into(),
        "longest" => format!("{:063}\n", 1250).into(),
        "too long" => format!("{:064}\n", 1250).into(),
        "endless" => vec![b'0'; 20_000_000],
        "none" => b"none\r\n".into(),
        "cut" => b"12".into(),
        "not UTF-8" => b"12\xff\n".into(),
        "not a price" => b"twelve\n".into(),
        "negative" => b"-1250\n".into(),
        "too high" => b"5000000000\n".into(),
        "other digits" => "١٢\n".into(),
        "two numbers" => b"12\r50\n".into(),
        _ => vec![],
    }
}

/// Answers one request. Returns when the client has closed the connection.
async fn serve(listener: TcpListener, case: &str) -> io::Result<()> {
    let (mut stream, _) = listener.accept().await?;
    let mut request = [0; 64];
    let length = stream.read(&mut request).await?;
    assert_eq!(&request[..length], b"500\n");
    let response = response(case);
    let piece = match case {
        "in pieces" => SECOND / 5,
        "trickling" => SECOND,
        "reset" => return stream.set_zero_linger(),
        _ => Duration::ZERO,
    };
    for byte in response.chunks(if piece.is_zero() { 1_000 } else { 1 }) {
        sleep(piece).await;
        if stream.write_all(byte).await.is_err() {
            assert!(["endless", "trickling"].contains(&case));
            return Ok(());
        }
    }
    assert_ne!(case, "endless", "it reads on");
    if !["cut", "no response"].contains(&case) {
        while stream.read(&mut request).await.is_ok_and(|length| length > 0) {}
    }
    Ok(())
}

/// The end of `quote` in a word.
fn word(quoted: &Result<Option<u32>, QuoteError>) -> String {
    match quoted {
        Ok(Some(cents)) => cents.to_string(),
        Ok(None) => "none".into(),
        Err(QuoteError::Connect(_)) => "Connect".into(),
        Err(QuoteError::Lost(_)) => "Lost".into(),
        Err(QuoteError::Timeout(_)) => "Timeout".into(),
        Err(QuoteError::TooLong) => "TooLong".into(),
        Err(QuoteError::Malformed { .. }) => "Malformed".into(),
    }
}

async fn start(case: &'static str) -> io::Result<(String, Server)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?.to_string();
    Ok((address, tokio::spawn(serve(listener, case))))
}

type Server = JoinHandle<io::Result<()>>;

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    for (case, end, step, seconds) in CASES {
        let (mut address, mut server) = start(case).await?;
        let listens = !["refused", "unknown host"].contains(&case);
        if !listens {
            server.abort();
            assert!((&mut server).await.is_err(), "the port is closed");
        }
        if case == "unknown host" {
            address = "carrier..invalid:4000".into();
        }
        let begin = Instant::now();
        let quoted = quote(&address, 500, LIMIT).await;
        assert_eq!(begin.elapsed(), SECOND * seconds, "{case}");
        if listens {
            server.await??; // the connection is closed
        }
        let found = word(&quoted);
        println!("{case}, {seconds} s: {found}: {}", next_step(&quoted));
        assert_eq!((found.as_str(), next_step(&quoted)), (end, step));
        if let Err(error) = quoted {
            check(case, error);
        }
    }
    let (address, server) = start("silent").await?;
    let given_up = timeout(SECOND, quote(&address, 500, LIMIT)).await;
    assert!(given_up.is_err());
    server.await??;
    println!("cancelled: the connection is closed");
    Ok(())
}

/// Each error tells its own part, and its source the rest.
fn check(case: &str, error: QuoteError) {
    let source = error.source().map_or("none".into(), ToString::to_string);
    if case == "reset" {
        let source = error.source().and_then(|error| error.downcast_ref());
        let kind = source.map(io::Error::kind);
        assert_eq!(kind, Some(ErrorKind::ConnectionReset));
    }
    let found = [error.to_string(), source];
    let expected = match case {
        "cut" => {
            ["the connection to the carrier was lost", "unexpected end of file"]
        }
        "silent" => ["no response from the carrier in 2s", "none"],
        "endless" => ["the response has more than 64 bytes", "none"],
        "not UTF-8" => [
            r#"the response "12�\n" is not a price"#,
            "invalid utf-8 sequence of 1 bytes from index 2",
        ],
        "two numbers" => [
            r#"the response "12\r50\n" is not a price"#,
            "invalid digit found in string",
        ],
        _ => return,
    };
    assert_eq!(found, expected);
}
// ANCHOR_END: all
