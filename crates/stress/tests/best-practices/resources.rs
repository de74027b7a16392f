//! Callers that print, fail, panic and are cancelled at a random await. After
//! them each permit, connection and file is given back.

include!("../../../../snippets/best-practices/resources/resources.rs");

mod stress {
    use std::fs;
    use std::path::Path;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
    use std::time::Duration;

    use anyhow::{Result, bail};
    use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
    use stress::{LIMIT, Round, SLACK};
    use tempfile::TempDir;
    use tokio::sync::Semaphore;
    use tokio::task::JoinSet;
    use tokio::time::{Instant, sleep, timeout};

    use super::Printer;

    const MS: Duration = Duration::from_millis(1);
    const PERMITS: usize = 3;
    const CONNS: u32 = 2;

    async fn printer(folder: &TempDir) -> Result<Printer> {
        let database = SqliteConnectOptions::new()
            .filename(folder.path().join("parcels.db"))
            .create_if_missing(true);
        let pool = SqlitePoolOptions::new()
            .max_connections(CONNS)
            .connect_with(database)
            .await?;
        let parcels =
            "CREATE TABLE parcels (id INTEGER PRIMARY KEY, city TEXT)";
        sqlx::query(parcels).execute(&pool).await?;
        let parcel = "INSERT INTO parcels VALUES (7, 'Bergen')";
        sqlx::query(parcel).execute(&pool).await?;
        let folder = folder.path().join("labels");
        fs::create_dir(&folder)?;
        Ok(Printer { permits: Semaphore::new(PERMITS), pool, folder })
    }

    /// Each connection can be had, each permit is free, and no file is left.
    async fn all_is_given_back(printer: &Printer) {
        let mut conns = Vec::new();
        for _ in 0..CONNS {
            let conn = timeout(LIMIT, printer.pool.acquire()).await;
            let conn = conn.expect("a connection is missing");
            conns.push(conn.expect("the database is there"));
        }
        assert_eq!(printer.permits.available_permits(), PERMITS);
        // A thread may still write a file, and then removes it.
        let start = Instant::now();
        while fs::read_dir(&printer.folder).expect("it is there").count() > 0 {
            assert!(start.elapsed() < SLACK * 2, "a file is left");
            sleep(MS).await;
        }
    }

    /// Prints, fails, panics or waits until it is cancelled.
    async fn caller(
        mut round: Round,
        printer: Arc<Printer>,
        sending: Arc<AtomicUsize>,
    ) {
        let act = round.rng.u8(..5);
        let parcel = if act == 4 { 8 } else { 7 };
        let time = round.duration(Duration::ZERO..3 * MS);
        let send = async |path: &Path| {
            let now = sending.fetch_add(1, SeqCst) + 1;
            let _sending = Sending(&sending);
            assert!(now <= PERMITS, "{now} print at the same time");
            assert_eq!(fs::read_to_string(path)?, "Bergen");
            sleep(time).await;
            assert!(path.exists(), "it is removed too early");
            match act {
                0 => bail!("no paper"),
                1 => panic!("a comma in the city"),
                _ => Ok(()),
            }
        };
        let printed = match round.rng.bool() {
            true => Some(printer.print(parcel, send).await),
            false => round.cancel(10 * MS, printer.print(parcel, send)).await,
        };
        let Some(printed) = printed else { return };
        assert_eq!(printed.is_ok(), !matches!(act, 0 | 4), "{printed:?}");
    }

    struct Sending<'a>(&'a AtomicUsize);

    impl Drop for Sending<'_> {
        fn drop(&mut self) {
            self.0.fetch_sub(1, SeqCst);
        }
    }

    fn callers(round: &mut Round, printer: &Arc<Printer>) -> JoinSet<()> {
        let sending = Arc::new(AtomicUsize::new(0));
        let mut callers = JoinSet::new();
        for _ in 0..20 {
            let (printer, sending) = (printer.clone(), sending.clone());
            callers.spawn(caller(round.fork(), printer, sending));
        }
        callers
    }

    #[test]
    fn all_is_given_back_whatever_ends_a_call() {
        stress::rounds(|mut round| async move {
            let folder = TempDir::new().expect("a folder");
            let printer = printer(&folder).await.expect("a database");
            let printer = Arc::new(printer);
            let mut callers = callers(&mut round, &printer);
            while let Some(end) = callers.join_next().await {
                let panic = end.err().map(|error| error.to_string());
                let expected = |text: &String| text.contains("a comma");
                assert!(panic.iter().all(expected), "{panic:?}");
            }
            all_is_given_back(&printer).await;
            printer.pool.close().await;
        });
    }

    /// The tasks of the callers are aborted while they print.
    #[test]
    fn all_is_given_back_after_an_abort() {
        stress::rounds(|mut round| async move {
            let folder = TempDir::new().expect("a folder");
            let printer = printer(&folder).await.expect("a database");
            let printer = Arc::new(printer);
            let mut callers = callers(&mut round, &printer);
            sleep(round.duration(Duration::ZERO..10 * MS)).await;
            callers.abort_all();
            while callers.join_next().await.is_some() {}
            all_is_given_back(&printer).await;
            printer.pool.close().await;
        });
    }
}
