// ANCHOR: all
use sqlx::{Sqlite, SqlitePool, query_scalar};

async fn cities(db: &SqlitePool, ids: Vec<i64>) -> sqlx::Result<Vec<String>> {
    let sql = "SELECT city FROM parcel WHERE id IN ($1)";
    query_scalar::<Sqlite, _>(sql).bind(ids).fetch_all(db).await
}

#[tokio::main]
async fn main() -> sqlx::Result<()> {
    let db = SqlitePool::connect("sqlite::memory:").await?;
    println!("{:?}", cities(&db, vec![7, 8]).await?);
    Ok(())
}
// ANCHOR_END: all
