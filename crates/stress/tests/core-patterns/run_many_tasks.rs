//! `run_all_in_tasks`: work of random lengths that fails, panics, is silent,
//! and is given up.

include!("../../../../snippets/core-patterns/run-many/run_many_tasks.rs");

mod stress {
    use std::time::Duration;

    use stress::{LIMIT, Round};

    use super::run_all_in_tasks;
    use crate::work::{Work, Works};

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn each_item_has_its_result() {
        stress::rounds(|mut round| async move {
            let limit = round.rng.usize(1..10);
            let mut works = Works::some(&mut round);
            for (_, work) in &mut works.items {
                if round.rng.usize(..5) == 0 {
                    *work = Work::Panic;
                }
            }
            let items = works.items.clone();
            let run = {
                let works = works.clone();
                async move {
                    let work = move |item| works.run(item);
                    run_all_in_tasks(items, limit, MS * 100, work).await
                }
            };
            // It is `Send`.
            let results = tokio::spawn(run).await.expect("no panic");
            works.check(results, limit);
        });
    }

    #[test]
    fn nothing_runs_after_a_caller_that_gives_up() {
        stress::rounds(|mut round: Round| async move {
            let limit = round.rng.usize(1..10);
            let works = Works::some(&mut round);
            let items = works.items.clone();
            let work = {
                let works = works.clone();
                move |item| works.run(item)
            };
            // Silent work ends because it is aborted, or not in this round.
            let run = run_all_in_tasks(items, limit, LIMIT * 2, work);
            round.cancel(MS * 50, run).await;
            // A task that is being polled at the abort ends after this poll.
            works.no_task_is_left().await;
            assert_eq!(works.running(), 0);
            assert!(works.peak() <= limit);
        });
    }
}
