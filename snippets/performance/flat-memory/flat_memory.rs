// ANCHOR: all
// ANCHOR: keep
use std::io::{self, Read};

use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::task::{JoinError, JoinHandle, spawn_blocking};

// ANCHOR: errors
#[derive(Debug, thiserror::Error)]
enum ReadError {
    #[error("cannot read the file")]
    Io(#[from] io::Error),
    #[error("the line at byte {0} does not fit into a block")]
    TooLong(usize),
    #[error("byte {0} is not UTF-8")]
    NotUtf8(usize),
    #[error("the reader panicked, or the runtime has ended")]
    Stopped(#[from] JoinError),
}
// ANCHOR_END: errors

/// The lines of a file, in blocks of text. One thread reads them.
struct Blocks {
    rx: Receiver<String>,
    reader: Option<JoinHandle<Result<(), ReadError>>>,
}

impl Blocks {
    // ANCHOR: start
    fn read<R: Read>(
        open: impl FnOnce() -> io::Result<R> + Send + 'static,
        size: usize,
        capacity: usize,
    ) -> Self {
        let (tx, rx) = mpsc::channel(capacity);
        let reader = spawn_blocking(move || send_blocks(open()?, size, &tx));
        Blocks { rx, reader: Some(reader) }
    }
    // ANCHOR_END: start

    // ANCHOR: next
    /// The next whole lines, or `None` at the end and after an error.
    async fn next(&mut self) -> Result<Option<String>, ReadError> {
        let text = self.rx.recv().await;
        if let (None, Some(reader)) = (&text, &mut self.reader) {
            let ended = reader.await;
            self.reader = None;
            ended??;
        }
        Ok(text)
    }
    // ANCHOR_END: next
}

// ANCHOR: send
fn send_blocks(
    mut input: impl Read,
    size: usize,
    tx: &Sender<String>,
) -> Result<(), ReadError> {
    let (mut block, mut at) = (Vec::with_capacity(size), 0);
    loop {
        let room = size - block.len();
        input.by_ref().take(room as u64).read_to_end(&mut block)?;
        let end = match block.iter().rposition(|byte| *byte == b'\n') {
            _ if block.len() < size => block.len(), // the end of the file
            Some(newline) => newline + 1,
            None if (&mut input).take(1).read_to_end(&mut block)? == 0 => size,
            None => return Err(ReadError::TooLong(at)),
        };
        let text = str::from_utf8(&block[..end])
            .map_err(|error| ReadError::NotUtf8(at + error.valid_up_to()))?
            .to_owned();
        if text.is_empty() || tx.blocking_send(text).is_err() {
            return Ok(()); // the end, or `Blocks` was dropped
        }
        at += block.drain(..end).len(); // keeps the begin of the next line
    }
}
// ANCHOR_END: send
// ANCHOR_END: keep

// An export of parcels, one a line, and what must come of it.
use std::fs::File;
use std::io::{Write, repeat};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use anyhow::Context;
use tokio::runtime::Builder;
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};

const KIB: usize = 1024;

#[derive(Default)]
struct Store {
    parcels: usize,
    grams: u64,
}

impl Store {
    async fn insert(&mut self, parcels: Vec<u64>) -> anyhow::Result<()> {
        sleep(Duration::ZERO).await;
        self.parcels += parcels.len();
        self.grams += parcels.iter().sum::<u64>();
        Ok(())
    }
}

/// The weight of a parcel: `7;Oslo;2499` has 2,499 g.
fn parse(line: &str) -> anyhow::Result<u64> {
    let weight = line.rsplit(';').next().and_then(|it| it.parse().ok());
    weight.with_context(|| format!("no weight: {line}"))
}

// ANCHOR: call
async fn import_file(path: PathBuf, store: &mut Store) -> anyhow::Result<()> {
    let mut blocks = Blocks::read(|| File::open(path), 64 * 1024, 4);
    while let Some(block) = blocks.next().await? {
        let parcels = block.lines().map(parse).collect::<Result<_, _>>()?;
        store.insert(parcels).await?; // one transaction for each block
    }
    Ok(())
}
// ANCHOR_END: call

/// A file that counts what is read of it, and tells when it is closed.
struct Watched<R> {
    input: R,
    bytes: Arc<AtomicUsize>,
    _closed_tx: oneshot::Sender<()>,
}

impl<R: Read> Watched<R> {
    fn new(input: R) -> (Self, Arc<AtomicUsize>, oneshot::Receiver<()>) {
        let bytes = Arc::new(AtomicUsize::new(0));
        let (_closed_tx, closed_rx) = oneshot::channel();
        (Watched { input, bytes: bytes.clone(), _closed_tx }, bytes, closed_rx)
    }
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(buffer)?;
        self.bytes.fetch_add(read, Relaxed);
        Ok(read)
    }
}

/// A file that calls a function for each read.
struct Calls<F>(F);

impl<F: FnMut() -> io::Result<u8>> Read for Calls<F> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        (self.0)().map(|byte| {
            buffer[0] = byte;
            1
        })
    }
}

/// The lines of an input, and how it ends.
async fn lines<R: Read + Send + 'static>(
    input: R,
    size: usize,
) -> (Vec<String>, Option<ReadError>) {
    let mut blocks = Blocks::read(move || Ok(input), size, 1);
    let mut lines = Vec::new();
    loop {
        match blocks.next().await {
            Ok(Some(block)) => {
                assert!((1..=size).contains(&block.len()));
                lines.extend(block.lines().map(str::to_owned));
            }
            Ok(None) => return (lines, None),
            Err(error) => {
                let after = blocks.next().await.expect("no second error");
                assert_eq!(after, None);
                return (lines, Some(error));
            }
        }
    }
}

async fn files() -> anyhow::Result<()> {
    let mut export = tempfile::NamedTempFile::new()?;
    let line = format!("7;{:242};2499\n", "Oslo");
    export.write_all(line.repeat(40_000).as_bytes())?;
    let mut store = Store::default();
    import_file(export.path().to_owned(), &mut store).await?;
    let Store { parcels, grams } = store;
    println!("import_file: {parcels} parcels, {} kg", grams / 1_000);
    assert_eq!((parcels, grams), (40_000, 40_000 * 2_499));

    // The lines are the same, wherever a block ends.
    let text = "7;Oslo;2499\r\n8;Tromsø;120\n\n9;Łódź;77";
    for size in 14..=60 {
        let (found, error) = lines(text.as_bytes(), size).await;
        assert!(error.is_none() && found.iter().eq(text.lines()), "{found:?}");
    }
    println!("any size: the same {} lines", text.lines().count());
    let (_, error) = lines(text.as_bytes(), 13).await; // `8;Tromsø;120\n`: 14
    assert!(matches!(error, Some(ReadError::TooLong(13))));
    // The last line has no newline, and fills a block, or is a byte longer.
    for (text, fits) in
        [("7\n8;Rome", true), ("8;Rome", true), ("8;Rome9", false)]
    {
        let (found, error) = lines(text.as_bytes(), 6).await;
        assert_eq!(error.is_none(), fits);
        assert_eq!(found.iter().eq(text.lines()), fits);
    }
    for empty in ["", "\n"] {
        let (found, error) = lines(empty.as_bytes(), 15).await;
        assert!(error.is_none() && found.iter().eq(empty.lines()));
    }
    Ok(())
}

async fn errors() -> anyhow::Result<()> {
    // The byte of the line, and no line before it is lost.
    let text = "7;Oslo;2499\n8;Bergen;120\n9;Hamar;77\n";
    let (found, error) = lines(text.as_bytes(), 12).await;
    let error = error.context("it is too long")?;
    println!("too long: after {found:?}, {error}");
    assert!(
        found == ["7;Oslo;2499"] && matches!(error, ReadError::TooLong(12))
    );
    let (input, bytes, _) = Watched::new(repeat(b'7'));
    let (found, error) = lines(input, 64 * KIB).await;
    let read = bytes.load(Relaxed) / KIB;
    println!("endless line: an error after {read} KiB");
    assert!(found.is_empty() && matches!(error, Some(ReadError::TooLong(0))));
    assert_eq!(read, 64);

    let bad = b"7;Oslo;2499\n8;Troms\xf8;120\n";
    let (found, error) = lines(&bad[..], 16).await;
    let error = error.context("it is Latin-1")?;
    println!("not UTF-8: after {found:?}, {error}");
    assert!(
        found == ["7;Oslo;2499"] && matches!(error, ReadError::NotUtf8(19))
    );

    let broken = Calls(|| Err(io::Error::other("the disk is broken")));
    let input = text.as_bytes().chain(broken);
    let (found, error) = lines(input, 16).await;
    let error = anyhow::Error::from(error.context("it is broken")?);
    println!("disk error: after {found:?}, {error:#}");
    assert_eq!(found, ["7;Oslo;2499", "8;Bergen;120"]);

    let mut blocks = Blocks::read(|| File::open("no file"), 64 * KIB, 4);
    let error = blocks.next().await.expect_err("no such file");
    let ReadError::Io(error) = error else { anyhow::bail!(error) };
    println!("missing: {:?}", error.kind());
    assert_eq!(error.kind(), io::ErrorKind::NotFound);

    let panics = Calls(|| panic!("a fault in the decoder"));
    let (found, error) = lines(text.as_bytes().chain(panics), 16).await;
    let error = error.context("it panicked")?;
    println!("panic: after {found:?}, {error}");
    assert_eq!(found, ["7;Oslo;2499", "8;Bergen;120"]);
    assert!(matches!(error, ReadError::Stopped(error) if error.is_panic()));
    Ok(())
}

/// Waits until a number of bytes has been read, and then for more.
async fn settles(bytes: &AtomicUsize, at: usize) {
    while bytes.load(Relaxed) < at {
        sleep(Duration::from_millis(1)).await;
    }
    sleep(Duration::from_millis(30)).await;
    assert_eq!(bytes.load(Relaxed), at);
}

async fn waits() -> anyhow::Result<()> {
    // A file of empty lines, without an end. Nothing takes its blocks.
    let (input, bytes, closed_rx) = Watched::new(repeat(b'\n'));
    let mut blocks = Blocks::read(|| Ok(input), 64 * KIB, 4);
    settles(&bytes, 5 * 64 * KIB).await;
    println!("read ahead: {} KiB", bytes.load(Relaxed) / KIB);
    let block = blocks.next().await?.context("a block")?;
    assert_eq!((block.len(), block.capacity()), (64 * KIB, 64 * KIB));
    settles(&bytes, 6 * 64 * KIB).await;
    drop(blocks);
    closed_rx.await.expect_err("the file is closed");
    assert_eq!(bytes.load(Relaxed), 6 * 64 * KIB);
    println!("dropped: the file is closed, 0 bytes more were read");

    // A disk that is silent after one line. A read cannot be cancelled.
    let (release_tx, release_rx) = std::sync::mpsc::channel();
    let silent = Calls(move || Ok(release_rx.recv().unwrap_or(b'7')));
    let (input, bytes, closed_rx) =
        Watched::new(repeat(b'\n').take(8).chain(silent));
    let mut blocks = Blocks::read(|| Ok(input), 8, 4);
    assert_eq!(blocks.next().await?, Some("\n".repeat(8)));
    let silence = Duration::from_millis(30);
    assert!(timeout(silence, blocks.next()).await.is_err());
    release_tx.send(b'\n')?;
    for _ in 0..7 {
        assert!(timeout(silence / 10, blocks.next()).await.is_err());
        release_tx.send(b'7')?;
    }
    // The cancelled calls of `next` have lost nothing.
    assert_eq!(blocks.next().await?.as_deref(), Some("\n"));
    assert!(timeout(silence, blocks.next()).await.is_err());
    drop(blocks);
    assert_eq!(bytes.load(Relaxed), 16);
    drop(release_tx); // the disk answers again, and does not end
    closed_rx.await.expect_err("the file is closed");
    let more = bytes.load(Relaxed) - 16;
    println!("silent: a timeout, and when the disk answers, {more} byte more");
    Ok(())
}

/// A blocking pool of one thread, which reads for another file.
fn pool() -> anyhow::Result<()> {
    let mut runtime = Builder::new_current_thread();
    let runtime = runtime.enable_time().max_blocking_threads(1).build()?;
    runtime.block_on(async {
        let first = Blocks::read(|| Ok(repeat(b'\n')), KIB, 1);
        let mut second = Blocks::read(|| Ok(&b"7;Oslo;2499"[..]), KIB, 1);
        let waits = timeout(Duration::from_millis(30), second.next()).await;
        assert!(waits.is_err());
        drop(first);
        assert_eq!(second.next().await?.as_deref(), Some("7;Oslo;2499"));
        println!("pool: the second file is read when the first has ended");
        Ok(())
    })
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    files().await?;
    errors().await?;
    waits().await?;
    std::thread::spawn(pool).join().expect("no panic")
}
// ANCHOR_END: all
