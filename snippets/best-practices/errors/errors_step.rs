// ANCHOR: all
use std::io::{self, ErrorKind};

use tokio::net::{TcpListener, TcpStream};

#[derive(Debug, thiserror::Error)]
enum QuoteError {
    #[error("cannot connect to the carrier")]
    Connect(#[source] io::Error),
    #[error("the connection to the carrier was lost")]
    Lost(#[source] io::Error),
}

// ANCHOR: broken
fn is_not_sent_by_kind(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ConnectionRefused
            | ErrorKind::HostUnreachable
            | ErrorKind::NetworkUnreachable
    )
}
// ANCHOR_END: broken

// ANCHOR: fixed
fn is_not_sent(error: &QuoteError) -> bool {
    matches!(error, QuoteError::Connect(_))
}
// ANCHOR_END: fixed

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let closed = TcpListener::bind("127.0.0.1:0").await?.local_addr()?;
    for (case, carrier, kind) in [
        ("refused", closed.to_string(), "connection refused"),
        ("unknown host", "carrier..invalid:4000".into(), "uncategorized error"),
    ] {
        let error = TcpStream::connect(&carrier).await.expect_err(case);
        assert_eq!(error.kind().to_string(), kind);
        let by_kind = is_not_sent_by_kind(&error);
        let by_step = is_not_sent(&QuoteError::Connect(error));
        println!("{case}: by its kind {by_kind}, by its step {by_step}");
        assert_eq!((by_kind, by_step), (case == "refused", true));
    }
    let lost = QuoteError::Lost(ErrorKind::HostUnreachable.into());
    let QuoteError::Lost(error) = &lost else { unreachable!("it is lost") };
    println!(
        "lost later: by its kind {}, by its step {}",
        is_not_sent_by_kind(error),
        is_not_sent(&lost)
    );
    assert!(is_not_sent_by_kind(error) && !is_not_sent(&lost));
    Ok(())
}
// ANCHOR_END: all
