// ANCHOR: all
use sqlx::{SqlitePool, query_scalar};

// ANCHOR: broken
async fn status(db: &SqlitePool, city: &str) -> sqlx::Result<String> {
    let sql = format!("SELECT status FROM parcel WHERE city = '{city}'");
    query_scalar(&sql).fetch_one(db).await
}
// ANCHOR_END: broken

fn main() {
    drop(status);
}
// ANCHOR_END: all
