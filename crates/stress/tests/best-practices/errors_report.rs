//! `report` of tasks that end in every way, by themselves and by an abort at any
//! moment.

include!("../../../../snippets/best-practices/errors/errors_report.rs");

mod stress {
    use std::time::Duration;

    use tokio::time::sleep;

    use super::{price, report};

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn a_value_is_returned_and_nothing_else() {
        stress::rounds(|mut round| async move {
            for _ in 0..20 {
                let carrier =
                    round.choice(["1250", "none", "twelve", "heavy", "silent"]);
                let pause = round.duration(Duration::ZERO..MS);
                let task = tokio::spawn(async move {
                    sleep(pause).await;
                    price(7, carrier).await
                });
                let aborted = carrier == "silent" || round.rng.bool();
                if aborted {
                    sleep(round.duration(Duration::ZERO..MS * 2)).await;
                    task.abort();
                }
                match report("label 7", task.await) {
                    Some(1250) => assert_eq!(carrier, "1250"),
                    None => assert!(aborted || carrier != "1250"),
                    other => panic!("{other:?}"),
                }
            }
        });
    }
}
