// ANCHOR: all
use std::env;

use anyhow::Context;
use sqlx::postgres::{PgConnection, PgListener, PgPool};
use sqlx::query;

// ANCHOR: page
async fn page(db: &mut PgConnection, doctor: &str) -> sqlx::Result<()> {
    let sql = "SELECT pg_notify('pager', $1)";
    query(sql).bind(doctor).execute(db).await?;
    Ok(())
}
// ANCHOR_END: page

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let url = env::var("DATABASE_URL").context("DATABASE_URL")?;
    let db = PgPool::connect(&url).await?;
    let mut desk = db.acquire().await?;

    page(&mut desk, "Ada").await?; // nobody listens
    let mut pager = PgListener::connect_with(&db).await?;
    pager.listen("pager").await?;

    // ANCHOR: order
    let mut kept = db.begin().await?;
    page(&mut kept, "Ben").await?;
    let mut undone = db.begin().await?;
    page(&mut undone, "Cleo").await?;
    page(&mut desk, "Dan").await?;
    kept.commit().await?;
    undone.rollback().await?;
    page(&mut desk, "Eve").await?;

    for expected in ["Dan", "Ben", "Eve"] {
        let paged = pager.recv().await?;
        println!("{}", paged.payload());
        assert_eq!(paged.payload(), expected);
    }
    // ANCHOR_END: order
    Ok(())
}
// ANCHOR_END: all
