// ANCHOR: all
use std::future::pending;
use std::time::Duration;

use anyhow::bail;
use tokio::time::{Instant, sleep, timeout_at};

const SECOND: Duration = Duration::from_secs(1);

/// The seconds each of them takes today. Some never answer, and 0 says no.
struct Partners {
    bank: Option<u32>,
    growers: [Option<u32>; 2],
    card: Option<u32>,
}

async fn ask(seconds: Option<u32>, deadline: Instant) -> anyhow::Result<()> {
    assert!(Instant::now() < deadline, "nobody holds the line any more");
    match seconds {
        Some(0) => bail!("not today"),
        Some(seconds) => sleep(seconds * SECOND).await,
        None => pending().await,
    }
    Ok(())
}

// ANCHOR: sell
async fn sell(
    partners: &Partners,
    deadline: Instant,
) -> anyhow::Result<Vec<&'static str>> {
    // ANCHOR: must
    timeout_at(deadline, ask(partners.bank, deadline)).await??;
    let mut given = vec!["paid"];
    // ANCHOR_END: must
    // ANCHOR: each
    for grower in partners.growers {
        if Instant::now() >= deadline {
            break;
        }
        let limit = deadline.min(Instant::now() + 4 * SECOND);
        if let Ok(Ok(())) = timeout_at(limit, ask(grower, deadline)).await {
            given.push("roses");
            break;
        }
    }
    // ANCHOR_END: each
    // ANCHOR: rest
    if deadline.duration_since(Instant::now()) >= 2 * SECOND {
        let asked = ask(partners.card, deadline);
        let card = timeout_at(deadline, asked).await;
        given.extend(matches!(card, Ok(Ok(()))).then_some("card"));
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
        (Some(1), [Some(0), Some(1)], 4, Some(all.clone())),
        (Some(3), [None, Some(1)], 10, Some(all)),
        (Some(3), [None, Some(2)], 9, Some(vec!["paid", "roses"])),
        (Some(3), [None, None], 10, Some(vec!["paid"])),
        (Some(7), [None, None], 10, Some(vec!["paid"])),
        (None, [None, None], 10, None),
        (Some(0), [None, None], 0, None),
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
