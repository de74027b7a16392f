// ANCHOR: all
use std::io::ErrorKind;
use std::net::TcpListener;
use std::time::Duration;

use sqlx::Connection;
use sqlx::postgres::{PgConnection, PgPoolOptions};

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    // The port of a server that has ended.
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let url = format!("postgres://parcels@127.0.0.1:{port}/parcels");

    // A pool tries again until its timeout, and does not report the cause.
    let timeout = Duration::from_millis(200);
    let pool = PgPoolOptions::new().acquire_timeout(timeout);
    let error = pool.connect(&url).await.expect_err("no server");
    println!("pool: {error}");
    assert!(matches!(error, sqlx::Error::PoolTimedOut));

    // A connection without a pool reports the cause.
    let error = PgConnection::connect(&url).await.expect_err("no server");
    let sqlx::Error::Io(cause) = error else { panic!("{error}") };
    println!("connection: {}", cause.kind());
    assert_eq!(cause.kind(), ErrorKind::ConnectionRefused);
    Ok(())
}
// ANCHOR_END: all
