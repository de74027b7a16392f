//! Transactions on two rows that a hundred tasks change, on a real PostgreSQL
//! server, with errors, panics and cancellations: nothing is half done, and all
//! others are done.

include!("../../../../snippets/web/postgres/postgres.rs");

mod stress {
    use std::panic::resume_unwind;
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
    use std::time::Duration;

    use futures::future::try_join_all;
    use sqlx::postgres::PgPool;
    use sqlx::{Connection, Executor, Result, query_scalar};
    use stress::{Round, SLACK};
    use tokio::sync::{OnceCell, Semaphore, SemaphorePermit};
    use tokio::task::JoinSet;
    use tokio::time::{Instant, sleep};

    use super::{Attempts, carriers, connect, credits, retry};
    use super::{transfer, unordered};

    const MS: Duration = Duration::from_millis(1);
    const TASKS: usize = 100;
    const CONNECTIONS: u32 = 20;

    /// The server has a hundred connections.
    static ROUNDS: Semaphore = Semaphore::const_new(4);

    /// Two carriers, and a pool of its own for a round.
    struct Trial {
        pool: PgPool,
        ids: [i64; 2],
        name: String,
        _permit: SemaphorePermit<'static>,
    }

    impl Trial {
        async fn start(url: &str) -> Self {
            static TABLE: OnceCell<()> = OnceCell::const_new();
            static COUNT: AtomicUsize = AtomicUsize::new(0);
            let permit = ROUNDS.acquire().await.expect("it is open");
            let name = format!("round-{}", COUNT.fetch_add(1, Relaxed));
            let named = format!("{url}&application_name={name}");
            TABLE.get_or_init(async || table(url).await).await;
            let pool = connect(&named, CONNECTIONS).await.expect("a server");
            let ids = carriers(&pool).await.expect("a table");
            // The server refuses too many that begin to connect.
            let all = (0..CONNECTIONS).map(|_| pool.acquire());
            try_join_all(all).await.expect("the connections");
            Trial { pool, ids, name, _permit: permit }
        }

        /// All connections are in the pool again, and none is in a transaction.
        async fn is_quiet(&self) {
            let start = Instant::now();
            while self.pool.num_idle() < self.pool.size() as usize {
                let late = start.elapsed() > SLACK * 2;
                assert!(!late, "a connection does not come back");
                sleep(MS).await;
            }
            let sql = "SELECT count(*) FROM pg_stat_activity
                WHERE application_name = $1 AND state LIKE 'idle in%'";
            let open = query_scalar(sql).bind(&self.name);
            let open: i64 = open.fetch_one(&self.pool).await.expect("a count");
            assert_eq!(open, 0, "a transaction is left open");
        }
    }

    async fn table(url: &str) {
        let pool = connect(url, 1).await.expect("a server");
        for sql in [
            "ALTER ROLE cookbook SET deadlock_timeout = '20ms'",
            "CREATE TABLE carriers (
                id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
                credit BIGINT NOT NULL
            )",
        ] {
            pool.execute(sql).await.expect("a table");
        }
        pool.close().await;
    }

    /// A transfer that fails or panics between its two updates.
    async fn breaks(pool: &PgPool, id: i64, panics: bool) -> Result<()> {
        let mut transaction = pool.begin().await?;
        let sql = "UPDATE carriers SET credit = credit - 7 WHERE id = $1";
        super::query(sql).bind(id).execute(&mut *transaction).await?;
        if panics {
            // As a panic, without its message.
            resume_unwind(Box::new("no label"));
        }
        Err(sqlx::Error::RowNotFound)
    }

    /// What became of a task: how much it has moved, or may have moved.
    enum Moved {
        Cents(i64),
        Perhaps(i64),
    }

    async fn task(
        pool: PgPool,
        mut round: Round,
        ids: [i64; 2],
        cents: i64,
        attempts: Attempts,
    ) -> Moved {
        match round.rng.u32(..8) {
            0 => {
                let transfer = retry(|| transfer(&pool, ids, cents));
                match round.cancel(MS * 20, transfer).await {
                    None => return Moved::Perhaps(cents),
                    Some(moved) => assert!(moved.expect("it is done")),
                }
            }
            1 => {
                let broken = retry(|| breaks(&pool, ids[0], false));
                let error = broken.await.expect_err("no label");
                assert!(matches!(error, sqlx::Error::RowNotFound), "{error}");
                return Moved::Cents(0);
            }
            2 => {
                let pool = pool.clone();
                let panics =
                    async move { retry(|| breaks(&pool, ids[0], true)).await };
                let error = tokio::spawn(panics).await.expect_err("a panic");
                assert!(error.is_panic());
                return Moved::Cents(0);
            }
            _ => {
                let once = attempts.count(|| transfer(&pool, ids, cents));
                assert!(retry(once).await.expect("it is done"));
                let attempts = attempts.take();
                assert_eq!(attempts, 1, "attempts of a transfer");
            }
        }
        Moved::Cents(cents)
    }

    #[test]
    fn nothing_is_half_done_and_all_others_are_done() {
        let Some(url) = stress::postgres() else { return };
        stress::rounds(move |mut round| async move {
            let trial = Trial::start(url).await;
            let mut tasks = JoinSet::new();
            for number in 0..TASKS {
                // Half of the tasks name the two carriers in each order.
                let back = number % 2 == 1;
                let [a, b] = trial.ids;
                let ids = if back { [b, a] } else { [a, b] };
                let (pool, round) = (trial.pool.clone(), round.fork());
                tasks.spawn(async move {
                    let attempts = Attempts::default();
                    let moved = task(pool, round, ids, 1, attempts).await;
                    (back, moved)
                });
            }
            let (mut least, mut most) = (0, 0);
            for (back, moved) in tasks.join_all().await {
                let sign = if back { -1 } else { 1 };
                let (low, high) = match moved {
                    Moved::Cents(cents) => (cents * sign, cents * sign),
                    Moved::Perhaps(cents) => {
                        (0.min(cents * sign), 0.max(cents * sign))
                    }
                };
                (least, most) = (least + low, most + high);
            }
            trial.is_quiet().await;
            let [a, b] = credits(&trial.pool, trial.ids).await.expect("both");
            assert_eq!(a + b, 2000, "half of a transfer");
            let moved = 1000 - a;
            assert!((least..=most).contains(&moved), "{least} {moved} {most}");
            trial.pool.close().await;
        });
    }

    /// Without an order of locks, each deadlock ends one of the transactions.
    #[test]
    fn deadlocks_are_repeated() {
        let Some(url) = stress::postgres() else { return };
        stress::rounds(move |_| async move {
            let trial = Trial::start(url).await;
            let mut tasks = JoinSet::new();
            for number in 0..12 {
                let [a, b] = trial.ids;
                let ids = if number % 2 == 0 { [a, b] } else { [b, a] };
                let pool = trial.pool.clone();
                tasks.spawn(
                    async move { retry(|| unordered(&pool, ids, 1)).await },
                );
            }
            for end in tasks.join_all().await {
                end.expect("it is done");
            }
            let total = credits(&trial.pool, trial.ids).await.expect("both");
            assert_eq!(total, [1000, 1000]);
            trial.is_quiet().await;
            trial.pool.close().await;
        });
    }

    /// Tasks that are dropped at each await of a transaction.
    #[test]
    fn a_cancellation_leaves_no_transaction_open() {
        let Some(url) = stress::postgres() else { return };
        stress::rounds(move |mut round| async move {
            let trial = Trial::start(url).await;
            let mut tasks = JoinSet::new();
            for _ in 0..CONNECTIONS {
                let (pool, ids) = (trial.pool.clone(), trial.ids);
                let mut round = round.fork();
                tasks.spawn(async move {
                    let transfer = transfer(&pool, ids, 1);
                    let moved = round.cancel(MS * 10, transfer).await;
                    for _ in 0..5 {
                        let mut conn = pool.acquire().await.expect("a server");
                        drop(round.cancel(MS, conn.begin()).await);
                    }
                    i64::from(matches!(moved, Some(Ok(true))))
                });
            }
            let moved: i64 = tasks.join_all().await.into_iter().sum();
            trial.is_quiet().await;
            let [a, b] = credits(&trial.pool, trial.ids).await.expect("both");
            assert_eq!(a + b, 2000, "half of a transfer");
            assert!(1000 - a >= moved, "{moved} have ended, {a} is left");
            trial.pool.close().await;
        });
    }
}
