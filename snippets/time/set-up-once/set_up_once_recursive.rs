// ANCHOR: all
use std::time::Duration;

use futures::future::{BoxFuture, FutureExt};
use tokio::sync::OnceCell;
use tokio::time::timeout;

const DAY: Duration = Duration::from_secs(24 * 3600);

#[derive(Default)]
struct Sauna {
    stove: OnceCell<u32>,
    shed: OnceCell<&'static str>,
}

impl Sauna {
    // ANCHOR: broken
    /// Broken: the wood dries in the sauna, which is heated with it.
    async fn enter(&self) -> u32 {
        let heat = || async { burn(self.wood_from_the_sauna().await) };
        *self.stove.get_or_init(heat).await
    }

    fn wood_from_the_sauna(&self) -> BoxFuture<'_, &'static str> {
        async { if self.enter().await > 60 { "dry" } else { "wet" } }.boxed()
    }
    // ANCHOR_END: broken

    // ANCHOR: fixed
    /// Fixed: what the first one needs has a cell of its own, and that one
    /// knows nothing of the first.
    async fn enter_mended(&self) -> u32 {
        let heat = || async { burn(self.wood_from_the_shed().await) };
        *self.stove.get_or_init(heat).await
    }

    async fn wood_from_the_shed(&self) -> &'static str {
        self.shed.get_or_init(|| async { "dry" }).await
    }
    // ANCHOR_END: fixed
}

fn burn(wood: &str) -> u32 {
    if wood == "dry" { 80 } else { 20 }
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let sauna = Sauna::default();
    let end = timeout(DAY, sauna.enter()).await;
    println!("from the sauna: {end:?}");
    assert!(end.is_err());

    let end = timeout(DAY, sauna.enter_mended()).await;
    println!("from the shed: {end:?}");
    assert_eq!(end, Ok(80));
}
// ANCHOR_END: all
