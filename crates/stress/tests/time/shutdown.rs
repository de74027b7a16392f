//! A service that is shut down under load: labels that fail in every way,
//! clients that leave, that are slow, and that keep streams open.

include!("../../../../snippets/time/shutdown/shutdown.rs");

mod stress {
    use std::collections::BTreeSet;
    use std::io;
    use std::net::SocketAddr;
    use std::panic::resume_unwind;
    use std::sync::{Arc, Mutex};
    use std::thread;
    use std::time::Duration;

    use rustix::process::{Signal, getpid, kill_process};
    use stress::{Round, SLACK};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};
    use tokio::sync::broadcast;
    use tokio::task::{JoinHandle, JoinSet, spawn_blocking};
    use tokio::time::{Instant, sleep};
    use tokio_util::sync::CancellationToken;

    use super::{
        EVENTS, LIVE, Label, listen_for_signals, rest_of, serve_labels,
    };

    const MS: Duration = Duration::from_millis(1);
    const NONE: Duration = Duration::ZERO;
    /// How many requests a round sends, and by how many clients.
    const REQUESTS: u32 = 1_000;
    const CLIENTS: u32 = 8;

    /// What becomes of a label when it is rendered.
    #[derive(Clone, Copy)]
    enum Fate {
        /// It is done after this time.
        Done(Duration),
        /// The same, by code that blocks.
        Blocks(Duration),
        Fails,
        Panics,
        Hangs,
    }

    type Parcels = Arc<Mutex<Vec<u32>>>;

    fn add(parcels: &Parcels, parcel: u32) {
        parcels.lock().expect("no panic").push(parcel);
    }

    fn run(
        parcel: u32,
        fate: Fate,
        done: Parcels,
    ) -> JoinHandle<anyhow::Result<()>> {
        if let Fate::Blocks(time) = fate {
            return spawn_blocking(move || {
                thread::sleep(time);
                add(&done, parcel);
                Ok(())
            });
        }
        tokio::spawn(async move {
            match fate {
                Fate::Done(time) => sleep(time).await,
                Fate::Fails => anyhow::bail!("no address"),
                // As a panic, without its message.
                Fate::Panics => resume_unwind(Box::new("no address")),
                _ => std::future::pending().await,
            }
            add(&done, parcel);
            Ok(())
        })
    }

    /// A service, and what became of the labels.
    struct Trial {
        address: SocketAddr,
        scans: broadcast::Sender<String>,
        begun: CancellationToken,
        service: JoinHandle<()>,
        done: Parcels,
        unfinished: Parcels,
        limits: [Duration; 4],
    }

    impl Trial {
        async fn start(
            limits: [Duration; 4],
            fate: impl Fn(u32) -> Fate + Send + Sync + 'static,
        ) -> Self {
            let listener = TcpListener::bind("127.0.0.1:0").await;
            let listener = listener.expect("a port");
            let address = listener.local_addr().expect("an address");
            let (done, unfinished) = (Parcels::default(), Parcels::default());
            let (all_done, back) = (Arc::clone(&done), Arc::clone(&unfinished));
            let run = move |Label { parcel }| {
                run(parcel, fate(parcel), Arc::clone(&all_done))
            };
            let hand_back = move |Label { parcel }| add(&back, parcel);
            let begun = CancellationToken::new();
            let (scans, _) = broadcast::channel(16);
            let service = tokio::spawn(serve_labels(
                listener,
                scans.clone(),
                begun.clone(),
                limits,
                run,
                hand_back,
            ));
            let done = Arc::clone(&done);
            Trial { address, scans, begun, service, done, unfinished, limits }
        }

        /// A connection on which this is sent.
        async fn connect(&self, request: &str) -> TcpStream {
            let stream = TcpStream::connect(self.address).await;
            let mut stream = stream.expect("it listens");
            let sent = stream.write_all(request.as_bytes()).await;
            sent.expect("it listens");
            stream
        }

        /// Waits for the end: which labels are done, and which handed back.
        async fn end(self, within: Duration) -> [Vec<u32>; 2] {
            self.begun.cancelled().await;
            let start = Instant::now();
            self.service.await.expect("no panic");
            let elapsed = start.elapsed();
            assert!(elapsed < within + SLACK, "it takes {elapsed:?}");
            assert!(elapsed > self.limits[0], "it takes {elapsed:?}");
            sleep(MS * 60).await; // for what still runs, and must not
            [self.done, self.unfinished].map(|parcels| {
                let mut parcels = parcels.lock().expect("no panic").clone();
                parcels.sort();
                parcels
            })
        }
    }

    /// What the clients know of their requests.
    #[derive(Default)]
    struct Answers {
        accepted: Vec<u32>,
        /// The client left before the answer.
        unknown: Vec<u32>,
    }

    /// A client's requests, and what happens in the middle of them.
    #[derive(Clone)]
    struct Load {
        address: SocketAddr,
        /// How many of a hundred requests the client gives up.
        leaves: u32,
        /// Before this request, the shutdown begins.
        last: u32,
        begin: Arc<dyn Fn() + Send + Sync>,
    }

    /// Orders a label: the status of the response. An error means that the
    /// server has closed the connection.
    async fn order(stream: &mut TcpStream, parcel: u32) -> io::Result<u16> {
        let request =
            format!("POST /labels/{parcel} HTTP/1.1\r\nhost: a\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            if stream.read_buf(&mut head).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        let head = String::from_utf8(head).expect("a head");
        assert!(head.contains("content-length: 0\r\n"), "{head}");
        let status = head.split(' ').nth(1).and_then(|s| s.parse().ok());
        Ok(status.expect("a status"))
    }

    /// Orders labels on one connection, and on a new one when it is closed,
    /// until the server is.
    async fn client(
        load: Load,
        parcels: impl Iterator<Item = u32>,
        mut round: Round,
    ) -> Answers {
        let (mut answers, mut open) = (Answers::default(), None);
        for parcel in parcels {
            if parcel == load.last {
                (load.begin)();
            }
            let Ok(mut stream) = (match open.take() {
                Some(stream) => Ok(stream),
                None => TcpStream::connect(load.address).await,
            }) else {
                break;
            };
            let order = order(&mut stream, parcel);
            let answer = if round.rng.u32(..100) < load.leaves {
                round.cancel(MS * 5, order).await
            } else {
                Some(order.await)
            };
            match answer {
                Some(Ok(202)) => answers.accepted.push(parcel),
                Some(Ok(503)) => {}
                Some(Ok(status)) => panic!("{status}"),
                Some(Err(_)) => continue, // it is closed, and not accepted
                None => {
                    answers.unknown.push(parcel);
                    continue;
                }
            }
            open = Some(stream);
        }
        answers
    }

    /// All clients at once. Before one of their requests `begin` is called.
    fn load(
        address: SocketAddr,
        round: &mut Round,
        leaves: u32,
        begin: impl Fn() + Send + Sync + 'static,
    ) -> JoinSet<Answers> {
        // Rather early: the rounds share two cores with others.
        let latest = round.rng.u32(1..=REQUESTS);
        let (last, begin) = (round.rng.u32(..latest), Arc::new(begin));
        let load = Load { address, leaves, last, begin };
        let mut clients = JoinSet::new();
        for number in 0..CLIENTS {
            let parcels = (number..REQUESTS).step_by(CLIENTS as usize);
            clients.spawn(client(load.clone(), parcels, round.fork()));
        }
        clients
    }

    async fn answers(clients: JoinSet<Answers>) -> [BTreeSet<u32>; 2] {
        let answers = clients.join_all().await;
        let accepted = answers.iter().flat_map(|a| &a.accepted).copied();
        let unknown = answers.iter().flat_map(|a| &a.unknown).copied();
        [accepted.collect(), unknown.collect()]
    }

    /// Each accepted label is done or handed back, once. And no other is, unless
    /// its client has left.
    fn check(
        done: &[u32],
        unfinished: &[u32],
        accepted: &BTreeSet<u32>,
        unknown: &BTreeSet<u32>,
    ) {
        let mut ended: Vec<u32> =
            done.iter().chain(unfinished).copied().collect();
        ended.sort();
        let once: BTreeSet<u32> = ended.iter().copied().collect();
        assert_eq!(ended.len(), once.len(), "a label ends twice");
        let lost: Vec<_> = accepted.difference(&once).collect();
        assert!(lost.is_empty(), "accepted and lost: {lost:?}");
        let unanswered = once.difference(accepted);
        let unanswered: Vec<_> =
            unanswered.filter(|parcel| !unknown.contains(parcel)).collect();
        assert!(unanswered.is_empty(), "not answered: {unanswered:?}");
    }

    #[test]
    fn nothing_is_lost_without_faults() {
        stress::rounds(|mut round| async move {
            let limits = [MS * 30, MS * 8_000, MS * 8_000, MS * 8_000];
            let fate = |parcel| Fate::Done(MS * (parcel % 3));
            let trial = Trial::start(limits, fate).await;
            let events = trial.connect(EVENTS).await;
            let live = trial.connect(LIVE).await;
            // The service has accepted both when it answers.
            for stream in [&events, &live] {
                stream.readable().await.expect("a response");
            }
            let begun = trial.begun.clone();
            let begin = move || begun.cancel();
            let clients = load(trial.address, &mut round, 0, begin);
            // All end in time, so that no limit is reached.
            let [done, unfinished] = trial.end(limits[0]).await;
            let [accepted, unknown] = answers(clients).await;
            assert!(unfinished.is_empty(), "{unfinished:?}");
            check(&done, &unfinished, &accepted, &unknown);
            let end = rest_of(events).await.expect("an end");
            assert!(end.ends_with(b"\r\n0\r\n\r\n"));
            let end = rest_of(live).await.expect("an end");
            assert!(end.ends_with(b"\x88\0"));
        });
    }

    #[test]
    fn nothing_is_lost_with_faults() {
        stress::rounds(|mut round| async move {
            let limits = [MS * 30, MS * 100, MS * 100, MS * 300];
            let mut rng = round.rng.fork();
            let fates: Vec<Fate> = (0..REQUESTS)
                .map(|_| match rng.u32(..1_000) {
                    0 => Fate::Hangs,
                    1..=20 => Fate::Panics,
                    21..=40 => Fate::Fails,
                    41..=60 => Fate::Blocks(MS * rng.u32(..30)),
                    61..=65 => Fate::Done(MS * rng.u32(..300)),
                    _ => Fate::Done(NONE),
                })
                .collect();
            let fate = move |parcel: u32| fates[parcel as usize];
            let trial = Trial::start(limits, fate).await;
            let slow = trial.connect("POST /labels/5 HTTP/1.1\r\nho").await;
            let live = trial.connect(LIVE).await;
            let events = trial.connect(EVENTS).await;
            let (begun, scans) = (trial.begun.clone(), trial.scans.clone());
            let begin = move || {
                // More than a connection holds, and its client does not read.
                _ = scans.send("7".repeat(8_000_000));
                begun.cancel();
            };
            let clients = load(trial.address, &mut round, 8, begin);
            let [done, unfinished] = trial.end(limits.iter().sum()).await;
            drop((slow, live, events));
            let [accepted, unknown] = answers(clients).await;
            check(&done, &unfinished, &accepted, &unknown);
        });
    }

    /// The queue is full. Jobs end about when they are aborted, and some cannot
    /// be aborted.
    #[test]
    fn a_job_that_ends_at_the_limit_ends_once() {
        stress::rounds(|mut round| async move {
            let limits = [MS * 5, MS * 5, MS * 5, MS * 1_000];
            let mut rng = round.rng.fork();
            let fates: Vec<Fate> = (0..REQUESTS)
                .map(|_| match rng.u32(..8) {
                    0..=4 => Fate::Blocks(MS * rng.u32(..60)),
                    5..=6 => Fate::Done(MS * rng.u32(..30)),
                    _ => Fate::Hangs,
                })
                .collect();
            let fate = move |parcel: u32| fates[parcel as usize];
            let trial = Trial::start(limits, fate).await;
            let clients = load(trial.address, &mut round, 0, || ());
            sleep(round.duration(NONE..MS * 30)).await;
            trial.begun.cancel();
            let [done, unfinished] = trial.end(limits.iter().sum()).await;
            let [accepted, unknown] = answers(clients).await;
            check(&done, &unfinished, &accepted, &unknown);
        });
    }

    #[test]
    fn a_signal_begins_the_shutdown() {
        stress::processes(|mut round| async move {
            let limits = [MS * 30, MS * 8_000, MS * 8_000, MS * 8_000];
            let trial = Trial::start(limits, |_| Fate::Done(MS)).await;
            listen_for_signals(trial.begun.clone()).expect("it listens");
            let signal = round.choice([Signal::TERM, Signal::INT]);
            let begin = move || {
                kill_process(getpid(), signal).expect("it is this process");
            };
            let clients = load(trial.address, &mut round, 0, begin);
            let [done, unfinished] = trial.end(limits[0]).await;
            let [accepted, unknown] = answers(clients).await;
            assert!(unfinished.is_empty(), "{unfinished:?}");
            check(&done, &unfinished, &accepted, &unknown);
        });
    }
}
