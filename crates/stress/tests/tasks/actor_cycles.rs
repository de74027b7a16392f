//! A cycle of depots whose small channels are full: each caller gets an answer
//! long before its limit, and the depots end with the last sender outside.

include!("../../../../snippets/tasks/actor-cycles/actor_cycles.rs");

mod stress {
    use std::collections::HashSet;
    use std::time::Duration;

    use stress::SLACK;
    use tokio::sync::mpsc;
    use tokio::task::JoinSet;
    use tokio::time::{sleep, timeout};

    use super::{Answer, ask, depot};

    const MS: Duration = Duration::from_millis(1);
    const NAMES: [&str; 3] = ["north", "south", "west"];

    #[test]
    fn each_caller_gets_an_answer() {
        stress::rounds(|mut round| async move {
            let capacity = round.rng.usize(1..4);
            let channels = NAMES.map(|_| mpsc::channel(capacity));
            let (senders, receivers): (Vec<_>, Vec<_>) =
                channels.into_iter().unzip();
            let mut depots = JoinSet::new();
            for (index, requests_rx) in receivers.into_iter().enumerate() {
                let next_tx = senders[(index + 1) % NAMES.len()].downgrade();
                let parcels = HashSet::from([index as u32]);
                depots.spawn(depot(
                    NAMES[index],
                    parcels,
                    requests_rx,
                    next_tx,
                ));
            }
            let mut callers = JoinSet::new();
            for _ in 0..60 {
                let depot_tx = senders[round.rng.usize(..NAMES.len())].clone();
                let parcel = round.rng.u32(..4);
                let mut round = round.fork();
                callers.spawn(async move {
                    sleep(round.duration(Duration::ZERO..MS)).await;
                    let answer = ask(&depot_tx, parcel, 2, SLACK);
                    let answer = if round.rng.u8(..4) == 0 {
                        let Some(answer) = round.cancel(MS, answer).await
                        else {
                            return;
                        };
                        answer
                    } else {
                        answer.await
                    };
                    match answer.expect("an answer before the limit") {
                        Answer::Here(name) => {
                            assert_eq!(name, NAMES[parcel as usize]);
                        }
                        Answer::Unknown => assert_eq!(parcel, 3),
                        Answer::Busy => {}
                        Answer::Ended => panic!("all depots run"),
                    }
                });
            }
            while let Some(caller) = callers.join_next().await {
                caller.expect("no panic");
            }
            drop(senders);
            let ends = timeout(SLACK, depots.join_all());
            ends.await.expect("they hold no sender");
        });
    }
}
