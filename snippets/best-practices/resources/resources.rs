// ANCHOR: all
// ANCHOR: keep
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Result;
use sqlx::SqlitePool;
use tempfile::NamedTempFile;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

/// What a label needs to be printed.
struct Printer {
    permits: Semaphore,
    pool: SqlitePool,
    folder: PathBuf,
}

impl Printer {
    // ANCHOR: print
    /// Writes the label of a parcel into a file, and sends it to the printer.
    async fn print(
        &self,
        parcel: i64,
        send: impl AsyncFnOnce(&Path) -> Result<()>,
    ) -> Result<()> {
        // ANCHOR_END: print
        let _permit = self.permits.acquire().await?;
        let mut conn = self.pool.acquire().await?;
        let query = sqlx::query_scalar("SELECT city FROM parcels WHERE id = ?");
        let city: String = query.bind(parcel).fetch_one(&mut *conn).await?;
        drop(conn); // `send` may take long
        let file = write_file(self.folder.clone(), city).await?;
        send(file.path()).await?;
        // The label is sent. An error must not make the caller print again.
        let close =
            async { anyhow::Ok(spawn_blocking(|| file.close()).await??) };
        if let Err(error) = close.await {
            tracing::warn!("the file is not removed: {error:#}");
        }
        Ok(())
    }
}

// ANCHOR: write_file
/// Writes a file that is removed when it is dropped.
async fn write_file(folder: PathBuf, text: String) -> Result<NamedTempFile> {
    // If the caller is cancelled, the thread drops the file.
    spawn_blocking(move || {
        let mut file = NamedTempFile::new_in(folder)?;
        file.write_all(text.as_bytes())?;
        Ok(file)
    })
    .await?
}
// ANCHOR_END: write_file
// ANCHOR_END: keep

// Printers that fail, and what must be free after each.
use std::fs;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use anyhow::bail;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use tempfile::TempDir;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, timeout};

/// Longer than any step takes, unless something hangs.
const LIMIT: Duration = Duration::from_secs(20);

/// A printer for one label at a time, with one connection.
async fn printer(folder: &TempDir) -> Result<Arc<Printer>> {
    let database = SqliteConnectOptions::new()
        .filename(folder.path().join("parcels.db"))
        .create_if_missing(true);
    let pool = SqlitePoolOptions::new()
        .max_connections(1)
        .connect_with(database)
        .await?;
    let parcels = "CREATE TABLE parcels (id INTEGER PRIMARY KEY, city TEXT)";
    sqlx::query(parcels).execute(&pool).await?;
    let parcel = "INSERT INTO parcels VALUES (7, 'Bergen')";
    sqlx::query(parcel).execute(&pool).await?;
    let folder = folder.path().join("labels");
    fs::create_dir(&folder)?;
    Ok(Arc::new(Printer { permits: Semaphore::new(1), pool, folder }))
}

/// What is free. It waits for the connection, which a task returns, and for the
/// file, which a thread removes.
async fn free(printer: &Printer) -> Result<[usize; 3]> {
    let conn = timeout(LIMIT, printer.pool.acquire()).await?;
    let conns = usize::from(conn.is_ok());
    let start = Instant::now();
    let files = || fs::read_dir(&printer.folder).map_or(0, Iterator::count);
    while files() > 0 && start.elapsed() < LIMIT {
        sleep(Duration::from_millis(1)).await;
    }
    Ok([printer.permits.available_permits(), conns, files()])
}

async fn report(name: &str, end: &str, printer: &Printer) -> Result<()> {
    let free = free(printer).await?;
    let [permits, conns, files] = free;
    println!("{name}: {end}; permits {permits}, conns {conns}, files {files}");
    assert_eq!(free, [1, 1, 0], "something is not given back");
    Ok(())
}

fn words(end: Result<()>) -> String {
    end.map_or_else(|error| error.to_string(), |()| "printed".to_owned())
}

async fn value_and_errors(printer: &Printer) -> Result<()> {
    let send = async |path: &Path| {
        assert_eq!(fs::read_to_string(path)?, "Bergen");
        assert_eq!(printer.permits.available_permits(), 0);
        timeout(LIMIT, printer.pool.acquire()).await??; // it is free
        Ok(())
    };
    let words = words(printer.print(7, send).await);
    assert_eq!(words, "printed");
    report("success", &words, printer).await?;

    let error = printer.print(7, async |_| bail!("no paper")).await;
    report("send fails", &self::words(error), printer).await?;

    let error = printer.print(8, async |_| Ok(())).await;
    let words = self::words(error);
    assert!(words.starts_with("no rows"), "{words}");
    report("no such parcel", "an error", printer).await?;

    let remove = async |path: &Path| Ok(fs::remove_file(path)?);
    let words = self::words(printer.print(7, remove).await);
    assert_eq!(words, "printed", "the error of `close` is logged");
    report("the file is gone", &words, printer).await?;

    let moved = printer.folder.with_extension("moved");
    fs::rename(&printer.folder, &moved)?;
    let error = printer.print(7, async |_| Ok(())).await;
    assert!(error.is_err());
    report("no folder", "an error", printer).await?;
    fs::rename(moved, &printer.folder)?;
    Ok(())
}

async fn panics_and_cancellations(printer: &Arc<Printer>) -> Result<()> {
    let shared = Arc::clone(printer);
    let task = tokio::spawn(async move {
        shared.print(7, async |_| panic!("a comma in the city")).await
    });
    let panic = task.await.is_err_and(|error| error.is_panic());
    assert!(panic);
    report("send panics", "a panic", printer).await?;

    let sending = Arc::new(Notify::new());
    let (shared, begun) = (Arc::clone(printer), Arc::clone(&sending));
    let task = tokio::spawn(async move {
        let send = async |_: &Path| {
            begun.notify_one();
            pending().await
        };
        shared.print(7, send).await
    });
    timeout(LIMIT, sending.notified()).await?;
    assert_eq!(fs::read_dir(&printer.folder)?.count(), 1);

    // Another caller waits for the permit, and gives up.
    let mut waits = Box::pin(printer.print(7, async |_| Ok(())));
    assert!(futures::poll!(&mut waits).is_pending());
    assert_eq!(printer.permits.available_permits(), 0);
    drop(waits);
    task.abort();
    assert!(task.await.is_err_and(|error| error.is_cancelled()));
    report("cancelled while it sends", "cancelled", printer).await
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let folder = TempDir::new()?;
    let printer = printer(&folder).await?;
    // ANCHOR: call
    let send = async |path: &Path| {
        let label = tokio::fs::read(path).await?;
        tracing::info!(bytes = label.len(), "sent"); // send it here
        Ok(())
    };
    printer.print(7, send).await?;
    // ANCHOR_END: call
    value_and_errors(&printer).await?;
    panics_and_cancellations(&printer).await?;
    printer.pool.close().await;
    Ok(())
}
// ANCHOR_END: all
