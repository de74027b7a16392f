// ANCHOR: all
use std::env;
use std::io;

use anyhow::Context;
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use sqlx::{ConnectOptions, Connection, Executor};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy};
use tokio::net::{TcpListener, UnixStream};

/// Passes one connection on to a server without TLS: what the network reads.
async fn network(listener: &TcpListener, path: String) -> io::Result<String> {
    let (client, _) = listener.accept().await?;
    let (mut from_client, mut to_client) = client.into_split();
    let server = UnixStream::connect(path).await?;
    let (mut from_server, mut to_server) = server.into_split();
    let answers =
        tokio::spawn(
            async move { copy(&mut from_server, &mut to_client).await },
        );
    let mut all = Vec::new();
    let mut buffer = [0; 1000];
    loop {
        let read = from_client.read(&mut buffer).await?;
        all.extend_from_slice(&buffer[..read]);
        to_server.write_all(&buffer[..read]).await?;
        if read == 0 {
            drop(to_server);
            answers.await??;
            return Ok(String::from_utf8_lossy(&all).into_owned());
        }
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let url = env::var("DATABASE_URL").context("DATABASE_URL")?;
    let options: PgConnectOptions = url.parse()?;
    let socket = options.get_socket().context("a Unix socket")?;
    let path = format!("{}/.s.PGSQL.5432", socket.display());
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    let url = format!("postgres://cookbook@127.0.0.1:{port}/postgres");

    let client = async {
        // ANCHOR: broken
        let options: PgConnectOptions = url.parse()?;
        let mut conn = options.connect().await?;
        conn.execute("SELECT 'a customer'").await?;
        // ANCHOR_END: broken
        conn.close().await
    };
    let (read, ended) = tokio::join!(network(&listener, path.clone()), client);
    ended?;
    let is_read = read?.contains("SELECT 'a customer'");
    println!("prefer: the network can read the query: {is_read}");
    assert!(is_read);

    let client = async {
        // ANCHOR: fixed
        let options: PgConnectOptions = url.parse()?;
        let options = options.ssl_mode(PgSslMode::VerifyFull);
        let mut conn = options.connect().await?;
        // ANCHOR_END: fixed
        conn.execute("SELECT 'a customer'").await?;
        conn.close().await
    };
    let (read, ended) = tokio::join!(network(&listener, path), client);
    let error = ended.expect_err("no TLS");
    let sqlx::Error::Tls(cause) = error else { panic!("{error}") };
    println!("verify-full: {cause}");
    assert_eq!(cause.to_string(), "server does not support TLS");
    assert!(!read?.contains("SELECT"));
    Ok(())
}
// ANCHOR_END: all
