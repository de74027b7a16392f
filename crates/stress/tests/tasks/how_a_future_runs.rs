//! `run` and `Reply`: values that threads send at any moment, to this executor
//! and to tokio's.

include!("../../../../snippets/tasks/how-a-future-runs/how_a_future_runs.rs");

mod stress {
    use std::sync::Arc;
    use std::thread::sleep;
    use std::time::Duration;

    use tokio::task::{JoinSet, spawn_blocking};

    use super::{Reply, run};

    const MS: Duration = Duration::from_millis(1);
    const REPLIES: usize = 20;

    #[test]
    fn no_wake_up_is_lost() {
        stress::rounds(|mut round| async move {
            let replies: Vec<_> = (0..REPLIES).map(|_| Reply::new()).collect();
            let mut threads = JoinSet::new();
            for (number, reply) in replies.iter().enumerate() {
                let reply = Arc::clone(reply);
                let pause = round.duration(Duration::ZERO..MS);
                threads.spawn_blocking(move || {
                    sleep(pause);
                    reply.send(number);
                });
            }
            let received = spawn_blocking(move || {
                run(replies.iter().map(|reply| reply.receive()).collect())
            });
            let received = received.await.expect("no panic");
            assert_eq!(received, (0..REPLIES).collect::<Vec<_>>());
            threads.join_all().await;
        });
    }

    #[test]
    fn a_receiver_that_moves_to_another_task_is_woken() {
        stress::rounds(|mut round| async move {
            for number in 0..REPLIES {
                let reply = Reply::new();
                let sender = Arc::clone(&reply);
                let pause = round.duration(Duration::ZERO..MS);
                let thread = spawn_blocking(move || {
                    sleep(pause);
                    sender.send(number);
                });
                let mut receive =
                    Box::pin(async move { reply.receive().await });
                // Given up after some polls, and awaited by another task.
                let first = round.cancel(MS, &mut receive).await;
                let received = match first {
                    Some(received) => received,
                    None => tokio::spawn(receive).await.expect("no panic"),
                };
                assert_eq!(received, number);
                thread.await.expect("no panic");
            }
        });
    }
}
