// ANCHOR: all
use std::{future::Future, panic::AssertUnwindSafe, pin::pin};

use anyhow::bail;
use futures::FutureExt;
use sqlx::sqlite::{SqlitePool, SqlitePoolOptions};
use tempfile::{NamedTempFile, TempDir};
use tokio::fs::File;
use tokio::io::AsyncWriteExt;
use tokio::sync::Semaphore;
use tokio::task::yield_now;

struct Newsroom {
    desks: Semaphore,
    archive: SqlitePool,
    drafts: TempDir,
}

impl Newsroom {
    // ANCHOR: write
    async fn write(
        &self,
        check: impl AsyncFnOnce(&str) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        // ANCHOR: desk
        let _desk = self.desks.acquire().await?;
        let mut archive = self.archive.acquire().await?;
        // ANCHOR_END: desk
        // ANCHOR: story
        let query = sqlx::query_scalar("SELECT 'Rain in Bergen'");
        let story: String = query.fetch_one(&mut *archive).await?;
        // ANCHOR_END: story
        // ANCHOR: draft
        let draft = NamedTempFile::new_in(&self.drafts)?;
        let mut file = File::from_std(draft.reopen()?);
        file.write_all(story.as_bytes()).await?;
        file.flush().await?;
        // ANCHOR_END: draft
        check(&story).await?;
        Ok(draft.close()?)
    }
    // ANCHOR_END: write

    async fn all_is_back(&self) -> anyhow::Result<bool> {
        let desk = self.desks.available_permits() == 1;
        self.archive.acquire().await?; // or, in the end, an error
        Ok(desk && self.drafts.path().read_dir()?.next().is_none())
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let archive = SqlitePoolOptions::new()
        .max_connections(1)
        .connect_lazy("sqlite::memory:")?;
    let (desks, drafts) = (Semaphore::new(1), TempDir::new()?);
    let room = Newsroom { desks, archive, drafts };

    room.write(async |_| Ok(())).await?;
    assert!(room.all_is_back().await?);

    let error = room.write(async |_| bail!("it was snow")).await;
    assert!(error.is_err() && room.all_is_back().await?);

    let panic = room.write(async |_| panic!("the editor faints"));
    let panic = AssertUnwindSafe(panic).catch_unwind().await;
    assert!(panic.is_err() && room.all_is_back().await?);
    println!("value, error, panic: all is back");

    for _ in 0..50 {
        let mut polls = 0;
        while cut(&room, polls, false).await? | cut(&room, polls, true).await? {
            polls += 1;
        }
        assert!(polls > 2, "waits for the desk, for the editor");
    }
    println!("dropped after each number of polls: all is back");
    Ok(())
}

// ANCHOR: every_await
/// Two write, the second is dropped. False: it was done before that.
async fn cut(room: &Newsroom, polls: u32, late: bool) -> anyhow::Result<bool> {
    let write = || room.write(async |_| yield_now().map(Ok).await);
    let second = drop_after(polls, late, write());
    let (first, dropped) = tokio::join!(write(), second);
    first?;
    assert!(room.all_is_back().await?);
    Ok(dropped)
}

/// Polls so many times, then drops: while it waits, or when it need not wait.
async fn drop_after(polls: u32, late: bool, work: impl Future) -> bool {
    let mut work = pin!(work);
    for poll in 1..=polls {
        if futures::poll!(&mut work).is_ready() {
            return false;
        }
        if late || poll < polls {
            futures::pending!(); // until it is woken
        }
    }
    true
}
// ANCHOR_END: every_await
// ANCHOR_END: all
