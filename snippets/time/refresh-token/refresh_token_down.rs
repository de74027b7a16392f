// ANCHOR: all
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use futures::future::join_all;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until, timeout_at};

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

struct Office {
    start: Instant,
    asked: Vec<u64>,
}

// ANCHOR: down
impl Office {
    async fn stamp(&mut self) -> Result<Pass> {
        let asked = Instant::now();
        self.asked.push((asked - self.start).as_secs());
        sleep(10 * SECOND).await;
        let minute = (asked - self.start).as_secs() / 60;
        ensure!(!(50..70).contains(&minute), "the office is closed");
        let over = asked + 60 * MINUTE - 30 * SECOND;
        let renew = over - 5 * MINUTE;
        Ok(Pass { number: self.asked.len(), renew, over })
    }
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> Result<()> {
    let start = Instant::now();
    let mut office = Office { start, asked: vec![] };
    let pass = office.stamp().await?;
    let (desk, seen) = watch::channel(Desk { pass, failed: None });
    let (clerk, passes) = (tokio::spawn(clerk(office, desk)), Passes(seen));

    for (second, good) in [(3_569, 1_000), (3_570, 0), (4_300, 1_000)] {
        sleep_until(start + second * SECOND).await;
        let got = join_all((0..1_000).map(|_| passes.get())).await;
        let served = got.iter().filter(|end| end.is_ok()).count();
        let first = got[0].as_ref().map(|pass| pass.number);
        let first = first.map_err(|error| error.to_string());
        println!("second {second}: {served} are served, {first:?}");
        assert_eq!((served, start.elapsed()), (good, second * SECOND));
    }
    drop(passes);
    let asked = clerk.await?.asked;
    println!("asked {} times: {:?} ...", asked.len(), &asked[..7]);
    assert_eq!(asked[1..7], [3_270, 3_290, 3_320, 3_370, 3_440, 3_510]);
    Ok(())
}
// ANCHOR_END: down
// ANCHOR_END: all
