// ANCHOR: all
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use futures::future::try_join_all;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout, timeout_at};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

// ANCHOR: passes
#[derive(Clone)]
struct Pass {
    number: usize,
    renew: Instant,
    over: Instant,
}

/// What lies there for all to see. Only the clerk changes it.
struct Desk {
    pass: Pass,
    failed: Option<String>,
}

#[derive(Clone)]
struct Passes(watch::Receiver<Desk>);

impl Passes {
    // ANCHOR: get
    async fn get(&self) -> Result<Pass> {
        let good = |desk: &Desk| desk.pass.over > Instant::now();
        let mut desk = self.0.clone();
        let told = desk.wait_for(|d| good(d) || d.failed.is_some()).await;
        let desk = told.context("the clerk is gone")?;
        match &desk.failed {
            Some(failed) if !good(&desk) => bail!("no pass: {failed}"),
            _ => Ok(desk.pass.clone()),
        }
    }
    // ANCHOR_END: get
}

// ANCHOR: clerk
async fn clerk(mut office: Office, desk: watch::Sender<Desk>) -> Office {
    let mut pause = 10 * SECOND;
    let due = || desk.borrow().pass.renew;
    // ANCHOR: due
    // He goes home when nobody is left who could ask.
    while timeout_at(due(), desk.closed()).await.is_err() {
        // ANCHOR_END: due
        match office.stamp().await {
            // ANCHOR: stamped
            Ok(pass) => {
                desk.send_replace(Desk { pass, failed: None });
                pause = 10 * SECOND;
            }
            // ANCHOR_END: stamped
            Err(error) => {
                // ANCHOR: failed
                desk.send_modify(|d| d.failed = Some(format!("{error:#}")));
                sleep(pause).await;
                pause = MINUTE.min(2 * pause);
                // ANCHOR_END: failed
            }
        }
    }
    office
}
// ANCHOR_END: clerk
// ANCHOR_END: passes

struct Office(Vec<Instant>);

impl Office {
    // ANCHOR: stamp
    async fn stamp(&mut self) -> Result<Pass> {
        let (asked, life) = (Instant::now(), 60 * MINUTE);
        self.0.push(asked);
        sleep(10 * SECOND).await;
        let good = life.saturating_sub(30 * SECOND);
        let (over, ahead) = (asked + good, (5 * MINUTE).min(good / 2));
        ensure!(over > Instant::now(), "over before it is here");
        Ok(Pass { number: self.0.len(), renew: over - ahead, over })
    }
    // ANCHOR_END: stamp
}

/// Is at the gate once a minute, for three hours.
async fn van(passes: &Passes) -> Result<u32> {
    for _ in 0..180 {
        let now = timeout(Duration::ZERO, passes.get()).await;
        let pass = now.context("a van has to wait")??;
        assert!(Instant::now() < pass.over, "pass {} is good", pass.number);
        sleep(MINUTE).await;
    }
    Ok(180)
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> Result<()> {
    let (start, mut office) = (Instant::now(), Office(vec![]));
    let pass = office.stamp().await?;
    let (desk, seen) = watch::channel(Desk { pass, failed: None });
    let (clerk, passes) = (tokio::spawn(clerk(office, desk)), Passes(seen));

    let vans = (0..100).map(|_| van(&passes));
    let calls: u32 = try_join_all(vans).await?.iter().sum();
    drop(passes);
    let asked = clerk.await?.0;
    let asked: Vec<_> = asked.iter().map(|a| (*a - start).as_secs()).collect();
    println!("{calls} calls; asked at second {asked:?}");
    assert_eq!((calls, asked), (18_000, vec![0, 3_270, 6_540, 9_810]));
    Ok(())
}
// ANCHOR_END: all
