// ANCHOR: all
use sqlx::migrate::Migrator;
use sqlx::{Connection, SqliteConnection, query_scalar};

// ANCHOR: files
/// The files of `migrations/`, as they were when the program was compiled.
static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");
// ANCHOR_END: files

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut conn = SqliteConnection::connect("sqlite::memory:").await?;

    // ANCHOR: run
    MIGRATIONS.run(&mut conn).await?;
    MIGRATIONS.run(&mut conn).await?; // nothing is left to do
    // ANCHOR_END: run

    let sql = "SELECT version FROM _sqlx_migrations ORDER BY version";
    let versions: Vec<i64> = query_scalar(sql).fetch_all(&mut conn).await?;
    println!("applied: {versions:?}");
    assert_eq!(versions, [1, 2]);

    let sql = "SELECT name FROM pragma_table_info('parcel')";
    let columns: Vec<String> = query_scalar(sql).fetch_all(&mut conn).await?;
    assert_eq!(columns, ["id", "city", "status", "grams"]);
    Ok(())
}
// ANCHOR_END: all
