// ANCHOR: all
use std::io;

use futures::stream::{StreamExt, TryStreamExt, iter};

/// Two events, an error between them.
fn scans() -> [io::Result<&'static str>; 3] {
    let error = io::Error::other("the connection is lost");
    [Ok("Bremen"), Err(error), Ok("Kiel")]
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut events = iter(scans());
    let mut cities = Vec::new();
    // ANCHOR: broken
    while let Some(Ok(city)) = events.next().await {
        cities.push(city);
    }
    // ANCHOR_END: broken
    println!("Some(Ok(city)): {cities:?}, and no error");
    assert_eq!(cities, ["Bremen"]);

    let mut cities = Vec::new();
    let mut read_all = async || -> io::Result<()> {
        let mut events = iter(scans());
        // ANCHOR: fixed
        while let Some(city) = events.try_next().await? {
            cities.push(city);
        }
        // ANCHOR_END: fixed
        Ok(())
    };
    let error = read_all().await.expect_err("the connection is lost");
    println!("try_next: {cities:?}, {error}");
    assert_eq!(error.to_string(), "the connection is lost");
    assert_eq!(cities, ["Bremen"]);

    // The same with `None` among the items.
    let scans = [Some("Bremen"), None, Some("Kiel")];
    let (mut events, mut count) = (iter(scans), 0);
    while let Some(Some(_)) = events.next().await {
        count += 1;
    }
    assert_eq!(count, 1);
    let (mut events, mut count) = (iter(scans), 0);
    while events.next().await.is_some() {
        count += 1;
    }
    assert_eq!(count, 3);
}
// ANCHOR_END: all
