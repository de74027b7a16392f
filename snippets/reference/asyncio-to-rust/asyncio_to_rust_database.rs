// ANCHOR: all
use std::fs;
use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::postgres::PgPool;
use sqlx::sqlite::SqlitePool;
use sqlx::{query, query_as, query_scalar};

#[derive(sqlx::FromRow)]
struct Ship {
    metres: u32,
}

async fn find(db: &SqlitePool, name: &str) -> sqlx::Result<Ship> {
    let sql = "SELECT metres FROM ship WHERE name = $1";
    query_as(sql).bind(name).fetch_one(db).await
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    // A pool is a handle: a clone is the same one. Both kinds have ten
    // connections at most, and make you wait thirty seconds for one.
    let folder = tempfile::tempdir()?;
    let url = format!("sqlite://{}/db?mode=rwc", folder.path().display());
    let db = SqlitePool::connect(&url).await?;
    let usual = (10, Duration::from_secs(30));
    let options = db.options();
    let limits = (options.get_max_connections(), options.get_acquire_timeout());
    assert_eq!(limits, usual);
    let far = PgPool::connect_lazy("postgres://localhost/harbour")?;
    let options = far.options();
    let limits = (options.get_max_connections(), options.get_acquire_timeout());
    assert_eq!(limits, usual);
    println!("pool: {} connections, {:?}", limits.0, limits.1);

    // A Migrator runs the files that you have written, once each.
    let sql = "CREATE TABLE ship (name TEXT, metres INTEGER)";
    fs::write(folder.path().join("1_ships.sql"), sql)?;
    let migrator = Migrator::new(folder.path()).await?;
    migrator.run(&db).await?;
    migrator.run(&db).await?;
    println!("migrations: {} applied", migrator.iter().count());

    // No session: the same row twice is two values, and changing one of them
    // changes nothing in the database.
    query("INSERT INTO ship VALUES ('Vega', 90)").execute(&db).await?;
    let mut ship = find(&db, "Vega").await?;
    ship.metres = 240;
    let again = find(&db, "Vega").await?;
    assert_eq!((ship.metres, again.metres), (240, 90));
    println!("row: a value of your own");

    // A transaction is kept by `commit`, and by nothing else.
    for (commits, ships) in [(false, 1), (true, 2)] {
        let mut tx = db.begin().await?;
        let lyra = query("INSERT INTO ship VALUES ('Lyra', 120)");
        lyra.execute(&mut *tx).await?;
        if commits {
            tx.commit().await?;
        } else {
            drop(tx);
        }
        let count = query_scalar("SELECT count(*) FROM ship");
        let count: i64 = count.fetch_one(&db).await?;
        assert_eq!(count, ships);
        println!("commit {commits}: {ships} ships");
    }
    db.close().await;
    Ok(())
}
// ANCHOR_END: all
