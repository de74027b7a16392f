// ANCHOR: all
use std::time::Duration;

use futures::future::{BoxFuture, FutureExt};
use tokio::sync::OnceCell;
use tokio::time::timeout;

const DAY: Duration = Duration::from_secs(24 * 3600);

#[derive(Default)]
struct Carrier {
    session: OnceCell<String>,
    address: OnceCell<&'static str>,
}

impl Carrier {
    // ANCHOR: broken
    async fn session(&self) -> &String {
        let sign_in = async || format!("session at {}", self.address().await);
        self.session.get_or_init(sign_in).await
    }

    fn address(&self) -> BoxFuture<'_, &str> {
        async { &self.session().await["session at ".len()..] }.boxed()
    }
    // ANCHOR_END: broken

    // ANCHOR: fixed
    async fn session_of_two(&self) -> &String {
        let sign_in = async || format!("session at {}", self.lookup().await);
        self.session.get_or_init(sign_in).await
    }

    async fn lookup(&self) -> &'static str {
        self.address.get_or_init(async || "127.0.0.1").await
    }
    // ANCHOR_END: fixed
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let carrier = Carrier::default();
    let end = timeout(DAY, carrier.session()).await;
    println!("one cell: {end:?}");
    assert!(end.is_err());

    let end = timeout(DAY, carrier.session_of_two()).await;
    println!("two cells: {end:?}");
    assert_eq!(end.map(String::as_str), Ok("session at 127.0.0.1"));
}
// ANCHOR_END: all
