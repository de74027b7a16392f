// ANCHOR: all
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions};
use sqlx::{SqlSafeStr, query_as, query_scalar};

// ANCHOR: types
// ANCHOR: member
#[derive(Debug, PartialEq, sqlx::FromRow)]
struct Member {
    id: i64,
    email: String,
    phone: Option<String>,
}
// ANCHOR_END: member

// ANCHOR: already
#[derive(Debug, thiserror::Error)]
enum LibraryError {
    #[error("{0} is a member already")]
    AlreadyMember(String),
    #[error("the database has failed")]
    Database(#[from] sqlx::Error),
}
// ANCHOR_END: already
// ANCHOR_END: types

// ANCHOR: queries
async fn join(db: &SqlitePool, email: &str) -> Result<i64, LibraryError> {
    // ANCHOR: insert
    let sql = "INSERT INTO member (email) VALUES ($1) RETURNING id";
    match query_scalar(sql).bind(email).fetch_one(db).await {
        // ANCHOR_END: insert
        // ANCHOR: twice
        Err(sqlx::Error::Database(error)) if error.is_unique_violation() => {
            Err(LibraryError::AlreadyMember(email.to_owned()))
        }
        // ANCHOR_END: twice
        id => Ok(id?),
    }
}

// ANCHOR: find
async fn find(db: &SqlitePool, email: &str) -> sqlx::Result<Option<Member>> {
    let sql = "SELECT id, email, phone FROM member WHERE email = $1";
    query_as(sql).bind(email).fetch_optional(db).await
}
// ANCHOR_END: find
// ANCHOR_END: queries

// ANCHOR: migrations
fn migrations() -> Migrator {
    let table = "CREATE TABLE member (
        id INTEGER PRIMARY KEY,
        email TEXT NOT NULL UNIQUE
    )";
    let phone = "ALTER TABLE member ADD COLUMN phone TEXT";
    let step = |number, name: &'static str, sql: &'static str| {
        let sql = sql.into_sql_str();
        Migration::new(number, name.into(), MigrationType::Simple, sql, false)
    };
    Migrator::with_migrations(vec![
        step(1, "members", table),
        step(2, "phone", phone),
    ])
}
// ANCHOR_END: migrations

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    // ANCHOR: pool
    let file = SqliteConnectOptions::new()
        .filename(folder.path().join("library.db"))
        .create_if_missing(true);
    let db = SqlitePoolOptions::new()
        .max_connections(5)
        // A file does not hang up.
        .test_before_acquire(false)
        .connect_with(file)
        .await?;
    migrations().run(&db).await?;
    // ANCHOR_END: pool

    let id = join(&db, "ada@example.org").await?;
    let ada = find(&db, "ada@example.org").await?;
    let email = "ada@example.org".to_owned();
    assert_eq!(ada, Some(Member { id, email, phone: None }));
    println!("{ada:?}");

    assert_eq!(find(&db, "bob@example.org").await?, None);

    let error = join(&db, "ada@example.org").await.unwrap_err();
    assert!(matches!(error, LibraryError::AlreadyMember(_)));
    println!("{error}");

    let typed = "' OR '1' = '1";
    assert_eq!(find(&db, typed).await?, None);

    db.close().await;
    Ok(())
}
// ANCHOR_END: all
