//! `buy_label` on several threads and the real clock, with calls that are quick,
//! fail and are silent, and with callers that give up: a label is sold exactly
//! if its caller is told so, or that it may be so. And two timeouts, one within
//! the other, that have the same deadline.

include!("../../../../snippets/time/timeouts/timeouts.rs");

mod stress {
    use std::future::pending;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
    use std::time::Duration;

    use anyhow::bail;
    use stress::{Round, SLACK};
    use tokio::task::JoinSet;
    use tokio::time::{Instant, sleep, timeout_at};

    use super::{BuyError, Carrier, PURCHASE, buy_label};

    const MS: Duration = Duration::from_millis(1);

    #[derive(Clone, Copy)]
    enum Call {
        After(Duration),
        Fails,
        Silent,
    }

    impl Call {
        fn random(round: &mut Round) -> Self {
            let after = round.duration(Duration::ZERO..20 * MS);
            let quick = Call::After(after);
            round.choice([quick, quick, quick, Call::Fails, Call::Silent])
        }

        async fn make(self) -> anyhow::Result<()> {
            match self {
                Call::After(time) => sleep(time).await,
                Call::Fails => bail!("it fails"),
                Call::Silent => pending().await,
            }
            Ok(())
        }
    }

    struct Seller {
        quote: Call,
        buy: Call,
        sold: Arc<AtomicUsize>,
    }

    impl Carrier for Seller {
        async fn quote(&self, _city: &str) -> anyhow::Result<u32> {
            self.quote.make().await?;
            Ok(700)
        }

        async fn buy(&self, cents: u32) -> anyhow::Result<String> {
            let sells = !matches!(self.buy, Call::Fails);
            self.sold.fetch_add(usize::from(sells), SeqCst);
            self.buy.make().await?;
            Ok(format!("{cents}"))
        }
    }

    #[test]
    fn a_label_is_sold_exactly_if_its_caller_knows() {
        stress::rounds(|mut round| async move {
            let mut calls = JoinSet::new();
            for _ in 0..30 {
                let city = Call::random(&mut round);
                let sold = Arc::new(AtomicUsize::new(0));
                let counter = Arc::clone(&sold);
                let sellers = [(); 2].map(|()| {
                    let sold = Arc::clone(&counter);
                    let quote = Call::random(&mut round);
                    Seller { quote, buy: Call::random(&mut round), sold }
                });
                let time = PURCHASE + round.duration(Duration::ZERO..40 * MS);
                let deadline = Instant::now() + time;
                calls.spawn(async move {
                    let city = async move {
                        city.make().await?;
                        Ok(String::new())
                    };
                    let end = buy_label(city, &sellers, deadline).await;
                    assert!(Instant::now() < deadline + SLACK, "it is late");
                    let is_sold = match end {
                        Ok(_) | Err(BuyError::Unknown) => 1,
                        Err(_) => 0,
                    };
                    assert_eq!(sold.load(SeqCst), is_sold, "{end:?}");
                });
            }
            calls.join_all().await;
        });
    }

    /// On one thread it is the inner one.
    #[test]
    fn either_is_heard_when_the_inner_one_is_a_task() {
        stress::rounds(|_| async {
            let (mut inner, mut outer) = (false, false);
            while !(inner && outer) {
                let deadline = Instant::now() + 2 * MS;
                let task = async {
                    tokio::spawn(timeout_at(deadline, pending::<()>())).await
                };
                match timeout_at(deadline, task).await {
                    Ok(_) => inner = true,
                    Err(_) => outer = true,
                }
            }
        });
    }
}
