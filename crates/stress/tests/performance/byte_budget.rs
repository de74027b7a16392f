//! A budget of bytes: bodies of any length, that end early, are too long or
//! never end, callers that give up, and holders that panic.

include!("../../../../snippets/performance/byte-budget/byte_budget.rs");

mod stress {
    use std::convert::Infallible;
    use std::io;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
    use std::time::Duration;

    use axum::http;
    use futures::{StreamExt, stream};
    use reqwest::{Body, Response};
    use stress::Round;
    use tokio::task::{JoinSet, yield_now};
    use tokio::time::{sleep, timeout};

    use super::{Budget, LoadError};

    const MS: Duration = Duration::from_millis(1);
    const TOTAL: u32 = 10_000;
    const LARGEST: u32 = 3_000;

    #[derive(Clone, Copy, Debug, PartialEq)]
    enum How {
        Sized,
        Chunked,
        Cut,
        Silent,
    }

    fn response(how: How, size: usize) -> Response {
        let pieces = vec![vec![b'7'; 100]; size / 100];
        let pieces = stream::iter(pieces).then(|piece| async {
            yield_now().await;
            piece
        });
        let body = match how {
            How::Sized => Body::from(vec![b'7'; size]),
            How::Chunked => Body::wrap_stream(pieces.map(Ok::<_, Infallible>)),
            How::Cut => {
                let cut = Err(io::Error::other("the carrier has crashed"));
                Body::wrap_stream(pieces.map(Ok).chain(stream::iter([cut])))
            }
            How::Silent => {
                let silent = pieces.chain(stream::pending());
                Body::wrap_stream(silent.map(Ok::<_, Infallible>))
            }
        };
        http::Response::new(body).into()
    }

    struct Held<'a>(&'a AtomicUsize, usize);

    impl Drop for Held<'_> {
        fn drop(&mut self) {
            self.0.fetch_sub(self.1, SeqCst);
        }
    }

    /// A body that is loaded, held for a time, and perhaps a panic.
    async fn holder(
        mut round: Round,
        budget: Arc<Budget>,
        held: Arc<AtomicUsize>,
        most: Arc<AtomicUsize>,
    ) {
        let choice = [How::Sized, How::Chunked, How::Cut, How::Silent];
        let (how, size) = (round.choice(choice), round.rng.usize(0..40) * 100);
        let hold = round.duration(Duration::ZERO..MS * 3);
        let fails = round.rng.u8(..10) == 0;
        let holds = async {
            let loaded = budget.load(response(how, size)).await?;
            let length = loaded.len();
            assert_eq!((length, loaded.permit.num_permits()), (size, size));
            let held_now = held.fetch_add(length, SeqCst) + length;
            let _held = Held(&held, length);
            most.fetch_max(held_now, SeqCst);
            sleep(hold).await;
            assert!(!fails, "a fault in the printer");
            Ok(())
        };
        let end = match how {
            How::Silent => timeout(MS * 3, holds).await.ok(),
            _ => round.cancel(MS * 30, holds).await,
        };
        let large = size > LARGEST as usize;
        match end {
            Some(Ok(())) => assert!(!large && how != How::Cut),
            Some(Err(LoadError::TooLarge(limit))) => {
                assert!(large && limit == LARGEST);
            }
            Some(Err(LoadError::Http(_))) => assert_eq!(how, How::Cut),
            None => {}
        }
        assert!(how != How::Silent || !matches!(end, Some(Ok(()))));
    }

    #[test]
    fn a_budget_is_kept_and_whole_again() {
        stress::rounds(|mut round| async move {
            let budget = Arc::new(Budget::new(TOTAL, LARGEST));
            let held = Arc::new(AtomicUsize::new(0));
            let most = Arc::new(AtomicUsize::new(0));
            let mut holders = JoinSet::new();
            for _ in 0..60 {
                let (held, most) = (Arc::clone(&held), Arc::clone(&most));
                let budget = Arc::clone(&budget);
                holders.spawn(holder(round.fork(), budget, held, most));
            }
            while let Some(end) = holders.join_next().await {
                let Err(error) = end else { continue };
                let panic = error.into_panic();
                let text = panic.downcast_ref::<&str>();
                assert_eq!(text, Some(&"a fault in the printer"));
            }
            assert_eq!(held.load(SeqCst), 0);
            let most = most.load(SeqCst);
            assert!(most <= TOTAL as usize, "{most} bytes");
            assert_eq!(budget.permits.available_permits(), TOTAL as usize);
            let body = response(How::Sized, LARGEST as usize);
            let loaded = budget.load(body).await.expect("there is room");
            assert_eq!(loaded.len(), LARGEST as usize);
        });
    }

    /// A large body is not overtaken for ever by small ones.
    #[test]
    fn a_large_body_has_its_turn() {
        stress::rounds(|_| async move {
            let budget = Arc::new(Budget::new(TOTAL, TOTAL));
            let mut small = JoinSet::new();
            for _ in 0..8 {
                let budget = Arc::clone(&budget);
                small.spawn(async move {
                    loop {
                        let body = response(How::Sized, 2_000);
                        let loaded = budget.load(body).await.expect("a body");
                        sleep(MS / 10).await;
                        drop(loaded);
                    }
                });
            }
            sleep(MS).await;
            let body = response(How::Sized, TOTAL as usize);
            let large = timeout(stress::SLACK, budget.load(body)).await;
            let large = large.expect("it waits for ever").expect("a body");
            assert_eq!(large.len(), TOTAL as usize);
            drop(large);
            small.shutdown().await;
            assert_eq!(budget.permits.available_permits(), TOTAL as usize);
        });
    }
}
