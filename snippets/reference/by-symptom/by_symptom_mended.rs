// ANCHOR: all
use std::fmt;
use std::sync::Arc;

use futures::StreamExt;
use sqlx::{QueryBuilder, SqliteConnection, SqlitePool, query};
use tokio::task::JoinHandle;

struct Depot {
    parcels: u32,
}

impl Depot {
    /// The task owns a clone of the `Arc`.
    fn count(self: &Arc<Self>) -> JoinHandle<u32> {
        let depot = Arc::clone(self);
        tokio::spawn(async move { depot.parcels })
    }
}

/// The future of the recursive call is in a box, so this one has a size.
async fn weigh(boxes: u32) -> u32 {
    if boxes == 0 { 0 } else { 500 + Box::pin(weigh(boxes - 1)).await }
}

async fn track() -> Result<&'static str, fmt::Error> {
    Ok("in transit")
}

/// For a pool, pass `&mut *pool.acquire().await?`.
async fn insert(db: &mut SqliteConnection, id: i64) -> sqlx::Result<()> {
    let sql = "INSERT INTO parcel (id, city) VALUES ($1, 'Oslo')";
    query(sql).bind(id).execute(&mut *db).await?;
    Ok(())
}

/// Filters that are optional, and a list. An empty list finds nothing.
async fn find(
    db: &SqlitePool,
    city: Option<&str>,
    ids: &[i64],
) -> sqlx::Result<Vec<i64>> {
    let mut sql = QueryBuilder::new("SELECT id FROM parcel WHERE id IN (");
    let mut list = sql.separated(", ");
    for id in ids {
        list.push_bind(id);
    }
    sql.push(")");
    if let Some(city) = city {
        sql.push(" AND city = ").push_bind(city);
    }
    sql.build_query_scalar().fetch_all(db).await
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    assert_eq!(Arc::new(Depot { parcels: 7 }).count().await?, 7);
    assert_eq!(weigh(2).await, 1000);

    // An async block cannot name its type, its last `Ok` can.
    let both = async {
        let parcels = [track().await?, track().await?];
        Ok::<_, fmt::Error>(parcels)
    };
    assert_eq!(both.await?, ["in transit", "in transit"]);

    // `next` is a method of the trait `StreamExt`, which is imported above.
    let mut events = futures::stream::iter([7, 8]);
    assert_eq!(events.next().await, Some(7));

    // `&mut *transaction` is the connection of the transaction.
    let db = SqlitePool::connect("sqlite::memory:").await?;
    query("CREATE TABLE parcel (id, city)").execute(&db).await?;
    let mut transaction = db.begin().await?;
    insert(&mut transaction, 7).await?;
    query("INSERT INTO parcel (id, city) VALUES (8, 'Rome')")
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    insert(&mut *db.acquire().await?, 9).await?;

    assert_eq!(find(&db, None, &[7, 8]).await?, [7, 8]);
    assert_eq!(find(&db, Some("Oslo"), &[7, 8]).await?, [7]);
    assert_eq!(find(&db, None, &[]).await?, [0; 0]);
    db.close().await;
    println!("all of them compile");
    Ok(())
}
// ANCHOR_END: all
