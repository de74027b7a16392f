// ANCHOR: all
use std::fs;

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::{Connection, Executor, SqliteConnection, query_scalar};

async fn applied(db: &mut SqliteConnection) -> sqlx::Result<Vec<i64>> {
    let sql = "SELECT version FROM _sqlx_migrations ORDER BY version";
    query_scalar(sql).fetch_all(db).await
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let write = |file, sql| fs::write(folder.path().join(file), sql);
    let mut db = SqliteConnection::connect("sqlite::memory:").await?;

    // ANCHOR: apply
    write("1_members.sql", "CREATE TABLE member (id INTEGER PRIMARY KEY)")?;
    write("2_phone.sql", "ALTER TABLE member ADD COLUMN phone TEXT")?;
    let migrator = Migrator::new(folder.path()).await?;
    migrator.run(&mut db).await?;
    migrator.run(&mut db).await?; // nothing is left to do
    println!("applied: {:?}", applied(&mut db).await?);
    assert_eq!(applied(&mut db).await?, [1, 2]);
    // ANCHOR_END: apply

    // ANCHOR: fails
    // A file that fails halfway is undone, and the ones before it are kept.
    write("3_halves.sql", "CREATE TABLE loan (id); CREATE NONSENSE")?;
    let migrator = Migrator::new(folder.path()).await?;
    let error = migrator.run(&mut db).await.unwrap_err();
    assert!(matches!(error, MigrateError::ExecuteMigration(_, 3)));
    assert_eq!(applied(&mut db).await?, [1, 2]);
    db.execute("CREATE TABLE loan (id)").await?; // there is none yet
    println!("{error}");
    // ANCHOR_END: fails

    // ANCHOR: edited
    // What has been applied is not to be edited: add a file.
    write("1_members.sql", "CREATE TABLE member (id INTEGER)")?;
    let migrator = Migrator::new(folder.path()).await?;
    let error = migrator.run(&mut db).await.unwrap_err();
    assert!(matches!(error, MigrateError::VersionMismatch(1)));
    println!("{error}");
    // ANCHOR_END: edited
    Ok(())
}
// ANCHOR_END: all
