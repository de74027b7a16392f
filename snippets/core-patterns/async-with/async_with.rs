// ANCHOR: all
use std::future::pending;

use anyhow::bail;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Connection, Executor, query_scalar};
use tokio::{sync::oneshot, task::JoinHandle};
use tokio_util::task::TaskTracker;

#[derive(Clone)]
struct Shop {
    database: SqliteConnectOptions,
    closing: TaskTracker,
}

// ANCHOR: wrapper
async fn with_connection<T>(
    shop: Shop,
    work: impl AsyncFnOnce(&mut SqliteConnection) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    // ANCHOR: connect
    let db = Some(shop.database.connect().await?);
    // The guard comes before the next await: that one may be the last.
    let mut till = Till { db, closing: shop.closing };
    let db = till.db.as_mut().expect("taken only to be closed");
    // ANCHOR_END: connect
    // ANCHOR: open
    db.execute("UPDATE till SET open = TRUE").await?;
    // ANCHOR_END: open
    // ANCHOR: yield
    let result = work(db).await;
    // ANCHOR_END: yield
    match (result, till.close().await) {
        (Err(error), Err(closing)) => Err(error.context(closing)),
        (result, closed) => closed.and(result),
    }
}
// ANCHOR_END: wrapper

// ANCHOR: guard
struct Till {
    db: Option<SqliteConnection>,
    closing: TaskTracker,
}

impl Till {
    async fn close(mut self) -> anyhow::Result<()> {
        Ok(self.start_closing().expect("not closed yet").await??)
    }

    fn start_closing(&mut self) -> Option<JoinHandle<sqlx::Result<()>>> {
        let mut db = self.db.take()?;
        Some(self.closing.spawn(async move {
            let marked = db.execute("UPDATE till SET open = FALSE").await;
            db.close().await.and(marked.map(drop))
        }))
    }
}

impl Drop for Till {
    fn drop(&mut self) {
        self.start_closing(); // after `close` there is nothing to do
    }
}
// ANCHOR_END: guard

// ANCHOR: is_open
async fn is_open(db: &mut SqliteConnection) -> anyhow::Result<bool> {
    Ok(query_scalar("SELECT open FROM till").fetch_one(db).await?)
}
// ANCHOR_END: is_open

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let file = tempfile::NamedTempFile::new()?;
    let database = SqliteConnectOptions::new().filename(file.path());
    let mut owner = database.connect().await?;
    owner.execute("CREATE TABLE till AS SELECT FALSE AS open").await?;
    let shop = Shop { database, closing: TaskTracker::new() };
    // ANCHOR: sell
    let was_open = with_connection(shop.clone(), is_open).await?;
    assert!(was_open && !is_open(&mut owner).await?);
    // ANCHOR_END: sell

    let decline = async |_: &mut _| bail!("the card is declined");
    let sale = with_connection::<()>(shop.clone(), decline).await;
    assert!(sale.is_err() && !is_open(&mut owner).await?);

    shop.closing.close(); // lets `wait` end once nothing is closing
    let jam = async |_: &mut _| panic!("the drawer jams");
    let cashier = tokio::spawn(with_connection::<()>(shop.clone(), jam));
    assert!(cashier.await.unwrap_err().is_panic());
    shop.closing.wait().await;
    assert!(!is_open(&mut owner).await?);

    let (enter, entered) = oneshot::channel();
    let serve = async |db: &mut _| {
        enter.send(is_open(db).await?).expect("awaited below");
        pending().await
    };
    let cashier = tokio::spawn(with_connection::<()>(shop.clone(), serve));
    assert!(entered.await?, "the till is open");
    cashier.abort();
    assert!(cashier.await.unwrap_err().is_cancelled());
    shop.closing.wait().await;
    assert!(!is_open(&mut owner).await?);
    println!("closed after success, error, panic and abort");
    Ok(owner.close().await?)
}
// ANCHOR_END: all
