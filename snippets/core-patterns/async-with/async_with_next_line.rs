// ANCHOR: all
use std::time::Duration;

use tokio::time::{sleep, timeout};

const SECOND: Duration = Duration::from_secs(1);

/// A session, and how far it is closed.
#[derive(Default)]
struct Session {
    steps: Vec<&'static str>,
}

impl Session {
    async fn track(&mut self, _parcel: u32) -> &'static str {
        sleep(2 * SECOND).await;
        "in transit"
    }

    async fn close(&mut self) {
        self.steps.push("sent");
        sleep(2 * SECOND).await;
        self.steps.push("confirmed");
    }
}

// ANCHOR: broken
async fn track_parcel(session: &mut Session, parcel: u32) -> &'static str {
    let status = session.track(parcel).await;
    session.close().await;
    status
}
// ANCHOR_END: broken

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    for (limit, steps) in
        [(1, &[][..]), (3, &["sent"]), (5, &["sent", "confirmed"])]
    {
        let mut session = Session::default();
        let tracked =
            timeout(limit * SECOND, track_parcel(&mut session, 7)).await;
        let end = tracked.unwrap_or("cancelled");
        println!("timeout of {limit} s: {end}, close: {:?}", session.steps);
        assert_eq!(session.steps, steps);
        assert_eq!(end == "in transit", limit == 5);
    }
}
// ANCHOR_END: all
