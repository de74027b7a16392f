// ANCHOR: all
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use futures::future::join_all;
use tokio::sync::OnceCell;
use tokio::time::{Instant, sleep};

const MINUTE: Duration = Duration::from_secs(60);

struct Stove {
    degrees: u32,
}

#[derive(Default)]
struct Sauna {
    fires: AtomicU32,
    // ANCHOR: cell
    stove: OnceCell<Stove>,
    // ANCHOR_END: cell
}

impl Sauna {
    // ANCHOR: enter
    async fn enter(&self) -> &Stove {
        self.stove.get_or_init(|| self.heat()).await
    }
    // ANCHOR_END: enter

    // ANCHOR: heat
    async fn heat(&self) -> Stove {
        self.fires.fetch_add(1, Relaxed);
        sleep(60 * MINUTE).await;
        Stove { degrees: 80 }
    }
    // ANCHOR_END: heat
}

/// How long somebody waits who comes in this minute.
async fn guest(sauna: &Sauna, minute: u32) -> Duration {
    sleep(minute * MINUTE).await;
    let came = Instant::now();
    let stove = sauna.enter().await;
    assert_eq!(stove.degrees, 80);
    came.elapsed()
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let sauna = Sauna::default();
    assert!(!sauna.stove.initialized(), "nobody has come");

    // ANCHOR: day
    let guests = [5, 20, 35, 90].map(|minute| guest(&sauna, minute));
    let waited = join_all(guests).await;
    // ANCHOR_END: day
    let waited: Vec<_> = waited.iter().map(|w| w.as_secs() / 60).collect();
    println!("waited {waited:?} min for {:?} fire", sauna.fires);
    assert_eq!(waited, [60, 45, 30, 0]);
    assert_eq!(sauna.fires.load(Relaxed), 1);

    // Afterwards it is a look, and no await is needed for that.
    let stove = sauna.stove.get().expect("it is hot");
    assert_eq!(stove.degrees, 80);
}
// ANCHOR_END: all
