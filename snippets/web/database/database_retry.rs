// ANCHOR: all
use sqlx::{Connection, Executor, SqliteConnection, query, query_scalar};

// ANCHOR: broken
async fn charge(db: &mut SqliteConnection) -> sqlx::Result<()> {
    // This statement returns no row, so `fetch_one` fails after it.
    query("INSERT INTO label (cents) VALUES (50)").fetch_one(db).await?;
    Ok(())
}
// ANCHOR_END: broken

// ANCHOR: fixed
async fn charge_once(
    db: &mut SqliteConnection,
    key: &str,
) -> sqlx::Result<i64> {
    let sql = "INSERT INTO label (key, cents) VALUES ($1, 50)
        ON CONFLICT (key) DO UPDATE SET cents = label.cents
        RETURNING cents";
    query_scalar(sql).bind(key).fetch_one(db).await
}
// ANCHOR_END: fixed

async fn labels(db: &mut SqliteConnection) -> sqlx::Result<i64> {
    query_scalar("SELECT count(*) FROM label").fetch_one(db).await
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut db = SqliteConnection::connect("sqlite::memory:").await?;
    db.execute("CREATE TABLE label (key TEXT UNIQUE, cents INTEGER)").await?;

    for _attempt in 0..2 {
        let error = charge(&mut db).await.unwrap_err();
        assert!(matches!(error, sqlx::Error::RowNotFound));
    }
    println!("failed twice: {} labels", labels(&mut db).await?);
    assert_eq!(labels(&mut db).await?, 2);

    db.execute("DELETE FROM label").await?;
    for _attempt in 0..2 {
        assert_eq!(charge_once(&mut db, "purchase-1").await?, 50);
    }
    println!("done twice: {} label", labels(&mut db).await?);
    assert_eq!(labels(&mut db).await?, 1);
    Ok(())
}
// ANCHOR_END: all
