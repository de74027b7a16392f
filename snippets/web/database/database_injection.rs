// ANCHOR: all
use sqlx::{AssertSqlSafe, Connection, Executor};
use sqlx::{SqliteConnection, query_scalar};

// ANCHOR: broken
async fn pasted(
    db: &mut SqliteConnection,
    code: &str,
) -> sqlx::Result<Option<String>> {
    let sql = format!("SELECT city FROM parcel WHERE code = '{code}'");
    query_scalar(AssertSqlSafe(sql)).fetch_optional(db).await
}
// ANCHOR_END: broken

// ANCHOR: fixed
async fn bound(
    db: &mut SqliteConnection,
    code: &str,
) -> sqlx::Result<Option<String>> {
    let sql = "SELECT city FROM parcel WHERE code = $1";
    query_scalar(sql).bind(code).fetch_optional(db).await
}
// ANCHOR_END: fixed

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut db = SqliteConnection::connect("sqlite::memory:").await?;
    db.execute("CREATE TABLE parcel (code TEXT, city TEXT)").await?;
    db.execute("INSERT INTO parcel VALUES ('secret', 'Bergen')").await?;

    for code in ["' OR 'a' = 'a", "'; DROP TABLE parcel; --"] {
        assert_eq!(bound(&mut db, code).await?, None);
        println!("{code} bound: no such parcel");
    }
    let city = bound(&mut db, "secret").await?;
    assert_eq!(city.as_deref(), Some("Bergen"));
    let city = pasted(&mut db, "' OR 'a' = 'a").await?;
    println!("pasted: {city:?}, without the code");
    assert_eq!(city.as_deref(), Some("Bergen"));

    assert_eq!(pasted(&mut db, "'; DROP TABLE parcel; --").await?, None);
    let error = bound(&mut db, "secret").await.unwrap_err();
    println!("pasted: {error}");
    assert!(error.to_string().ends_with("no such table: parcel"));
    Ok(())
}
// ANCHOR_END: all
