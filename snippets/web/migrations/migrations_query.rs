// ANCHOR: all
use sqlx::{Connection, SqliteConnection};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut conn = SqliteConnection::connect("sqlite::memory:").await?;
    sqlx::migrate!("./migrations").run(&mut conn).await?;

    let (id, city) = (7, "Bergen");
    // ANCHOR: insert
    sqlx::query!("INSERT INTO parcel (id, city) VALUES (?, ?)", id, city)
        .execute(&mut conn)
        .await?;
    // ANCHOR_END: insert

    // ANCHOR: select
    let parcel =
        sqlx::query!("SELECT city, status, grams FROM parcel WHERE id = ?", id)
            .fetch_optional(&mut conn)
            .await?;
    let parcel = parcel.expect("it was inserted above");
    // A column that may be null is an `Option`.
    let grams: Option<i64> = parcel.grams;
    // ANCHOR_END: select
    println!("{}: {}, {grams:?}", parcel.city, parcel.status);
    assert_eq!((parcel.city.as_str(), grams), (city, None));
    assert_eq!(parcel.status, "accepted");
    Ok(())
}
// ANCHOR_END: all
