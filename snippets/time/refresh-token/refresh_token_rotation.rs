// ANCHOR: all
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, MutexGuard};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::task::TaskTracker;

const SECOND: Duration = Duration::from_secs(1);

#[derive(Debug, PartialEq)]
struct InvalidGrant;

impl fmt::Display for InvalidGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("invalid_grant")
    }
}

/// Each refresh token is good for one use, and gives the next one.
struct Provider {
    /// The valid one, none after a theft, and since when it is valid.
    valid: std::sync::Mutex<(Option<u32>, Instant)>,
    /// How long the one before it gives the same answer again.
    grace: Duration,
}

impl Provider {
    async fn refresh(&self, token: u32) -> Result<u32, InvalidGrant> {
        sleep(SECOND).await; // to the provider
        let answer = {
            let (valid, since) = &mut *self.valid.lock().expect("no panic");
            match *valid {
                Some(number) if number == token => {
                    (*valid, *since) = (Some(number + 1), Instant::now());
                }
                Some(number)
                    if number == token + 1 && since.elapsed() < self.grace => {}
                _ => *valid = None,
            }
            valid.ok_or(InvalidGrant)
        };
        sleep(SECOND).await; // and back
        answer
    }
}

/// What the processes share: a provider, and a row with the refresh token.
struct Account {
    provider: Provider,
    row: Mutex<u32>,
}

impl Account {
    fn new(grace: Duration) -> Arc<Self> {
        let valid = std::sync::Mutex::new((Some(1), Instant::now()));
        let provider = Provider { valid, grace };
        Arc::new(Account { provider, row: Mutex::new(1) })
    }

    async fn select(&self) -> u32 {
        *self.row.lock().await
    }

    async fn update(&self, token: u32) {
        *self.row.lock().await = token;
    }

    async fn select_for_update(&self) -> MutexGuard<'_, u32> {
        self.row.lock().await
    }
}

mod unlocked {
    use super::{Account, InvalidGrant};

    // ANCHOR: broken
    pub async fn refresh(account: &Account) -> Result<(), InvalidGrant> {
        let old = account.select().await;
        let new = account.provider.refresh(old).await?;
        account.update(new).await;
        Ok(())
    }
    // ANCHOR_END: broken
}

mod locked {
    use super::{Account, InvalidGrant};

    // ANCHOR: fixed
    pub async fn refresh(account: &Account) -> Result<(), InvalidGrant> {
        let mut row = account.select_for_update().await;
        *row = account.provider.refresh(*row).await?;
        Ok(()) // COMMIT
    }
    // ANCHOR_END: fixed
}

fn text(end: Result<(), InvalidGrant>) -> String {
    end.map_or_else(|error| error.to_string(), |()| "ok".into())
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let account = Account::new(Duration::ZERO);
    let second = async {
        sleep(SECOND / 2).await;
        unlocked::refresh(&account).await
    };
    let (first, second) = tokio::join!(unlocked::refresh(&account), second);
    let (first, second) = (text(first), text(second));
    let later = text(unlocked::refresh(&account).await);
    println!("two processes: {first}, {second}, later: {later}");
    assert_eq!(first, "ok");
    assert_eq!((&*second, &*later), ("invalid_grant", "invalid_grant"));

    let account = Account::new(Duration::ZERO);
    let (first, second) =
        tokio::join!(locked::refresh(&account), locked::refresh(&account));
    let (first, second) = (text(first), text(second));
    let later = text(locked::refresh(&account).await);
    println!("with a lock: {first}, {second}, later: {later}");
    assert_eq!((&*first, &*second, &*later), ("ok", "ok", "ok"));

    // The answer is lost: the request is dropped on its way back.
    for (grace, expected) in [(0, "invalid_grant"), (30, "ok")] {
        let account = Account::new(grace * SECOND);
        let cut = SECOND * 3 / 2;
        let lost = timeout(cut, locked::refresh(&account)).await;
        lost.expect_err("it takes two seconds");
        assert_eq!(account.select().await, 1);
        let again = text(locked::refresh(&account).await);
        println!("answer lost, {grace} s of grace: {again}");
        assert_eq!(again, expected);
    }

    // At the end of the program, `main` waits for the refresh.
    let account = Account::new(Duration::ZERO);
    let tracker = TaskTracker::new();
    let shared = Arc::clone(&account);
    let refresh = async move { locked::refresh(&shared).await };
    tokio::spawn(tracker.track_future(refresh));
    tracker.close();
    tracker.wait().await;
    let stored = account.select().await;
    println!("shutdown: refresh token {stored} is stored");
    assert_eq!(stored, 2);
}
// ANCHOR_END: all
