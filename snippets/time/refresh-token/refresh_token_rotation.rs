// ANCHOR: all
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::task::TaskTracker;

const SECOND: Duration = Duration::from_secs(1);

#[derive(Debug, PartialEq)]
struct InvalidGrant;

impl std::error::Error for InvalidGrant {}

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

/// The row. In a database, `expires` is a timestamp.
#[derive(Clone, Debug, PartialEq)]
struct Row {
    version: u32, // one more with each refresh
    refresh_token: u32,
    access_token: String,
    expires: Instant,
}

impl Row {
    fn new(version: u32, refresh_token: u32, sent: Instant) -> Self {
        let access_token = format!("access token {refresh_token}");
        let expires = sent + 3600 * SECOND;
        Row { version, refresh_token, access_token, expires }
    }
}

/// What the processes share: a provider, and a row of a database.
struct Account {
    provider: Provider,
    row: Mutex<Row>,
}

impl Account {
    fn new(grace: Duration) -> Arc<Self> {
        let now = Instant::now();
        let valid = std::sync::Mutex::new((Some(1), now));
        let provider = Provider { valid, grace };
        Arc::new(Account { provider, row: Mutex::new(Row::new(0, 1, now)) })
    }

    async fn select(&self) -> Row {
        self.row.lock().await.clone()
    }

    async fn update(&self, row: Row) {
        *self.row.lock().await = row;
    }

    async fn select_for_update(&self) -> MutexGuard<'_, Row> {
        self.row.lock().await
    }
}

mod unlocked {
    use super::{Account, Instant, Result, Row};

    // ANCHOR: broken
    pub async fn refresh(account: &Account) -> Result<Row> {
        let (old, sent) = (account.select().await, Instant::now());
        let next = account.provider.refresh(old.refresh_token).await?;
        let row = Row::new(old.version + 1, next, sent);
        account.update(row.clone()).await;
        Ok(row)
    }
    // ANCHOR_END: broken
}

mod locked {
    use super::{Account, Instant, Result, Row, SECOND, timeout};

    // ANCHOR: fixed
    pub async fn refresh(account: &Account, used: u32) -> Result<Row> {
        let row = timeout(30 * SECOND, account.select_for_update());
        let mut row = row.await?;
        if row.version == used {
            let sent = Instant::now();
            let next = account.provider.refresh(row.refresh_token).await?;
            *row = Row::new(used + 1, next, sent);
        } // otherwise another process has refreshed
        Ok(row.clone()) // COMMIT
    }
    // ANCHOR_END: fixed
}

fn text(end: &Result<Row>) -> String {
    match end {
        Ok(row) => row.access_token.clone(),
        Err(error) => error.to_string(),
    }
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> Result<()> {
    let account = Account::new(Duration::ZERO);
    let second = async {
        sleep(SECOND / 2).await;
        unlocked::refresh(&account).await
    };
    let (first, second) = tokio::join!(unlocked::refresh(&account), second);
    let (first, second) = (text(&first), text(&second));
    let later = text(&unlocked::refresh(&account).await);
    println!("two processes: {first}, {second}, later: {later}");
    assert_eq!(first, "access token 2");
    assert_eq!((&*second, &*later), ("invalid_grant", "invalid_grant"));

    // Each process has used version 0.
    let account = Account::new(Duration::ZERO);
    let start = Instant::now();
    let (first, second) = tokio::join!(
        locked::refresh(&account, 0),
        locked::refresh(&account, 0)
    );
    let (first, second) = (first?, second?);
    println!("with a lock: {}, {}", first.access_token, second.access_token);
    assert_eq!(first, second);
    assert_eq!((first.version, first.refresh_token), (1, 2), "one rotation");
    assert_eq!(first.expires, start + 3600 * SECOND);
    assert_eq!(start.elapsed(), 2 * SECOND, "one request");
    let later = locked::refresh(&account, first.version).await?;
    println!("later: {}", later.access_token);
    assert_eq!((later.version, later.refresh_token), (2, 3));

    // Another process keeps the lock.
    let (start, row) = (Instant::now(), account.select_for_update().await);
    let error = text(&locked::refresh(&account, 2).await);
    println!("the lock is kept: {error}");
    assert_eq!(error, "deadline has elapsed");
    assert_eq!(start.elapsed(), 30 * SECOND);
    drop(row);
    assert_eq!(account.select().await, later);

    // The answer is lost: the connection breaks on its way back.
    for (grace, expected) in [(0, "invalid_grant"), (30, "access token 2")] {
        let account = Account::new(grace * SECOND);
        let cut = SECOND * 3 / 2;
        let lost = timeout(cut, locked::refresh(&account, 0)).await;
        lost.expect_err("it takes two seconds");
        assert_eq!(account.select().await.refresh_token, 1);
        let again = text(&locked::refresh(&account, 0).await);
        println!("answer lost, {grace} s of grace: {again}");
        assert_eq!(again, expected);
    }

    // The timeout of `Tokens` drops `request`'s future, and then `main` ends.
    let account = Account::new(Duration::ZERO);
    let tracker = TaskTracker::new();
    let shared = Arc::clone(&account);
    let task = tracker.spawn(async move { locked::refresh(&shared, 0).await });
    let dropped = timeout(SECOND, task).await;
    dropped.expect_err("it takes two seconds");
    tracker.close();
    tracker.wait().await;
    let stored = account.select().await.refresh_token;
    println!("timeout, shutdown: refresh token {stored} is stored");
    assert_eq!(stored, 2);
    Ok(())
}
// ANCHOR_END: all
