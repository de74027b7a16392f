//! `save_newest` with feeds that end or are silent, saves that fail, and a
//! caller that gives up: the newest event is saved, one at a time, and nothing
//! runs on. `Feed` loses no event when it is moved or `next` is cancelled.

include!("../../../../snippets/tasks/pin/pin.rs");

mod stress {
    use std::future::pending;
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use anyhow::{Result, bail};
    use futures::stream::{self, Stream};
    use stress::{Round, SLACK};
    use tokio::time::{Instant, sleep, timeout};

    use super::{Feed, save_newest};

    const MS: Duration = Duration::from_millis(1);

    /// What was tried to save, and how many saves run.
    #[derive(Default)]
    struct Saves {
        tried: Mutex<Vec<usize>>,
        running: AtomicUsize,
    }

    struct Running(Arc<Saves>);

    impl Drop for Running {
        fn drop(&mut self) {
            self.0.running.fetch_sub(1, SeqCst);
        }
    }

    impl Saves {
        async fn save(
            self: Arc<Self>,
            event: usize,
            takes: Duration,
            fails: Option<usize>,
        ) -> Result<()> {
            assert_eq!(self.running.fetch_add(1, SeqCst), 0, "two saves");
            let _running = Running(Arc::clone(&self));
            self.tried.lock().expect("no panic within").push(event);
            sleep(takes).await;
            if fails == Some(event) {
                bail!("event {event}");
            }
            Ok(())
        }
    }

    /// The events 0 to `last`, each after up to 2 ms.
    fn events(
        round: &mut Round,
        last: usize,
        silent: bool,
    ) -> impl Stream<Item = usize> + Send + 'static + use<> {
        let times = (0..=last).map(|_| round.duration(Duration::ZERO..2 * MS));
        let times: Vec<_> = times.collect();
        stream::unfold((0, times), move |(event, times)| async move {
            match times.get(event) {
                Some(time) => sleep(*time).await,
                None if silent => pending().await,
                None => return None,
            }
            Some((event, (event + 1, times)))
        })
    }

    /// Runs it in a task; its saves take up to 5 ms.
    async fn run(
        round: &mut Round,
        feed: Feed<usize>,
        fails: Option<usize>,
    ) -> (Result<()>, Vec<usize>) {
        let saves = Arc::new(Saves::default());
        let mut rng = round.rng.fork();
        let its = Arc::clone(&saves);
        let save = move |event| {
            let takes = MS * rng.u32(..5);
            Arc::clone(&its).save(event, takes, fails)
        };
        let task = tokio::spawn(save_newest(feed, save));
        let end = task.await.expect("no panic");
        assert_eq!(saves.running.load(SeqCst), 0);
        let tried = saves.tried.lock().expect("no panic within").clone();
        assert!(tried.windows(2).all(|two| two[0] < two[1]), "{tried:?}");
        (end, tried)
    }

    #[test]
    fn the_newest_event_is_saved() {
        stress::rounds(|mut round| async move {
            for _ in 0..10 {
                let last = round.rng.usize(..30);
                let silent = round.rng.bool();
                let events = events(&mut round, last, silent);
                let silence = if silent { 100 * MS } else { SLACK };
                let feed = Feed::new(events, silence);
                let start = Instant::now();
                let (end, tried) = run(&mut round, feed, None).await;
                if let Err(error) = &end {
                    // Also on a busy machine it has waited so long.
                    assert!(silent && start.elapsed() >= silence, "{error}");
                } else {
                    assert!(!silent);
                }
                assert_eq!(tried.last(), Some(&last));
            }
        });
    }

    #[test]
    fn a_failed_save_ends_it_and_the_newest_event_is_tried() {
        stress::rounds(|mut round| async move {
            for _ in 0..10 {
                let last = round.rng.usize(..30);
                let events = events(&mut round, last, false);
                let fails = round.rng.usize(..=last);
                let feed = Feed::new(events, SLACK);
                let (end, tried) = run(&mut round, feed, Some(fails)).await;
                let Some(at) = tried.iter().position(|it| *it == fails) else {
                    // It was skipped.
                    end.expect("no save fails");
                    assert_eq!(tried.last(), Some(&last));
                    continue;
                };
                let error = end.expect_err("a save fails").to_string();
                assert_eq!(error, format!("event {fails}"));
                assert!(tried.len() <= at + 2, "it reads on: {tried:?}");
            }
        });
    }

    #[test]
    fn a_caller_that_gives_up_drops_the_save() {
        stress::rounds(|mut round| async move {
            for _ in 0..10 {
                let saves = Arc::new(Saves::default());
                let feed = Feed::new(events(&mut round, 30, true), SLACK);
                let takes = round.duration(Duration::ZERO..5 * MS);
                let its = Arc::clone(&saves);
                let save =
                    move |event| Arc::clone(&its).save(event, takes, None);
                let saved = save_newest(feed, save);
                let _ = round.cancel(50 * MS, saved).await;
                assert_eq!(saves.running.load(SeqCst), 0, "a save runs on");
                assert_eq!(Arc::strong_count(&saves), 1);
            }
        });
    }

    #[test]
    fn a_feed_that_is_moved_and_cancelled_loses_no_event() {
        stress::rounds(|mut round| async move {
            let last = round.rng.usize(..50);
            let mut feed = Feed::new(events(&mut round, last, false), SLACK);
            let mut found = vec![];
            loop {
                let limit = round.duration(Duration::ZERO..2 * MS);
                let read = async move {
                    let next = timeout(limit, feed.next()).await;
                    (feed, next)
                };
                let (back, next) = if round.rng.bool() {
                    tokio::spawn(read).await.expect("no panic")
                } else {
                    read.await
                };
                feed = back;
                match next {
                    Err(_) => {}
                    Ok(next) => match next.expect("it is not silent") {
                        Some(event) => found.push(event),
                        None => break,
                    },
                }
            }
            assert!(found.into_iter().eq(0..=last));
        });
    }
}
