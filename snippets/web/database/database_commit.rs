// ANCHOR: all
use sqlx::{Connection, Executor, SqliteConnection, query, query_scalar};

// ANCHOR: broken
async fn forgets(db: &mut SqliteConnection) -> sqlx::Result<()> {
    let mut transaction = db.begin().await?;
    let insert = query("INSERT INTO event VALUES ('scan-1')");
    insert.execute(&mut *transaction).await?;
    Ok(())
}
// ANCHOR_END: broken

async fn events(db: &mut SqliteConnection) -> sqlx::Result<i64> {
    query_scalar("SELECT count(*) FROM event").fetch_one(db).await
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut db = SqliteConnection::connect("sqlite::memory:").await?;
    db.execute("CREATE TABLE event (scan TEXT)").await?;
    forgets(&mut db).await?;
    println!("without a commit: {} events", events(&mut db).await?);
    assert_eq!(events(&mut db).await?, 0);
    Ok(())
}
// ANCHOR_END: all
