// ANCHOR: all
use sqlx::{SqlitePool, query_scalar};

async fn card(db: &SqlitePool, email: &str) -> sqlx::Result<String> {
    let sql = format!("SELECT card FROM member WHERE email = '{email}'");
    query_scalar(&sql).fetch_one(db).await
}

fn main() {
    drop(card);
}
// ANCHOR_END: all
