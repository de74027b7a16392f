// ANCHOR: all
use std::io;
use std::net::SocketAddr;
use std::num::ParseIntError;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

// ANCHOR: error
#[derive(Debug, thiserror::Error)]
enum DepotError {
    #[error("the depot cannot be reached")]
    Unreachable(#[source] io::Error),
    #[error("the line is dead")]
    Line(#[from] io::Error),
    #[error("no answer within {0:?}")]
    Silent(Duration),
    #[error("the depot has answered {answer:?}")]
    Nonsense { answer: String, source: ParseIntError },
}
// ANCHOR_END: error

// ANCHOR: boundary
/// How many packs are left; `None`: the depot does not keep this medicine.
type Packs = Result<Option<u32>, DepotError>;

async fn packs(depot: SocketAddr, medicine: &str, limit: Duration) -> Packs {
    let exchange = async {
        // ANCHOR: connect
        let line = TcpStream::connect(depot).await;
        let mut line = line.map_err(DepotError::Unreachable)?;
        // ANCHOR_END: connect
        // ANCHOR: talk
        line.write_all(medicine.as_bytes()).await?;
        let mut answer = String::new();
        line.read_to_string(&mut answer).await?;
        // ANCHOR_END: talk
        // ANCHOR: answer
        match (answer.as_str(), answer.parse()) {
            ("not kept", _) => Ok(None),
            (_, Ok(packs)) => Ok(Some(packs)),
            (_, Err(source)) => Err(DepotError::Nonsense { answer, source }),
        }
        // ANCHOR_END: answer
    };
    // ANCHOR: silent
    timeout(limit, exchange).await.unwrap_or(Err(DepotError::Silent(limit)))
    // ANCHOR_END: silent
}
// ANCHOR_END: boundary

// ANCHOR: match
fn what_to_do(packs: &Packs) -> &'static str {
    match packs {
        Ok(Some(_)) => "fetch it",
        Ok(None) => "use another",
        Err(DepotError::Silent(_)) => "ask again",
        Err(DepotError::Unreachable(_)) => "ask the next depot",
        Err(DepotError::Line(_) | DepotError::Nonsense { .. }) => "call them",
    }
}
// ANCHOR_END: match

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let ask = async |depot, limit| packs(depot, "quinine", limit).await;
    let [instant, minute] = [50, 60_000].map(Duration::from_millis);
    let deaf = TcpListener::bind("127.0.0.1:0").await?; // never accepts
    let closed = TcpListener::bind("127.0.0.1:0").await?.local_addr()?;
    for (packs, expected) in [
        (ask(closed, minute).await, "ask the next depot"),
        (ask(deaf.local_addr()?, instant).await, "ask again"),
        (ask(start_depot("plenty").await?, minute).await, "call them"),
        (ask(start_depot("not kept").await?, minute).await, "use another"),
        (ask(start_depot("40").await?, minute).await, "fetch it"),
    ] {
        let advice = what_to_do(&packs);
        assert_eq!(advice, expected);
        match packs {
            Ok(packs) => println!("{packs:?}: {advice}"),
            Err(error) => println!("{error}: {advice}"),
        }
    }
    Ok(())
}

/// A depot with one answer for every caller, until the program ends.
async fn start_depot(answer: &'static str) -> io::Result<SocketAddr> {
    let depot = TcpListener::bind("127.0.0.1:0").await?;
    let address = depot.local_addr()?;
    tokio::spawn(async move {
        while let Ok((mut line, _)) = depot.accept().await {
            line.read_buf(&mut Vec::with_capacity(64)).await?;
            line.write_all(answer.as_bytes()).await?;
        }
        io::Result::Ok(())
    });
    Ok(address)
}
// ANCHOR_END: all
