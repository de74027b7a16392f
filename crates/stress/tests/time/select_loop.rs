//! The loop with carriers that send parts of lines, fail or are silent, with
//! callers that ask all the time, and with a stop at any moment.

include!("../../../../snippets/time/select-loop/select_loop.rs");

mod stress {
    use std::io;
    use std::pin::Pin;
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use anyhow::Result;
    use stress::Round;
    use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, DuplexStream};
    use tokio::sync::mpsc;
    use tokio::time::{sleep, timeout};
    use tokio_util::sync::CancellationToken;

    use super::{collect, count};

    const MS: Duration = Duration::from_millis(1);

    /// Sends scans of a carrier in parts of a few bytes. Returns when the
    /// other end is closed, or all is sent.
    async fn send(mut round: Round, mut carrier: DuplexStream, name: usize) {
        let scans = (0..20).map(|number| format!("{name} {number}\n"));
        let mut rest = &*scans.collect::<String>().into_bytes();
        while !rest.is_empty() {
            let length = round.rng.usize(1..=rest.len().min(9));
            if carrier.write_all(&rest[..length]).await.is_err() {
                return;
            }
            rest = &rest[length..];
            if round.rng.u8(..4) == 0 {
                sleep(round.duration(Duration::ZERO..2 * MS)).await;
            }
        }
    }

    /// The loop with three carriers, and two callers that ask until there is
    /// no answer. Returns its end and what is stored, by carrier.
    async fn run(
        mut round: Round,
        last: Option<Pin<Box<dyn AsyncRead + Send>>>,
        stop: Duration,
    ) -> (Result<usize>, [Vec<usize>; 3]) {
        let mut streams = Vec::from_iter(last);
        let mut carriers = Vec::new();
        for name in 0..3 {
            let (carrier, stream) = tokio::io::duplex(32);
            streams.push(Box::pin(stream));
            carriers.push(tokio::spawn(send(round.fork(), carrier, name)));
        }
        let stored = Arc::new(Mutex::new([vec![], vec![], vec![]]));
        let (token, inbox) = (CancellationToken::new(), mpsc::channel(2));
        let callers = [(); 2].map(|()| {
            let asks = inbox.0.downgrade();
            tokio::spawn(async move {
                let mut last = 0;
                while let Some(count) = count(&asks).await {
                    assert!(count >= last);
                    last = count;
                    sleep(MS).await;
                }
            })
        });
        let (to, pause) = (Arc::clone(&stored), round.duration(MS / 9..MS));
        let store = async move |scan: String| {
            if pause > MS / 2 {
                sleep(pause).await;
            }
            let (name, number) = scan.split_once(' ').expect("a scan");
            let mut stored = to.lock().expect("no holder panics");
            stored[name.parse::<usize>()?].push(number.parse()?);
            Ok(())
        };
        let collecting = collect(streams, token.clone(), inbox, store);
        let mut collecting = tokio::spawn(collecting);
        let end = match timeout(stop, &mut collecting).await {
            Ok(end) => end,
            Err(_) => {
                token.cancel();
                collecting.await
            }
        };
        let end = end.expect("no panic");
        for caller in callers {
            caller.await.expect("no panic");
        }
        for carrier in carriers {
            carrier.await.expect("no panic");
        }
        let stored = stored.lock().expect("no holder panics").clone();
        (end, stored)
    }

    #[test]
    fn all_scans_are_stored_in_order() {
        stress::rounds(|round| async {
            let (end, stored) = run(round, None, 2_000 * MS).await;
            assert_eq!(end.expect("no error"), 60);
            for scans in stored {
                assert_eq!(scans, Vec::from_iter(0..20));
            }
        });
    }

    /// No scan is missing between two that are stored, none is there twice.
    fn assert_no_gap(stored: [Vec<usize>; 3]) -> usize {
        for scans in &stored {
            assert_eq!(*scans, Vec::from_iter(0..scans.len()));
        }
        stored.iter().map(Vec::len).sum()
    }

    #[test]
    fn a_stop_leaves_no_gap() {
        stress::rounds(|mut round| async {
            let stop = round.duration(Duration::ZERO..20 * MS);
            let (end, stored) = run(round, None, stop).await;
            assert_eq!(assert_no_gap(stored), end.expect("no error"));
        });
    }

    #[test]
    fn an_error_or_a_panic_of_a_source_stops_all() {
        stress::rounds(|mut round| async {
            let time = round.duration(Duration::ZERO..20 * MS);
            let panics = round.rng.bool();
            let reads = futures::stream::once(async move {
                sleep(time).await;
                assert!(!panics, "a bug");
                Err::<&[u8], io::Error>(io::ErrorKind::ConnectionReset.into())
            });
            let reader = tokio_util::io::StreamReader::new(Box::pin(reads));
            let last = Box::pin(reader.take(9)) as Pin<Box<_>>;
            let (end, stored) = run(round, Some(last), 2_000 * MS).await;
            end.expect_err("a source fails");
            assert_no_gap(stored);
        });
    }
}
