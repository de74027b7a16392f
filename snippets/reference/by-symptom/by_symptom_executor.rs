// ANCHOR: all
use sqlx::{SqlitePool, query};

async fn record(db: &SqlitePool) -> sqlx::Result<()> {
    let mut transaction = db.begin().await?;
    query("DELETE FROM event").execute(&mut transaction).await?;
    transaction.commit().await
}

#[tokio::main]
async fn main() -> sqlx::Result<()> {
    record(&SqlitePool::connect("sqlite::memory:").await?).await
}
// ANCHOR_END: all
