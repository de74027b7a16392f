// ANCHOR: all
// ANCHOR: keep
use anyhow::Result;
use futures::StreamExt;
use tokio::io::AsyncRead;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio_util::codec::{FramedRead, LinesCodec};
use tokio_util::sync::CancellationToken;

/// The longest line of a carrier, in bytes.
const LONGEST: usize = 1024;

/// What is in the inbox.
enum Message {
    Scan(String),
    Count(oneshot::Sender<usize>),
}

// ANCHOR: source
/// Puts each line into the inbox, until the stream ends or the token is
/// cancelled. An error or a panic cancels it.
async fn read_scans(
    stream: impl AsyncRead + Unpin,
    token: CancellationToken,
    inbox_tx: mpsc::Sender<Message>,
) -> Result<()> {
    let guard = token.clone().drop_guard();
    let lines = LinesCodec::new_with_max_length(LONGEST);
    let mut scans = FramedRead::new(stream, lines);
    while let Some(Some(scan)) = token.run_until_cancelled(scans.next()).await {
        inbox_tx.send(Message::Scan(scan?)).await?;
    }
    guard.disarm();
    Ok(())
}
// ANCHOR_END: source

// ANCHOR: question
/// How many scans are stored. `None` if the loop has ended.
async fn count(inbox: &mpsc::WeakSender<Message>) -> Option<usize> {
    let (reply_tx, reply_rx) = oneshot::channel();
    inbox.upgrade()?.send(Message::Count(reply_tx)).await.ok()?;
    reply_rx.await.ok()
}
// ANCHOR_END: question

// ANCHOR: loop
/// Handles one message at a time, until all sources have ended.
async fn collect(
    streams: Vec<impl AsyncRead + Send + Unpin + 'static>,
    token: CancellationToken,
    inbox: (mpsc::Sender<Message>, mpsc::Receiver<Message>),
    store: impl AsyncFn(String) -> Result<()>,
) -> Result<usize> {
    let (inbox_tx, mut inbox_rx) = inbox;
    let mut sources = JoinSet::new();
    for stream in streams {
        sources.spawn(read_scans(stream, token.clone(), inbox_tx.clone()));
    }
    drop(inbox_tx); // so that the inbox ends with the last source
    let mut stored = 0;
    while let Some(message) = inbox_rx.recv().await {
        match message {
            Message::Scan(scan) => {
                store(scan).await?;
                stored += 1;
            }
            Message::Count(reply_tx) => drop(reply_tx.send(stored)),
        }
    }
    while let Some(end) = sources.join_next().await {
        end??;
    }
    Ok(stored)
}
// ANCHOR_END: loop
// ANCHOR_END: keep

// Carriers that send scans, and what must come of them.
use std::io::{self, Cursor, ErrorKind};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::bail;
use futures::stream;
use tokio::io::{AsyncWriteExt, duplex};
use tokio::task::JoinError;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::io::StreamReader;

const SECOND: Duration = Duration::from_secs(1);

type Stream = Pin<Box<dyn AsyncRead + Send>>;

/// A carrier that sends a text each second, and then ends the connection or
/// is silent.
fn carrier(texts: &[&'static str], ends: bool) -> Stream {
    let (mut carrier, stream) = duplex(64);
    let texts = texts.to_vec();
    tokio::spawn(async move {
        for text in texts {
            sleep(SECOND).await;
            carrier.write_all(text.as_bytes()).await?;
        }
        if !ends {
            sleep(3600 * SECOND).await;
        }
        io::Result::Ok(())
    });
    Box::pin(stream)
}

/// A carrier whose connection fails after 1.5 s.
fn failing(fail: fn() -> io::Error) -> Stream {
    let reads = stream::once(async move {
        sleep(SECOND * 3 / 2).await;
        Err::<&[u8], _>(fail())
    });
    Box::pin(StreamReader::new(Box::pin(reads)))
}

/// What is stored. It takes 0.9 s, or 1 ms for `quick`.
#[derive(Clone, Default)]
struct Store(Arc<Mutex<Vec<String>>>);

impl Store {
    async fn add(&self, scan: String) -> Result<()> {
        let millis = if scan == "quick" { 1 } else { 900 };
        sleep(Duration::from_millis(millis)).await;
        if scan == "refused" {
            bail!("the database refuses it");
        }
        self.0.lock().expect("no holder panics").push(scan);
        Ok(())
    }

    fn scans(&self) -> String {
        self.0.lock().expect("no holder panics").join(" ")
    }
}

fn is_panic(error: &anyhow::Error) -> bool {
    error.downcast_ref::<JoinError>().is_some_and(JoinError::is_panic)
}

/// Runs the loop, and stops it after 2.5 s.
async fn case(name: &str, streams: Vec<Stream>, end: &str, stored: &str) {
    let (store, token) = (Store::default(), CancellationToken::new());
    let add = async |scan| store.add(scan).await;
    let collecting = collect(streams, token.clone(), mpsc::channel(64), add);
    let stopping = async {
        sleep(SECOND * 5 / 2).await;
        token.cancel();
    };
    let (actual, ()) = tokio::join!(collecting, stopping);
    let actual = match actual {
        Ok(stored) => format!("{stored} stored"),
        Err(error) if is_panic(&error) => "a source panics".into(),
        Err(error) => error.to_string(),
    };
    let scans = store.scans();
    println!("{name}: {actual}; {scans:.20}");
    assert_eq!((&*actual, &*scans), (end, stored), "{name}");
}

async fn ends() {
    // ANCHOR: ends
    let streams =
        vec![carrier(&["a1\n", "a2\n"], true), carrier(&["b1\n"], true)];
    case("both end", streams, "3 stored", "a1 b1 a2").await;
    // ANCHOR_END: ends

    let texts = ["a1\na2\na3\n", "a4\na", "5\n"];
    let streams = vec![carrier(&texts, false)];
    case("stopped", streams, "4 stored", "a1 a2 a3 a4").await;

    case("silent", vec![carrier(&[], false)], "0 stored", "").await;

    let streams = vec![carrier(&["a1\na"], true)];
    case("cut", streams, "2 stored", "a1 a").await;

    let two = || carrier(&["a1\na2\n", "a3\n"], false);
    let end = "connection reset";
    let reset = failing(|| ErrorKind::ConnectionReset.into());
    case("reset", vec![two(), reset], end, "a1 a2").await;

    let bug = failing(|| panic!("a bug"));
    case("bug", vec![two(), bug], "a source panics", "a1 a2").await;

    let long = "x".repeat(1_025) + "\n";
    let long = Box::pin(Cursor::new(long));
    let end = "max line length exceeded";
    case("too long", vec![long, two()], end, "").await;
    let long = "x".repeat(1_024) + "\n";
    let end = "1 stored";
    case("long", vec![Box::pin(Cursor::new(long.clone()))], end, long.trim())
        .await;

    let streams = vec![carrier(&["a1\nrefused\na3\n"], false)];
    case("refused", streams, "the database refuses it", "a1").await;
}

async fn questions() -> Result<()> {
    let (north, south) = (carrier(&["a1\n"], false), carrier(&[], false));
    let (streams, store) = (vec![north, south], Store::default());
    // ANCHOR: call
    let inbox = mpsc::channel(64);
    let asks = inbox.0.downgrade(); // does not keep the loop running
    let token = CancellationToken::new(); // cancel it to stop the loop
    let add = async move |scan| store.add(scan).await;
    let collecting = tokio::spawn(collect(streams, token.clone(), inbox, add));
    assert_eq!(count(&asks).await, Some(0));
    // ANCHOR_END: call

    // The scan comes after 1 s, and is stored after 1.9 s.
    let start = Instant::now();
    sleep(SECOND * 3 / 2).await;
    assert_eq!(count(&asks).await, Some(1));
    println!("asked at 1.5 s: answered at {:?}", start.elapsed());
    assert_eq!(start.elapsed().as_millis(), 1_900);
    token.cancel();
    assert_eq!(collecting.await??, 1);
    assert_eq!(count(&asks).await, None);
    println!("asked after the end: no answer");

    // A busy source does not starve a question.
    let busy = Box::pin(Cursor::new("quick\n".repeat(1_000)));
    let (inbox, store) = (mpsc::channel(64), Store::default());
    let asks = inbox.0.downgrade();
    let (token, add) = (CancellationToken::new(), store.clone());
    let add = async move |scan| add.add(scan).await;
    let collecting = collect(vec![busy], token, inbox, add);
    let asking = async {
        sleep(SECOND / 10).await;
        count(&asks).await.expect("an answer")
    };
    let (stored, answer) = tokio::join!(collecting, asking);
    println!("asked after 100 of {} scans: answered after {answer}", stored?);
    assert!((100..=100 + 66).contains(&answer), "{answer}");

    // The loop is dropped: it does not read on, and loses what it has read.
    let (mut carrier, stream) = duplex(64);
    carrier.write_all(b"a1\na2\n").await?;
    let (inbox, store) = (mpsc::channel(64), Store::default());
    let (token, add) = (CancellationToken::new(), store.clone());
    let add = async move |scan| add.add(scan).await;
    let collecting = collect(vec![stream], token, inbox, add);
    assert!(timeout(SECOND, collecting).await.is_err());
    sleep(SECOND).await;
    assert!(carrier.write_all(b"a3\n").await.is_err());
    println!("dropped: {} of a1 a2", store.scans());
    assert_eq!(store.scans(), "a1");
    Ok(())
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> Result<()> {
    ends().await;
    questions().await?;
    Ok(())
}
// ANCHOR_END: all
