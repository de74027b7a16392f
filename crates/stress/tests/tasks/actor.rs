//! `Handle` with callers that give up, and actors that end in each way: each
//! caller gets its own reply or `Ended`, and what is accepted is served. And
//! `Printer` with a printer that fails: no parcel gets the job of another.

include!("../../../../snippets/tasks/actor/actor.rs");

mod stress {
    use std::collections::HashMap;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
    use std::thread;
    use std::time::Duration;

    use anyhow::Result;
    use stress::{Round, SLACK};
    use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
    use tokio::net::{TcpListener, TcpStream};
    use tokio::sync::{Mutex, oneshot};
    use tokio::task::{JoinSet, yield_now};
    use tokio::time::{sleep, timeout};
    use tokio_util::sync::CancellationToken;

    use super::{Actor, Ended, Handle, Printer, Request};

    const MS: Duration = Duration::from_millis(1);

    /// Replies with the double, and panics at one number.
    struct Double {
        round: Round,
        served: Arc<AtomicU32>,
        panics_at: u32,
    }

    struct Number(u32, oneshot::Sender<u32>);

    impl Actor for Double {
        type Request = Number;

        async fn handle(&mut self, Number(number, reply_tx): Number) {
            match self.round.rng.u8(..8) {
                0 => sleep(self.round.duration(Duration::ZERO..MS)).await,
                1 => thread::sleep(MS / 20),
                2 => yield_now().await,
                _ => {}
            }
            assert_ne!(number, self.panics_at, "it panics");
            self.served.fetch_add(1, SeqCst);
            _ = reply_tx.send(2 * number);
        }
    }

    /// How an actor ends.
    #[derive(Clone, Copy, PartialEq)]
    enum End {
        Token,
        LastHandle,
        Panic,
        Abort,
    }

    #[test]
    fn each_caller_gets_its_reply_or_an_error() {
        stress::rounds(|mut round| async move {
            let ends = [End::Token, End::LastHandle, End::Panic, End::Abort];
            let end = round.choice(ends);
            let panics = end == End::Panic;
            let panics_at = if panics { round.rng.u32(..100) } else { 1000 };
            let served = Arc::new(AtomicU32::new(0));
            let actor = Double {
                round: round.fork(),
                served: served.clone(),
                panics_at,
            };
            let token = CancellationToken::new();
            let capacity = round.rng.usize(1..9);
            let (handle, mut task) =
                Handle::start(actor, capacity, token.clone());
            let (handle, accepted) =
                (Arc::new(handle), Arc::new(AtomicU32::new(0)));
            let mut callers = JoinSet::new();
            for number in 0..100 {
                let (handle, mut round) = (Arc::clone(&handle), round.fork());
                let accepted = Arc::clone(&accepted);
                callers.spawn(async move {
                    sleep(round.duration(Duration::ZERO..3 * MS)).await;
                    let pause = round.choice([0, 0, 200]);
                    let reply = handle.ask(|reply_tx| {
                        accepted.fetch_add(1, SeqCst);
                        // It has a place, and the actor may end now.
                        thread::sleep(Duration::from_micros(pause));
                        Number(number, reply_tx)
                    });
                    let reply = if round.rng.u8(..4) == 0 {
                        round.cancel(2 * MS, reply).await
                    } else {
                        Some(reply.await)
                    };
                    if let Some(Ok(reply)) = reply {
                        assert_eq!(reply, 2 * number);
                    }
                    matches!(reply, Some(Err(Ended)))
                });
            }
            // The test has a handle of its own, unless it must be dropped.
            let own = (end != End::LastHandle).then_some(handle);
            sleep(round.duration(Duration::ZERO..4 * MS)).await;
            match end {
                End::Token => token.cancel(),
                End::Abort => task.abort(),
                End::Panic | End::LastHandle => {}
            }
            let mut refused = 0;
            while let Some(caller) = timeout(SLACK, callers.join_next())
                .await
                .expect("a caller waits for an actor that has ended")
            {
                refused += u32::from(caller.expect("no panic"));
            }
            if panics && !task.is_finished() {
                token.cancel(); // its number was never sent
            }
            let ended = timeout(SLACK, &mut task).await.expect("it ends");
            if ended.is_ok() {
                let (served, accepted) =
                    (served.load(SeqCst), accepted.load(SeqCst));
                assert_eq!(served, accepted, "an accepted request is lost");
            }
            if end == End::LastHandle {
                assert!(ended.is_ok() && refused == 0);
            }
            if let Some(handle) = own {
                let late = handle.ask(|reply_tx| Number(1, reply_tx)).await;
                assert_eq!(late, Err(Ended));
            }
        });
    }

    fn job(parcel: u32) -> u32 {
        parcel * 7
    }

    /// A printer whose jobs tell the parcel. It is slow now and then, sends a
    /// wrong reply before or after the right one, cuts a reply, or sends none.
    /// Now and then it closes the connection after a reply.
    async fn serve(mut round: Round, mut conn: TcpStream) -> Result<()> {
        let (read, mut write) = conn.split();
        let mut lines = BufReader::new(read).lines();
        while let Some(line) = lines.next_line().await? {
            sleep(round.duration(Duration::ZERO..MS / 2)).await;
            let parcel = line.strip_prefix("print ").expect("a command");
            let mut reply = format!("{}\n", job(parcel.parse()?));
            if round.rng.u8(..10) == 0 {
                write.write_all(b"jam\n").await?;
            }
            let sent = match round.rng.usize(..10) {
                0 => round.rng.usize(..reply.len()),
                _ => reply.len(),
            };
            let whole = sent == reply.len();
            if round.rng.u8(..5) == 0 {
                reply.push_str("4711\n"); // sent at once with the first line
            }
            let sent = if whole { reply.len() } else { sent };
            write.write_all(&reply.as_bytes()[..sent]).await?;
            if !whole || round.rng.u8(..10) == 0 {
                break;
            }
        }
        Ok(())
    }

    #[test]
    fn no_parcel_gets_the_job_of_another() {
        stress::rounds(|mut round| async move {
            let listener = TcpListener::bind("127.0.0.1:0").await;
            let listener = listener.expect("a port");
            let addr = listener.local_addr().expect("an address");
            let mut server = JoinSet::new();
            let mut choices = round.fork();
            server.spawn(async move {
                let mut conns = JoinSet::new();
                while let Ok((conn, _)) = listener.accept().await {
                    conns.spawn(serve(choices.fork(), conn));
                }
            });
            let printer = || Printer { addr, conn: None, jobs: HashMap::new() };
            let locked = Arc::new(Mutex::new(printer()));
            let token = CancellationToken::new();
            let (handle, task) = Handle::start(printer(), 4, token);
            let handle = Arc::new(handle);
            let mut callers = JoinSet::new();
            for parcel in 1000..1040 {
                let (handle, mut round) = (Arc::clone(&handle), round.fork());
                let locked = Arc::clone(&locked);
                callers.spawn(async move {
                    let print = async {
                        if parcel % 2 == 0 {
                            let mut printer = locked.lock().await;
                            return printer.print(parcel).await;
                        }
                        let request =
                            |reply_tx| Request::Print(parcel, reply_tx);
                        handle.ask(request).await.expect("it runs")
                    };
                    let printed = if round.rng.bool() {
                        round.cancel(3 * MS, print).await
                    } else {
                        Some(print.await)
                    };
                    if let Some(Ok(number)) = printed {
                        assert_eq!(number, job(parcel));
                    }
                });
            }
            while let Some(caller) = callers.join_next().await {
                caller.expect("no panic");
            }
            drop(handle);
            let ended = timeout(SLACK, task).await.expect("it ends");
            let jobs = ended.expect("no panic").jobs;
            assert!(
                jobs.iter().all(|(parcel, number)| *number == job(*parcel))
            );
        });
    }
}
