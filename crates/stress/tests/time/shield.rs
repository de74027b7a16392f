//! `Shield` with work that returns, fails and panics, and with callers that
//! give up at a random moment: work that has started runs to its end, at most
//! `limit` at the same time, and the shutdown waits for it.

include!("../../../../snippets/time/shield/shield.rs");

mod stress {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
    use std::time::Duration;

    use anyhow::bail;
    use stress::LIMIT;
    use tokio::task::JoinSet;
    use tokio::time::{sleep, timeout};

    use super::{Busy, Shield};

    const MS: Duration = Duration::from_millis(1);
    const AT_ONCE: usize = 10;

    #[derive(Default)]
    struct Work {
        started: AtomicUsize,
        ended: AtomicUsize,
    }

    impl Work {
        async fn run(
            self: Arc<Self>,
            time: Duration,
            end: u8,
        ) -> anyhow::Result<()> {
            let started = self.started.fetch_add(1, SeqCst) + 1;
            let running = started - self.ended.load(SeqCst);
            assert!(running <= AT_ONCE, "{running} run");
            sleep(time).await;
            self.ended.fetch_add(1, SeqCst);
            match end {
                0 => bail!("it fails"),
                1 => panic!("it panics"),
                _ => Ok(()),
            }
        }
    }

    #[test]
    fn what_has_started_ends() {
        stress::rounds(|mut round| async move {
            let shield = Shield::new(AT_ONCE, LIMIT, |_| ());
            let work = Arc::new(Work::default());
            let mut callers = JoinSet::new();
            for _ in 0..60 {
                let begin = round.duration(Duration::ZERO..20 * MS);
                let time = round.duration(Duration::ZERO..10 * MS);
                let patience = round.duration(Duration::ZERO..15 * MS);
                let end = round.choice([0, 1, 2, 3]);
                let (shield, work) = (shield.clone(), Arc::clone(&work));
                callers.spawn(async move {
                    sleep(begin).await;
                    let call = shield.run(Arc::clone(&work).run(time, end));
                    let Ok(call) = timeout(patience, call).await else {
                        return 0; // it may have started
                    };
                    let is_busy = |error: &anyhow::Error| error.is::<Busy>();
                    usize::from(call.is_err_and(|error| is_busy(&error)))
                });
            }
            // In the middle of it all.
            sleep(round.duration(Duration::ZERO..30 * MS)).await;
            assert_eq!(shield.shut_down(LIMIT).await, 0);
            let ended = work.ended.load(SeqCst);
            assert_eq!(work.started.load(SeqCst), ended);
            let busy: usize = callers.join_all().await.into_iter().sum();
            assert!(busy + ended <= 60, "{busy} busy, {ended} have run");
            assert_eq!(work.started.load(SeqCst), ended, "started after it");
        });
    }
}
