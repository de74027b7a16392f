// ANCHOR: all
use sqlx::{Connection, Executor, SqliteConnection, query, query_scalar};

// ANCHOR: broken
// Broken: compiles, reports no error, and lends nothing.
async fn forgets(db: &mut SqliteConnection) -> sqlx::Result<()> {
    let mut tx = db.begin().await?;
    query("INSERT INTO loan VALUES (7)").execute(&mut *tx).await?;
    Ok(())
}
// ANCHOR_END: broken

// ANCHOR: fixed
// Fixed: says so when it is done.
async fn commits(db: &mut SqliteConnection) -> sqlx::Result<()> {
    let mut tx = db.begin().await?;
    query("INSERT INTO loan VALUES (7)").execute(&mut *tx).await?;
    tx.commit().await
}
// ANCHOR_END: fixed

async fn lent(db: &mut SqliteConnection) -> sqlx::Result<i64> {
    query_scalar("SELECT count(*) FROM loan").fetch_one(db).await
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut db = SqliteConnection::connect("sqlite::memory:").await?;
    db.execute("CREATE TABLE loan (book INTEGER)").await?;

    forgets(&mut db).await?;
    println!("without a commit: {} lent", lent(&mut db).await?);
    assert_eq!(lent(&mut db).await?, 0);

    commits(&mut db).await?;
    println!("with one: {} lent", lent(&mut db).await?);
    assert_eq!(lent(&mut db).await?, 1);
    Ok(())
}
// ANCHOR_END: all
