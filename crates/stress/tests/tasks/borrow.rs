//! `Tracker` with requests that end, fail, panic and wait forever, and with a
//! caller that gives up: `Ok` means that all statuses are stored, and no
//! request runs on. `render_all` keeps the order.

include!("../../../../snippets/tasks/borrow/borrow.rs");

mod stress {
    use std::future::pending;
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use anyhow::{Result, bail};
    use futures::future::BoxFuture;
    use stress::{Round, SLACK};
    use tokio::time::{Instant, sleep, timeout};

    use super::{Tracker, render_all};

    const MS: Duration = Duration::from_millis(1);

    #[derive(Clone, Copy, PartialEq)]
    enum Act {
        Return,
        Fail,
        Panic,
        Wait,
    }

    type Ask = BoxFuture<'static, Result<String>>;

    /// Requests that act after up to 3 ms; each holds a clone of `running`.
    fn tracker(
        acts: Vec<(Act, Duration)>,
        running: &Arc<()>,
    ) -> Arc<Tracker<impl Fn(u32) -> Ask + Send + Sync + use<>>> {
        let running = Arc::downgrade(running);
        let ask = move |parcel: u32| -> Ask {
            let running = running.upgrade();
            let (act, time) = acts[parcel as usize];
            Box::pin(async move {
                let _running = running.expect("the test has it");
                sleep(time).await;
                match act {
                    Act::Return => Ok(format!("status {parcel}")),
                    Act::Fail => bail!("parcel {parcel} fails"),
                    Act::Panic => panic!("parcel {parcel} panics"),
                    Act::Wait => pending().await,
                }
            })
        };
        Arc::new(Tracker { ask, statuses: Mutex::default() })
    }

    fn acts<const N: usize>(
        round: &mut Round,
        among: [Act; N],
    ) -> Vec<(Act, Duration)> {
        let count = round.rng.usize(1..30);
        let act = |_| {
            let act = round.choice(among);
            (act, round.duration(Duration::ZERO..3 * MS))
        };
        (0..count).map(act).collect()
    }

    /// Waits until no request runs.
    async fn none_runs(running: &Arc<()>) {
        let start = Instant::now();
        while Arc::strong_count(running) > 1 {
            assert!(start.elapsed() < SLACK, "a request runs on");
            sleep(MS).await;
        }
    }

    #[test]
    fn ok_means_that_all_are_stored() {
        stress::rounds(|mut round| async move {
            for _ in 0..10 {
                let returns = round.rng.bool();
                let acts = if returns {
                    acts(&mut round, [Act::Return])
                } else {
                    let all = [Act::Return, Act::Fail, Act::Panic, Act::Wait];
                    let mut acts = acts(&mut round, all);
                    acts.push((Act::Fail, MS)); // it ends those that wait
                    acts
                };
                let ends = acts.iter().all(|(act, _)| *act == Act::Return);
                let parcels: Vec<_> = (0..acts.len() as u32).collect();
                let running = Arc::new(());
                let tracker = tracker(acts, &running);
                let end = if round.rng.bool() {
                    let tracker = Arc::clone(&tracker);
                    let task = tokio::spawn(async move {
                        tracker.track_all(&parcels).await
                    });
                    // A panic ends the caller, which is this task.
                    task.await.unwrap_or_else(|error| Err(error.into()))
                } else {
                    tracker.track_in_tasks(&parcels).await
                };
                assert_eq!(end.is_ok(), ends);
                none_runs(&running).await;
                let statuses = tracker.statuses.lock().expect("no panic");
                for (parcel, status) in statuses.iter() {
                    assert_eq!(*status, format!("status {parcel}"));
                }
            }
        });
    }

    #[test]
    fn all_are_stored_when_all_return() {
        stress::rounds(|mut round| async move {
            let acts = acts(&mut round, [Act::Return]);
            let parcels: Vec<_> = (0..acts.len() as u32).collect();
            let running = Arc::new(());
            let tracker = tracker(acts, &running);
            let (left, right) = parcels.split_at(parcels.len() / 2);
            let (here, tasks) = tokio::join!(
                tracker.track_all(left),
                tracker.track_in_tasks(right)
            );
            here.and(tasks).expect("all return");
            let statuses = tracker.statuses.lock().expect("no panic");
            assert_eq!(statuses.len(), parcels.len());
        });
    }

    #[test]
    fn a_caller_that_gives_up_stops_them() {
        stress::rounds(|mut round| async move {
            let acts = acts(&mut round, [Act::Return, Act::Wait]);
            let parcels: Vec<_> = (0..acts.len() as u32).collect();
            let running = Arc::new(());
            let tracker = tracker(acts, &running);
            let limit = round.duration(Duration::ZERO..5 * MS);
            _ = timeout(limit, tracker.track_all(&parcels)).await;
            assert_eq!(Arc::strong_count(&running), 1, "dropped at once");
            _ = timeout(limit, tracker.track_in_tasks(&parcels)).await;
            none_runs(&running).await;
        });
    }

    #[test]
    fn labels_keep_their_order() {
        stress::rounds(|mut round| async move {
            let count = round.rng.u32(..50);
            let parcels: Vec<_> = (0..count).collect();
            let label = |parcel: u32| format!("label {parcel}");
            let labels = render_all(parcels, label).await.expect("no panic");
            assert!(labels.into_iter().eq((0..count).map(label)));
        });
    }
}
