//! `Tracking` with several writers, and subscribers that are quick, slow, late
//! and that give up: each knows the last status of each parcel in the end, and
//! no status goes back.

include!("../../../../snippets/time/broadcast/broadcast.rs");

mod stress {
    use std::sync::Arc;
    use std::time::Duration;

    use stress::Round;
    use tokio::task::JoinSet;
    use tokio::time::{sleep, timeout};

    use super::{Statuses, Subscription, Tracking, Update};

    const WRITERS: u32 = 4;
    const LAST: u32 = 100;

    /// Follows to the end, with calls of `next` that are cancelled on the way.
    async fn follow(
        mut subscription: Subscription,
        mut round: Round,
    ) -> Statuses {
        let number = |status: &str| status.parse::<u32>().expect("a number");
        let mut known = Statuses::new();
        loop {
            let limit =
                round.duration(Duration::ZERO..Duration::from_millis(3));
            let Ok(update) = timeout(limit, subscription.next()).await else {
                continue;
            };
            let news = match update {
                None => return known,
                Some(Update::Snapshot(statuses)) => statuses,
                Some(Update::Event(parcel, status)) => {
                    let before = known.get(&parcel).map_or(0, |it| number(it));
                    assert_eq!(
                        number(&status),
                        before + 1,
                        "a gap or a repeat"
                    );
                    Statuses::from([(parcel, status)])
                }
            };
            for (parcel, status) in news {
                let before = known.insert(parcel, Arc::clone(&status));
                let before = before.map_or(0, |it| number(&it));
                assert!(number(&status) >= before, "parcel {parcel} goes back");
            }
            if round.choice([true, false, false, false]) {
                sleep(limit).await;
            }
        }
    }

    #[test]
    fn each_subscriber_knows_the_last_status() {
        stress::rounds(|mut round| async move {
            let capacity = round.choice([1, 4, 64]);
            let tracking = Arc::new(Tracking::new(capacity));
            let mut writers = JoinSet::new();
            for parcel in 0..WRITERS {
                let tracking = Arc::clone(&tracking);
                let mut round = round.fork();
                writers.spawn(async move {
                    for status in 1..=LAST {
                        tracking.set(parcel, status.to_string().into());
                        if round.choice([true, false, false, false]) {
                            tokio::task::yield_now().await;
                        }
                    }
                });
            }
            let mut subscribers = JoinSet::new();
            for _ in 0..8 {
                subscribers.spawn(follow(tracking.subscribe(), round.fork()));
                tokio::task::yield_now().await;
            }
            writers.join_all().await;
            drop(Arc::into_inner(tracking).expect("the writers have gone"));
            let all = (0..WRITERS).map(|it| (it, LAST.to_string().into()));
            let all = all.collect::<Statuses>();
            for known in subscribers.join_all().await {
                assert_eq!(known, all);
            }
        });
    }
}
