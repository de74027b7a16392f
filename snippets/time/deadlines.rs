// ANCHOR: all
use std::future::pending;
use std::time::Duration;

use tokio::time::error::Elapsed;
use tokio::time::{Instant, sleep, timeout_at};

const SECOND: Duration = Duration::from_secs(1);

/// How many seconds each of them takes today; some never answer.
struct Partners {
    bank: Option<u32>,
    growers: [Option<u32>; 2],
    card: Option<u32>,
}

async fn ask(seconds: Option<u32>) {
    match seconds {
        Some(seconds) => sleep(seconds * SECOND).await,
        None => pending().await,
    }
}

// ANCHOR: sell
async fn sell(
    partners: &Partners,
    deadline: Instant,
) -> Result<Vec<&'static str>, Elapsed> {
    // ANCHOR: must
    timeout_at(deadline, ask(partners.bank)).await?;
    let mut given = vec!["paid"];
    // ANCHOR_END: must
    // ANCHOR: each
    for grower in partners.growers {
        let limit = deadline.min(Instant::now() + 4 * SECOND);
        if timeout_at(limit, ask(grower)).await.is_ok() {
            given.push("roses");
            break;
        }
    }
    // ANCHOR_END: each
    // ANCHOR: rest
    if deadline.duration_since(Instant::now()) >= 2 * SECOND {
        let card = timeout_at(deadline, ask(partners.card)).await;
        given.extend(card.is_ok().then_some("card"));
    }
    // ANCHOR_END: rest
    Ok(given)
}
// ANCHOR_END: sell

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let all = vec!["paid", "roses", "card"];
    for (bank, growers, seconds, expected) in [
        (Some(1), [Some(1), None], 4, Some(all.clone())),
        (Some(3), [None, Some(1)], 10, Some(all)),
        (Some(3), [None, Some(2)], 9, Some(vec!["paid", "roses"])),
        (Some(3), [None, None], 10, Some(vec!["paid"])),
        (None, [None, None], 10, None),
    ] {
        let partners = Partners { bank, growers, card: Some(2) };
        let start = Instant::now();
        let given = sell(&partners, start + 10 * SECOND).await.ok();
        println!("{:?}: {given:?}", start.elapsed());
        assert_eq!(start.elapsed(), seconds * SECOND);
        assert_eq!(given, expected);
    }
}
// ANCHOR_END: all
