// ANCHOR: all
use sqlx::{AssertSqlSafe, Connection, Executor};
use sqlx::{SqliteConnection, query_scalar};

// ANCHOR: broken
// Broken: what was typed becomes SQL.
async fn pasted(
    db: &mut SqliteConnection,
    email: &str,
) -> sqlx::Result<Option<String>> {
    let sql = format!("SELECT card FROM member WHERE email = '{email}'");
    query_scalar(AssertSqlSafe(sql)).fetch_optional(db).await
}
// ANCHOR_END: broken

// ANCHOR: fixed
// Fixed: what was typed stays a value.
async fn bound(
    db: &mut SqliteConnection,
    email: &str,
) -> sqlx::Result<Option<String>> {
    let sql = "SELECT card FROM member WHERE email = $1";
    query_scalar(sql).bind(email).fetch_optional(db).await
}
// ANCHOR_END: fixed

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut db = SqliteConnection::connect("sqlite::memory:").await?;
    db.execute("CREATE TABLE member (email TEXT, card TEXT)").await?;
    db.execute("INSERT INTO member VALUES ('ada@example.org', 'A-1815')")
        .await?;

    for typed in ["' OR 'a' = 'a", "'; DROP TABLE member; --"] {
        assert_eq!(bound(&mut db, typed).await?, None);
        println!("{typed} bound: no such member");
    }
    let card = pasted(&mut db, "' OR 'a' = 'a").await?;
    println!("pasted: {card:?}, somebody else's");
    assert_eq!(card.as_deref(), Some("A-1815"));

    assert_eq!(pasted(&mut db, "'; DROP TABLE member; --").await?, None);
    let error = bound(&mut db, "ada@example.org").await.unwrap_err();
    println!("pasted: {error}");
    assert!(error.to_string().ends_with("no such table: member"));
    Ok(())
}
// ANCHOR_END: all
