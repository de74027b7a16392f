// ANCHOR: all
use sqlx::{Connection, Error, FromRow, SqliteConnection, query_as};

#[derive(Debug, PartialEq, FromRow)]
struct Parcel {
    city: String,
}

#[derive(Debug, PartialEq, FromRow)]
struct Careful {
    city: Option<String>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut conn = SqliteConnection::connect("sqlite::memory:").await?;

    // ANCHOR: broken
    for sql in [
        "SELECT 7 AS city",
        "SELECT 'Oslo' AS town",
        "SELECT 'Oslo' AS city FROM parcels",
        "SELET 'Oslo' AS city",
    ] {
        let parcel: Result<Parcel, Error> =
            query_as(sql).fetch_one(&mut conn).await;
        println!("{sql}: {}", parcel.expect_err("at run time"));
    }
    // ANCHOR_END: broken

    // ANCHOR: broken_null
    let sql = "SELECT NULL AS city";
    let parcel: Parcel = query_as(sql).fetch_one(&mut conn).await?;
    // ANCHOR_END: broken_null
    println!("{parcel:?}");
    assert_eq!(parcel, Parcel { city: String::new() });

    // ANCHOR: fixed_null
    let parcel: Careful = query_as(sql).fetch_one(&mut conn).await?;
    // ANCHOR_END: fixed_null
    println!("{parcel:?}");
    assert_eq!(parcel, Careful { city: None });
    Ok(())
}
// ANCHOR_END: all
