// ANCHOR: all
use axum::body::Bytes;
use axum::extract::DefaultBodyLimit;
use axum::{Router, routing::post};
use reqwest::Client;
use tokio::net::TcpListener;

const MIB: usize = 1024 * 1024;

async fn photo(photo: Bytes) -> String {
    format!("{} bytes", photo.len())
}

async fn upload(app: Router, length: usize) -> anyhow::Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/photos", listener.local_addr()?);
    tokio::spawn(async move { axum::serve(listener, app).await });
    let client = Client::builder().no_proxy().build()?;
    let response = client.post(url).body(vec![7; length]).send().await?;
    Ok(response.status().as_u16())
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    // ANCHOR: broken
    let app = Router::new().route("/photos", post(photo));
    // ANCHOR_END: broken
    let statuses =
        [upload(app.clone(), 2 * MIB).await?, upload(app, 2 * MIB + 1).await?];
    println!("broken: 2 MiB {}, a byte more {}", statuses[0], statuses[1]);
    assert_eq!(statuses, [200, 413]);

    // ANCHOR: fixed
    let photos = post(photo).layer(DefaultBodyLimit::max(10 * MIB));
    let app = Router::new().route("/photos", photos);
    // ANCHOR_END: fixed
    let app = app.layer(DefaultBodyLimit::max(16 * 1024)); // does not count
    let statuses = [
        upload(app.clone(), 10 * MIB).await?,
        upload(app, 10 * MIB + 1).await?,
    ];
    println!("fixed: 10 MiB {}, a byte more {}", statuses[0], statuses[1]);
    assert_eq!(statuses, [200, 413]);
    Ok(())
}
// ANCHOR_END: all
