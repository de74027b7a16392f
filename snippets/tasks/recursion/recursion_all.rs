// ANCHOR: all
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use futures::future::join_all;
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

const HOUR: Duration = Duration::from_secs(3600);

/// Three passages lead on from each chamber, five times.
struct Cave {
    inside: AtomicU32,
    peak: AtomicU32,
    teams: Semaphore,
}

impl Cave {
    fn new() -> Self {
        let teams = Semaphore::new(3);
        Self { inside: 0.into(), peak: 0.into(), teams }
    }

    async fn visit(&self, depth: u32) -> u32 {
        let inside = self.inside.fetch_add(1, Relaxed) + 1;
        self.peak.fetch_max(inside, Relaxed);
        sleep(HOUR).await;
        self.inside.fetch_sub(1, Relaxed);
        if depth < 5 { 3 } else { 0 }
    }
}

// ANCHOR: broken
/// Broken: with each level there are three times as many.
async fn all_at_once(cave: &Cave, depth: u32) {
    let passages = cave.visit(depth).await;
    let walk = |_| Box::pin(all_at_once(cave, depth + 1));
    join_all((0..passages).map(walk)).await;
}

/// Broken too: a team waits for the teams that it has sent on.
async fn wait_for_them(cave: &Cave, depth: u32) {
    let _team = cave.teams.acquire().await.expect("open");
    let passages = cave.visit(depth).await;
    let walk = |_| Box::pin(wait_for_them(cave, depth + 1));
    join_all((0..passages).map(walk)).await;
}
// ANCHOR_END: broken

// ANCHOR: fixed
/// Fixed: the permit is for the visit, not for what comes after it.
async fn team_by_team(cave: &Cave, depth: u32) {
    let team = cave.teams.acquire().await.expect("open");
    let passages = cave.visit(depth).await;
    drop(team);
    let walk = |_| Box::pin(team_by_team(cave, depth + 1));
    join_all((0..passages).map(walk)).await;
}
// ANCHOR_END: fixed

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let cave = Cave::new();
    all_at_once(&cave, 0).await;
    println!("all at once: {:?} teams", cave.peak);
    assert_eq!(cave.peak.into_inner(), 243);

    let cave = Cave::new();
    let end = timeout(10_000 * HOUR, wait_for_them(&cave, 0)).await;
    println!("a permit for all that is below: {end:?}");
    assert!(end.is_err());
    assert_eq!(cave.inside.into_inner(), 0, "they only wait");

    let cave = Cave::new();
    let end = timeout(10_000 * HOUR, team_by_team(&cave, 0)).await;
    println!("a permit for the visit: {:?} teams", cave.peak);
    assert!(end.is_ok());
    assert_eq!(cave.peak.into_inner(), 3);
}
// ANCHOR_END: all
