//! Streams whose producers end, fail, panic and block, with consumers that
//! are slow, that give up an item, and that go.

include!(
    "../../../../snippets/core-patterns/async-iterators/async_iterators.rs"
);

mod stress {
    use std::future::pending;
    use std::pin::pin;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
    use std::time::Duration;

    use anyhow::{Result, bail};
    use futures::stream::{Stream, StreamExt};
    use stress::Round;
    use tokio::task::{JoinError, JoinSet};
    use tokio::time::{Instant, sleep};

    use super::{Event, Scanner, events, produce, unfolded};

    const MS: Duration = Duration::from_millis(1);

    /// How many items were made, received, and are gone.
    #[derive(Clone, Default)]
    struct Counts(Arc<[AtomicUsize; 3]>);

    const MADE: usize = 0;
    const RECEIVED: usize = 1;
    const GONE: usize = 2;

    impl Counts {
        fn add(&self, what: usize) -> usize {
            self.0[what].fetch_add(1, SeqCst) + 1
        }

        fn of(&self, what: usize) -> usize {
            self.0[what].load(SeqCst)
        }
    }

    /// Counts itself, so that none is lost or copied.
    struct Item {
        number: usize,
        counts: Counts,
    }

    impl Item {
        /// At most as many are made as the channel and the senders hold.
        fn new(number: usize, counts: &Counts, ahead: usize) -> Self {
            let made = counts.add(MADE);
            assert!(made <= counts.of(RECEIVED) + ahead, "too far ahead");
            Item { number, counts: counts.clone() }
        }
    }

    impl Drop for Item {
        fn drop(&mut self) {
            self.counts.add(GONE);
        }
    }

    #[derive(Clone, Copy, Debug, PartialEq)]
    enum End {
        Ends,
        Fails,
        Panics,
        Hangs,
    }

    async fn end(how: End) -> Result<()> {
        match how {
            End::Ends => Ok(()),
            End::Fails => bail!("the producer fails"),
            End::Panics => panic!("the producer panics"),
            End::Hangs => pending().await,
        }
    }

    /// Some items from one task, with a pause before some of them.
    fn numbers(
        round: &mut Round,
        counts: &Counts,
        count: usize,
        how: End,
    ) -> impl Stream<Item = Result<Item>> + use<> {
        let (mut round, counts) = (round.fork(), counts.clone());
        let capacity = round.rng.usize(1..4);
        produce(capacity, move |tx| async move {
            for number in 0..count {
                if round.rng.bool() {
                    sleep(round.duration(Duration::ZERO..MS)).await;
                }
                // Those in the channel, this one, and one that the consumer
                // has taken and not yet counted.
                let item = Item::new(number, &counts, capacity + 2);
                tx.send(item).await?;
            }
            end(how).await
        })
    }

    /// Whether it has ended in the way that the producer has.
    fn check(how: End, last: Option<anyhow::Error>) {
        match (how, last) {
            (End::Ends, None) => {}
            (End::Fails, Some(error)) => {
                assert_eq!(error.to_string(), "the producer fails");
            }
            (End::Panics, Some(error)) => {
                let error = error.downcast::<JoinError>().expect("a panic");
                assert!(error.is_panic());
            }
            (how, last) => panic!("{how:?}, but {last:?}"),
        }
    }

    /// A consumer that is slow at times, and gives up some items.
    #[test]
    fn each_item_is_delivered_once_and_the_end_is_reported() {
        stress::rounds(|mut round| async move {
            let counts = Counts::default();
            let how = round.choice([End::Ends, End::Fails, End::Panics]);
            let count = round.rng.usize(..60);
            let mut items = pin!(numbers(&mut round, &counts, count, how));
            let (mut received, mut last) = (0, None);
            loop {
                let next = items.next();
                let next = match round.rng.bool() {
                    true => round.cancel(MS, next).await,
                    false => Some(next.await),
                };
                match next {
                    None => {} // given up
                    Some(None) => break,
                    Some(Some(Err(error))) => {
                        assert!(last.replace(error).is_none());
                    }
                    Some(Some(Ok(item))) => {
                        assert_eq!(item.number, received);
                        received = counts.add(RECEIVED);
                    }
                }
                if round.rng.u8(..8) == 0 {
                    sleep(round.duration(Duration::ZERO..MS * 2)).await;
                }
            }
            assert_eq!((received, counts.of(GONE)), (count, count));
            check(how, last);
        });
    }

    /// Several tasks send into one stream.
    #[test]
    fn several_producers_lose_nothing() {
        stress::rounds(|mut round| async move {
            let how = round.choice([End::Ends, End::Fails, End::Panics]);
            let items = produce(3, move |tx| async move {
                let mut tasks = JoinSet::new();
                for first in 0..4 {
                    let tx = tx.clone();
                    tasks.spawn(async move {
                        for number in (first..100).step_by(4) {
                            tx.send(number).await.expect("a consumer");
                        }
                    });
                }
                tasks.join_all().await;
                end(how).await
            });
            let mut results: Vec<Result<usize>> = items.collect().await;
            let last = results.pop_if(|item| item.is_err());
            let mut numbers = Vec::new();
            for number in results {
                numbers.push(number.expect("errors come last"));
            }
            for first in 0..4 {
                let mut numbers = numbers.clone();
                numbers.retain(|number| number % 4 == first);
                assert!(numbers.is_sorted());
            }
            numbers.sort();
            assert!(numbers.into_iter().eq(0..100));
            check(how, last.and_then(|item| item.err()));
        });
    }

    /// The consumer goes, between two items or while it waits for one, and
    /// the producer may never send another.
    #[test]
    fn the_producer_stops_when_the_consumer_goes() {
        stress::rounds(|mut round| async move {
            let counts = Counts::default();
            let count = round.rng.usize(..40);
            let items = numbers(&mut round, &counts, count, End::Hangs);
            let wanted = round.rng.usize(..20);
            let received = counts.clone();
            let consume = async move {
                let mut items = pin!(items);
                for _ in 0..wanted {
                    let item = items.next().await.expect("it never ends");
                    item.expect("it does not fail");
                    received.add(RECEIVED);
                }
            };
            round.cancel(MS * 10, consume).await;
            let start = Instant::now();
            // The counts of the producer and of its items are gone, too.
            while Arc::strong_count(&counts.0) > 1 {
                assert!(start.elapsed() < MS * 2_000, "it goes on");
                sleep(MS).await;
            }
            assert_eq!(counts.of(MADE), counts.of(GONE));
        });
    }

    struct Numbers {
        next: u32,
        round: Round,
        alive: Arc<()>,
    }

    impl Scanner for Numbers {
        async fn read(&mut self) -> Result<Option<Event>> {
            sleep(self.round.duration(Duration::ZERO..MS)).await;
            self.next += 1;
            let _alive = &self.alive;
            Ok((self.next <= 20).then(|| (self.next, String::new())))
        }
    }

    /// A future of `next` that is dropped loses no item; the stream that is
    /// dropped has dropped its source.
    #[test]
    fn a_timeout_loses_no_event() {
        stress::rounds(|mut round| async move {
            let alive = Arc::new(());
            for is_macro in [true, false] {
                let scanner = Numbers {
                    next: 0,
                    round: round.fork(),
                    alive: Arc::clone(&alive),
                };
                let mut stream = match is_macro {
                    true => events(scanner).boxed(),
                    false => unfolded(scanner).boxed(),
                };
                let wanted = round.rng.u32(1..40);
                let mut seen = 0;
                while seen < wanted {
                    match round.cancel(MS, stream.next()).await {
                        None => {}
                        Some(None) => break,
                        Some(Some(event)) => {
                            seen += 1;
                            assert_eq!(event.expect("no error").0, seen);
                        }
                    }
                }
                assert_eq!(seen, wanted.min(20));
                drop(stream);
                assert_eq!(Arc::strong_count(&alive), 1);
            }
        });
    }
}
