//! Many writers at once, some of them slow, and errors, panics and
//! cancellations in the middle of their transactions: nothing is lost, nothing
//! half done, and no writer is locked out.

include!("../../../../snippets/web/database/database.rs");

mod stress {
    use std::collections::BTreeMap;
    use std::path::Path;
    use std::time::Duration;

    use sqlx::{Error, SqlitePool, query, query_as};
    use stress::{LIMIT, Round};
    use tempfile::TempDir;
    use tokio::task::JoinSet;
    use tokio::time::sleep;

    use super::{
        SqliteConnectOptions, SqlitePoolOptions, find, open, query_scalar,
        record, resume_unwind,
    };

    const MS: Duration = Duration::from_millis(1);
    const WRITERS: usize = 200;
    /// A round ends before a caller of the pool gives up.
    const ACQUIRE: Duration = LIMIT;

    /// How a writer ended: it has the status before, it stored nothing, or it
    /// was dropped and nobody knows.
    #[derive(Debug, Clone, PartialEq)]
    enum End {
        Stored(String),
        Nothing,
        Unknown,
    }

    /// A scan is a status, too, so that the order of the events can be seen.
    type Ends = BTreeMap<String, End>;

    async fn database(busy: Duration) -> (TempDir, SqlitePool, SqlitePool) {
        let folder = tempfile::tempdir().expect("a folder");
        let (readers, writer) = opened(folder.path(), busy).await;
        let sql = "INSERT INTO parcel VALUES (7, 'Bergen', 'accepted')";
        query(sql).execute(&writer).await.expect("a parcel");
        (folder, readers, writer)
    }

    async fn opened(folder: &Path, busy: Duration) -> (SqlitePool, SqlitePool) {
        let path = folder.join("parcels.db");
        open(&path, ACQUIRE, busy).await.expect("a database")
    }

    #[derive(Clone, Copy)]
    enum Fate {
        Completes,
        Fails,
        Panics,
    }

    /// What `record` does, with something slow in the middle.
    async fn slow(
        writer: &SqlitePool,
        scan: &str,
        time: Duration,
        fate: Fate,
    ) -> sqlx::Result<Option<String>> {
        let mut transaction = writer.begin_with("BEGIN IMMEDIATE").await?;
        let before = find(&mut *transaction, 7).await?;
        let update = query("UPDATE parcel SET status = $1").bind(scan);
        update.execute(&mut *transaction).await?;
        sleep(time).await;
        match fate {
            Fate::Completes => {}
            Fate::Fails => return Err(Error::RowNotFound),
            // As a panic, without its message.
            Fate::Panics => resume_unwind(Box::new("no scanner")),
        }
        let insert = query("INSERT INTO event VALUES ($1, 7, $1)").bind(scan);
        insert.execute(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(before.map(|parcel| parcel.status))
    }

    /// One of many writers. None of them may be locked out.
    async fn write(writer: SqlitePool, scan: String, mut round: Round) -> End {
        let time = round.duration(MS..MS * 5);
        let stored = |result: sqlx::Result<Option<String>>| {
            End::Stored(result.expect("no lock out").expect("a parcel"))
        };
        match round.rng.u32(..8) {
            0 => {
                let recording = record(&writer, &scan, 7, &scan);
                let ended = round.cancel(MS * 20, recording).await;
                ended.map_or(End::Unknown, stored)
            }
            1 => {
                let slow = slow(&writer, &scan, time, Fate::Completes);
                let ended = round.cancel(MS * 20, slow).await;
                ended.map_or(End::Unknown, stored)
            }
            2 => {
                let slow = slow(&writer, &scan, time, Fate::Fails).await;
                let error = slow.expect_err("it fails");
                assert!(matches!(error, Error::RowNotFound), "{error}");
                End::Nothing
            }
            3 => {
                let panics = tokio::spawn({
                    let scan = scan.clone();
                    async move { slow(&writer, &scan, time, Fate::Panics).await }
                });
                assert!(panics.await.expect_err("it panics").is_panic());
                End::Nothing
            }
            4 => {
                let first = stored(record(&writer, &scan, 7, &scan).await);
                let again = record(&writer, &scan, 7, "twice").await;
                let error = again.expect_err("a duplicate");
                let error = error.into_database_error();
                let error = error.expect("an error of the database");
                assert!(error.is_unique_violation(), "{error}");
                first
            }
            5 => stored(record(&writer, &scan, 7, &scan).await),
            _ => stored(slow(&writer, &scan, time, Fate::Completes).await),
        }
    }

    /// The writers, each a task.
    async fn written(writers: [&SqlitePool; 2], round: &mut Round) -> Ends {
        let mut tasks = JoinSet::new();
        for number in 0..WRITERS {
            let writer = writers[number % 2].clone();
            let (scan, round) = (format!("scan-{number}"), round.fork());
            tasks.spawn(async move {
                (scan.clone(), write(writer, scan, round).await)
            });
        }
        tasks.join_all().await.into_iter().collect()
    }

    /// Reads again and again: a reader never sees one row of the two.
    async fn read(readers: SqlitePool) {
        let sql = "SELECT status, (SELECT coalesce(max(scan), '') FROM event
                WHERE rowid = (SELECT max(rowid) FROM event)) FROM parcel";
        loop {
            let (status, last): (String, String) =
                query_as(sql).fetch_one(&readers).await.expect("a reader");
            let first = status == "accepted" && last.is_empty();
            assert!(first || status == last, "{status}, and not {last}");
            sleep(MS).await;
        }
    }

    /// Each event follows the one that its writer has read.
    async fn check(readers: &SqlitePool, ends: &Ends) {
        let sql = "SELECT scan, status FROM event ORDER BY rowid";
        let events: Vec<(String, String)> =
            query_as(sql).fetch_all(readers).await.expect("events");
        let mut before = "accepted".to_owned();
        let mut left = ends.clone();
        for (scan, status) in events {
            assert_eq!(scan, status);
            match left.remove(&scan).expect("one of the writers, once") {
                End::Stored(read) => assert_eq!(read, before, "lost"),
                End::Nothing => panic!("{scan} is not rolled back"),
                End::Unknown => {}
            }
            before = scan;
        }
        let lost = left.iter().filter(|(_, end)| matches!(end, End::Stored(_)));
        let lost: Vec<_> = lost.collect();
        assert!(lost.is_empty(), "committed and lost: {lost:?}");
        let parcel = find(readers, 7).await.expect("a reader");
        let parcel = parcel.expect("a parcel");
        assert_eq!(parcel.status, before, "half done");
    }

    /// The busy timeout is shorter than it takes all of them: only the pool may
    /// make them wait.
    #[test]
    fn two_hundred_writers() {
        stress::rounds(|mut round| async move {
            let (_folder, readers, writer) = database(MS * 100).await;
            let reading = tokio::spawn(read(readers.clone()));
            let ends = written([&writer, &writer], &mut round).await;
            assert!(!reading.is_finished(), "{:?}", reading.await);
            reading.abort();
            check(&readers, &ends).await;
            // The connection is fit for use, and holds no lock.
            let last = record(&writer, "last", 7, "last").await;
            assert!(last.expect("no lock out").is_some());
        });
    }

    /// Two pools of one writer each, as two processes have them.
    #[test]
    fn two_processes() {
        stress::rounds(|mut round| async move {
            let (folder, readers, writer) = database(LIMIT).await;
            let (_, other) = opened(folder.path(), LIMIT).await;
            let ends = written([&writer, &other], &mut round).await;
            check(&readers, &ends).await;
        });
    }

    /// What a pool of one writer is for.
    #[test]
    fn ten_writers_lock_each_other_out() {
        stress::rounds(|mut round| async move {
            let (folder, readers, _) = database(MS * 100).await;
            let file = SqliteConnectOptions::new()
                .filename(folder.path().join("parcels.db"))
                .busy_timeout(MS * 100);
            let ten = SqlitePoolOptions::new().max_connections(10);
            let ten = ten.acquire_timeout(ACQUIRE).connect_with(file).await;
            let ten = ten.expect("a database");
            let mut tasks = JoinSet::new();
            for number in 0..WRITERS {
                let (writer, scan) = (ten.clone(), format!("scan-{number}"));
                let time = round.duration(MS..MS * 5);
                tasks.spawn(async move {
                    slow(&writer, &scan, time, Fate::Completes).await.is_ok()
                });
            }
            let ends = tasks.join_all().await;
            let stored = ends.iter().filter(|stored| **stored).count();
            assert!(stored < WRITERS, "none is locked out");
            let events: i64 = query_scalar("SELECT count(*) FROM event")
                .fetch_one(&readers)
                .await
                .expect("events");
            assert_eq!(events, stored as i64);
        });
    }
}
