//! `run_all`: work of random lengths that fails, is silent, and is given up.

include!("../../../../snippets/core-patterns/run-many/run_many.rs");

mod stress {
    use std::time::Duration;

    use stress::Round;

    use super::run_all;
    use crate::work::{Work, Works};

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn each_item_has_its_result() {
        stress::rounds(|mut round| async move {
            let limit = round.rng.usize(1..10);
            let works = Works::some(&mut round);
            let items = works.items.clone();
            let run = {
                let works = works.clone();
                async move {
                    let work = |item| works.run(item);
                    run_all(items, limit, MS * 100, work).await
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
            let run = run_all(works.items.clone(), limit, MS * 100, |item| {
                works.run(item)
            });
            round.cancel(MS * 50, run).await;
            assert_eq!(works.running(), 0);
            assert!(works.peak() <= limit);
        });
    }

    #[test]
    fn the_others_are_dropped_at_a_panic() {
        stress::rounds(|mut round: Round| async move {
            let limit = round.rng.usize(1..10);
            let mut works = Works::some(&mut round);
            let place = round.rng.usize(..works.items.len());
            works.items[place] = (place, Work::Panic);
            let run = {
                let (works, items) = (works.clone(), works.items.clone());
                async move {
                    let work = |item| works.run(item);
                    run_all(items, limit, MS * 100, work).await.len()
                }
            };
            let joined = tokio::spawn(run).await;
            assert!(joined.expect_err("a panic").is_panic());
            assert_eq!(works.running(), 0);
        });
    }
}
