//! `quote` with several callers: against a carrier that fails in every way, and
//! given up.

include!("../../../../snippets/best-practices/errors/errors.rs");

mod stress {
    use std::io;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
    use std::time::Duration;

    use stress::SLACK;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};
    use tokio::task::JoinSet;
    use tokio::time::{Instant, sleep};
    use tokio_util::task::AbortOnDropHandle;

    use super::{MAX_RESPONSE, quote, word};

    const MS: Duration = Duration::from_millis(1);

    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Reply {
        Price(u32),
        None,
        /// A price, a byte at a time, in so much time.
        Slow(Duration),
        /// It reads the request, and closes or resets the connection.
        Closed,
        Reset,
        /// It does not read the request.
        Unread,
        /// A price without the end of the line.
        Cut,
        Silent,
        /// It closes its sending half of the connection.
        HalfClosed,
        /// So many bytes without the end of the line, and then it waits.
        Long(usize),
        Endless,
        Bytes([u8; 8]),
    }

    /// Returns how many bytes were sent, when the client has closed.
    async fn serve(mut stream: TcpStream, reply: Reply) -> io::Result<usize> {
        let mut request = [0; 64];
        if reply != Reply::Unread {
            let length = stream.read(&mut request).await?;
            if length == 0 {
                return Ok(0); // it has given up
            }
            assert_eq!(&request[..length], b"500\n");
        }
        match reply {
            Reply::Price(cents) => {
                stream.write_all(format!("{cents}\n").as_bytes()).await?;
            }
            Reply::None => stream.write_all(b"none\n").await?,
            Reply::Slow(time) => {
                for byte in b"1250\n" {
                    sleep(time / 5).await;
                    stream.write_all(&[*byte]).await?;
                }
            }
            Reply::Closed | Reply::Unread => return Ok(0),
            Reply::Reset => {
                stream.set_zero_linger()?;
                return Ok(0);
            }
            Reply::Cut => {
                stream.write_all(b"12").await?;
                return Ok(2);
            }
            Reply::Silent => {}
            Reply::HalfClosed => stream.shutdown().await?,
            Reply::Long(length) => {
                stream.write_all(&vec![b'1'; length]).await?
            }
            Reply::Endless => {
                let mut sent = 0;
                while let Ok(more) = stream.write(&[b'1'; 10_000]).await {
                    sent += more;
                }
                return Ok(sent);
            }
            Reply::Bytes(bytes) => {
                stream.write_all(&bytes).await?;
                stream.write_all(b"\n").await?;
            }
        }
        while stream.read(&mut request).await? > 0 {}
        Ok(0)
    }

    struct Carrier {
        address: String,
        /// How many connections are open.
        open: Arc<AtomicUsize>,
        _server: AbortOnDropHandle<()>,
    }

    async fn carrier(reply: Reply) -> Carrier {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let open = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&open);
        let server = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                count.fetch_add(1, Relaxed);
                let count = Arc::clone(&count);
                connections.spawn(async move {
                    // An error: the client has closed before it was sent all.
                    let sent = serve(stream, reply).await.unwrap_or(0);
                    // What is in the buffers of two sockets was sent, too.
                    assert!(sent < 20_000_000, "{sent}");
                    count.fetch_sub(1, Relaxed);
                });
            }
        });
        let _server = AbortOnDropHandle::new(server);
        Carrier { address, open, _server }
    }

    impl Carrier {
        async fn until_all_are_closed(&self) {
            while self.open.load(Relaxed) > 0 {
                sleep(MS).await;
            }
        }
    }

    fn expected(reply: Reply) -> String {
        match reply {
            Reply::Price(cents) => return cents.to_string(),
            Reply::None => "none",
            Reply::Slow(_) => "1250", // or a timeout
            Reply::Closed | Reply::Reset | Reply::Unread | Reply::Cut => "Lost",
            Reply::HalfClosed => "Lost",
            Reply::Silent => "Timeout",
            Reply::Long(length) if length < MAX_RESPONSE => "Timeout",
            Reply::Long(_) | Reply::Endless => "TooLong",
            Reply::Bytes(_) => "Malformed",
        }
        .into()
    }

    #[test]
    fn each_failure_is_told_and_ends_in_time() {
        stress::rounds(|mut round| async move {
            let mut callers = JoinSet::new();
            for _ in 0..8 {
                let time = round.duration(Duration::ZERO..MS * 1_000);
                let length =
                    round.rng.usize(MAX_RESPONSE - 2..MAX_RESPONSE + 3);
                let mut bytes = [0; 8];
                round.rng.fill(&mut bytes);
                bytes[7] |= 0x80; // it is not ASCII
                let bytes = bytes.map(|byte| byte.max(b'\n' + 1));
                let cents = round.rng.u32(..);
                let reply = round.choice([
                    Reply::Price(cents),
                    Reply::None,
                    Reply::Slow(time),
                    Reply::Closed,
                    Reply::Reset,
                    Reply::Unread,
                    Reply::Cut,
                    Reply::Silent,
                    Reply::HalfClosed,
                    Reply::Long(length),
                    Reply::Endless,
                    Reply::Bytes(bytes),
                ]);
                let expected = expected(reply);
                let slow = matches!(reply, Reply::Slow(_));
                let waits = slow || expected == "Timeout";
                let limit = if waits { MS * 500 } else { SLACK * 5 };
                callers.spawn(async move {
                    let carrier = carrier(reply).await;
                    let start = Instant::now();
                    let quoted = quote(&carrier.address, 500, limit).await;
                    let elapsed = start.elapsed();
                    let about = format!("{reply:?}, {elapsed:?}: {quoted:?}");
                    assert!(elapsed < limit + SLACK, "{about}");
                    let found = word(&quoted);
                    let late = found == "Timeout";
                    assert!(!late || elapsed >= limit, "{about}");
                    assert!(found == expected || slow && late, "{about}");
                    carrier.until_all_are_closed().await;
                });
            }
            while let Some(end) = callers.join_next().await {
                end.expect("no panic");
            }
        });
    }

    #[test]
    fn a_caller_that_gives_up_leaves_no_connection() {
        stress::rounds(|mut round| async move {
            let silent = carrier(Reply::Silent).await;
            let right = carrier(Reply::Price(1250)).await;
            for _ in 0..10 {
                let quoted = quote(&silent.address, 500, SLACK * 5);
                round.cancel(MS * 5, quoted).await;
                let quoted = quote(&right.address, 500, SLACK * 5);
                let quoted = round.cancel(MS * 5, quoted).await;
                let quoted = quoted.map(|quoted| word(&quoted));
                assert!(quoted.is_none_or(|word| word == "1250"));
            }
            silent.until_all_are_closed().await;
            right.until_all_are_closed().await;
        });
    }
}
