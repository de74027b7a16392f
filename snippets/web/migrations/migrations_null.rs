// ANCHOR: all
use sqlx::{Connection, SqliteConnection};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut conn = SqliteConnection::connect("sqlite::memory:").await?;
    let id = 7;
    // ANCHOR: broken
    let parcel =
        sqlx::query!("SELECT city, status, grams FROM parcel WHERE id = ?", id)
            .fetch_one(&mut conn)
            .await?;
    let grams: i64 = parcel.grams;
    // ANCHOR_END: broken
    println!("{grams} g");
    Ok(())
}
// ANCHOR_END: all
