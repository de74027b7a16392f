// ANCHOR: all
use sqlx::{Connection, Executor, SqliteConnection, query, query_scalar};

// ANCHOR: broken
// Broken: asks for a row, of a statement that has none to give.
async fn fine(db: &mut SqliteConnection) -> sqlx::Result<()> {
    query("INSERT INTO fine (cents) VALUES (50)").fetch_one(db).await?;
    Ok(())
}
// ANCHOR_END: broken

// ANCHOR: fixed
// Fixed: gives a row, and done twice it is there once.
async fn fine_once(db: &mut SqliteConnection, loan: i64) -> sqlx::Result<i64> {
    let sql = "INSERT INTO fine (loan, cents) VALUES ($1, 50)
        ON CONFLICT (loan) DO UPDATE SET cents = excluded.cents
        RETURNING cents";
    query_scalar(sql).bind(loan).fetch_one(db).await
}
// ANCHOR_END: fixed

async fn fines(db: &mut SqliteConnection) -> sqlx::Result<i64> {
    query_scalar("SELECT count(*) FROM fine").fetch_one(db).await
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut db = SqliteConnection::connect("sqlite::memory:").await?;
    db.execute("CREATE TABLE fine (loan INTEGER UNIQUE, cents INTEGER)")
        .await?;

    for _try in 0..2 {
        let error = fine(&mut db).await.unwrap_err();
        assert!(matches!(error, sqlx::Error::RowNotFound));
    }
    println!("failed twice: {} fines", fines(&mut db).await?);
    assert_eq!(fines(&mut db).await?, 2);

    db.execute("DELETE FROM fine").await?;
    for _try in 0..2 {
        assert_eq!(fine_once(&mut db, 7).await?, 50);
    }
    println!("done twice: {} fine", fines(&mut db).await?);
    assert_eq!(fines(&mut db).await?, 1);
    Ok(())
}
// ANCHOR_END: all
