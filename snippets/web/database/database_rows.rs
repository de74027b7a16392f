// ANCHOR: all
use sqlx::{Connection, Error, FromRow, SqliteConnection, query_as};

#[derive(Debug, PartialEq, FromRow)]
struct Member {
    phone: String,
}

#[derive(Debug, PartialEq, FromRow)]
struct Careful {
    phone: Option<String>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut db = SqliteConnection::connect("sqlite::memory:").await?;

    // ANCHOR: run_time
    // Nothing compares the struct with the statement before they meet.
    for (sql, expected) in [
        ("SELECT 7 AS phone", "mismatched types"),
        ("SELECT '7' AS mobile", "no column found for name: phone"),
        ("SELECT '7' AS phone FROM members", "no such table: members"),
        ("SELET '7' AS phone", "syntax error"),
    ] {
        let row: Result<Member, Error> = query_as(sql).fetch_one(&mut db).await;
        let error = row.unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
        println!("{sql}: {expected}");
    }
    // ANCHOR_END: run_time

    // ANCHOR: broken
    // Broken: SQLite's driver makes an empty string of NULL.
    let sql = "SELECT NULL AS phone";
    let member: Member = query_as(sql).fetch_one(&mut db).await?;
    println!("{member:?}");
    assert_eq!(member, Member { phone: String::new() });
    // ANCHOR_END: broken

    // ANCHOR: fixed
    // Fixed: a column that may be NULL is an Option.
    let member: Careful = query_as(sql).fetch_one(&mut db).await?;
    println!("{member:?}");
    assert_eq!(member, Careful { phone: None });
    // ANCHOR_END: fixed
    Ok(())
}
// ANCHOR_END: all
