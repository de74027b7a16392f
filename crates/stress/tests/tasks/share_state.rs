//! `Labels` with callers that buy, panic, print, give up and meet a printer that
//! is slow, silent, or closes: no change is lost or half done, each caller gets
//! the answer to its own request, and the locks are free in the end.

include!("../../../../snippets/tasks/share-state/share_state.rs");

mod stress {
    use std::collections::HashSet;
    use std::future::pending;
    use std::net::SocketAddr;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
    use std::time::Duration;

    use stress::{Round, SLACK};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};
    use tokio::task::{JoinSet, yield_now};
    use tokio::time::{Instant, sleep, timeout};

    use super::Labels;

    const MS: Duration = Duration::from_millis(1);

    /// A parcel that a printer always prints at once.
    const GOOD: u32 = 1000;

    #[test]
    fn no_change_is_lost_or_half_done() {
        stress::rounds(|mut round| async move {
            let (price, buys) = (round.rng.u32(1..9), 200);
            let credit = round.rng.u32(..buys * price * 2);
            let nowhere = SocketAddr::from(([127, 0, 0, 1], 0));
            let labels = Arc::new(Labels::new(credit, nowhere, SLACK));
            let mut tasks = JoinSet::new();
            for parcel in 0..buys {
                let labels = Arc::clone(&labels);
                let panics = round.rng.u8(..20) == 0;
                tasks.spawn(async move {
                    if panics {
                        let _account = labels.lock();
                        panic!("it holds the lock");
                    }
                    let bought = labels.buy(parcel, price);
                    yield_now().await;
                    let account = labels.account();
                    let paid = account.labels.len() as u32 * price;
                    assert_eq!(account.credit + paid, credit, "half done");
                    bought.map(|left| (parcel, left))
                });
            }
            let (mut bought, mut lefts, mut panics) = (vec![], vec![], 0);
            while let Some(end) = tasks.join_next().await {
                match end {
                    Ok(Some((parcel, left))) => {
                        bought.push(parcel);
                        lefts.push(left);
                    }
                    Ok(None) => {}
                    Err(error) => {
                        let panic = error.into_panic();
                        let why = panic.downcast_ref::<&str>();
                        assert_eq!(why, Some(&"it holds the lock"));
                        panics += 1;
                    }
                }
            }
            let mut account = labels.account();
            account.labels.sort_unstable();
            bought.sort_unstable();
            assert_eq!(account.labels, bought, "a change is lost");
            let most = (credit / price).min(buys - panics);
            assert_eq!(bought.len() as u32, most, "a wrong refusal");
            assert_eq!(lefts.iter().collect::<HashSet<_>>().len(), lefts.len());
        });
    }

    /// A printer, and how many labels it prints at this moment.
    struct Printer {
        address: SocketAddr,
        requests: Arc<AtomicU32>,
        _server: JoinSet<()>,
    }

    impl Printer {
        async fn start(mut round: Round) -> Self {
            let listener = TcpListener::bind("127.0.0.1:0").await;
            let listener = listener.expect("a port");
            let address = listener.local_addr().expect("it is bound");
            let requests = Arc::<AtomicU32>::default();
            let (counter, mut server) = (Arc::clone(&requests), JoinSet::new());
            server.spawn(async move {
                let mut exchanges = JoinSet::new();
                while let Ok((conn, _)) = listener.accept().await {
                    let counter = Arc::clone(&counter);
                    exchanges.spawn(answer(conn, counter, round.fork()));
                }
            });
            Printer { address, requests, _server: server }
        }
    }

    /// Is slow, silent, closes, cuts its answer, answers another request, or
    /// answers: once, or twice, at once or a little later.
    async fn answer(
        mut conn: TcpStream,
        requests: Arc<AtomicU32>,
        mut round: Round,
    ) {
        while let Ok(parcel) = conn.read_u32().await {
            requests.fetch_add(1, SeqCst);
            if parcel != GOOD {
                match round.rng.u8(..8) {
                    0 => pending().await,
                    1 => return,
                    2 => {
                        let _ = conn.write_u8(0).await;
                        return;
                    }
                    3 => sleep(round.duration(MS..20 * MS)).await,
                    _ => sleep(round.duration(Duration::ZERO..MS)).await,
                }
            }
            let mut answers = vec![parcel];
            if parcel != GOOD {
                match round.rng.u8(..8) {
                    0 => answers = vec![parcel + 1],
                    1 => answers = vec![parcel, parcel],
                    2 => answers = vec![parcel, parcel + 1],
                    _ => {}
                }
            }
            let at_once = if round.rng.bool() { 1 } else { answers.len() };
            for answers in answers.chunks(at_once) {
                let answers = answers.iter().flat_map(|n| n.to_be_bytes());
                let answers = answers.collect::<Vec<_>>();
                if conn.write_all(&answers).await.is_err() {
                    return;
                }
                sleep(round.duration(Duration::ZERO..MS)).await;
            }
            if parcel != GOOD && round.rng.u8(..8) == 0 {
                return;
            }
        }
    }

    #[test]
    fn each_caller_gets_the_answer_to_its_own_request() {
        stress::rounds(|mut round| async move {
            let printer = Printer::start(round.fork()).await;
            let labels = Labels::new(0, printer.address, 10 * MS);
            let labels = Arc::new(labels);
            let mut callers = JoinSet::new();
            for parcel in 0..40 {
                let labels = Arc::clone(&labels);
                let mut round = round.fork();
                callers.spawn(async move {
                    let call = labels.print(parcel);
                    let end = if round.rng.bool() {
                        round.cancel(30 * MS, call).await
                    } else {
                        Some(call.await)
                    };
                    if let Some(Ok(number)) = end {
                        assert_eq!(number, parcel, "another one's answer");
                    }
                });
            }
            while let Some(end) = callers.join_next().await {
                end.expect("each answer is right");
            }
            // Whatever they have left behind: this one, or the next, succeeds.
            let labels = Arc::into_inner(labels).expect("all have ended");
            let labels = Labels { timeout: SLACK, ..labels };
            let first = labels.print(GOOD).await;
            let number = match first {
                Ok(number) => number,
                Err(_) => labels.print(GOOD).await.expect("a new connection"),
            };
            assert_eq!(number, GOOD);
            assert!(labels.printer.try_lock().is_ok());
        });
    }

    #[test]
    fn a_silent_printer_delays_each_caller_by_the_timeout() {
        stress::rounds(|mut round| async move {
            let listener = TcpListener::bind("127.0.0.1:0").await;
            let listener = listener.expect("a port"); // it accepts nothing
            let address = listener.local_addr().expect("it is bound");
            let limit = round.duration(MS..10 * MS);
            let labels = Arc::new(Labels::new(0, address, limit));
            let (mut callers, start) = (JoinSet::new(), Instant::now());
            for parcel in 0..5 {
                let labels = Arc::clone(&labels);
                callers
                    .spawn(async move { labels.print(parcel).await.is_err() });
            }
            let all = timeout(SLACK, callers.join_all()).await;
            assert_eq!(all.expect("a caller waits"), [true; 5]);
            assert!(start.elapsed() >= 5 * limit, "two at the same time");
        });
    }
}
