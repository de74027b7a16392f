// ANCHOR: all
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use futures::future::join_all;
use tokio::sync::OnceCell;
use tokio::time::{Instant, sleep};

const MINUTE: Duration = Duration::from_secs(60);

#[derive(Default)]
struct Sauna {
    fires: AtomicU32,
    dry: AtomicBool,
    stove: OnceCell<u32>,
    failed: Mutex<Option<(Instant, &'static str)>>,
}

impl Sauna {
    /// With wet wood it takes ten minutes until it is out again.
    async fn heat(&self) -> Result<u32, &'static str> {
        self.fires.fetch_add(1, Relaxed);
        sleep(10 * MINUTE).await;
        self.dry.load(Relaxed).then_some(80).ok_or("the wood is wet")
    }

    // ANCHOR: broken
    /// Broken: whoever has waited tries it himself.
    async fn try_oneself(&self) -> Result<&u32, &'static str> {
        self.stove.get_or_try_init(|| self.heat()).await
    }
    // ANCHOR_END: broken

    // ANCHOR: fixed
    /// Fixed: for half an hour, a failure is an answer.
    async fn ask_first(&self) -> Result<&u32, &'static str> {
        let heat = async || {
            let failed = *self.failed.lock().expect("never poisoned");
            let lately =
                failed.filter(|(when, _)| when.elapsed() < 30 * MINUTE);
            if let Some((_, error)) = lately {
                return Err(error);
            }
            let end = self.heat().await;
            let failed = end.err().map(|error| (Instant::now(), error));
            *self.failed.lock().expect("never poisoned") = failed;
            end
        };
        self.stove.get_or_try_init(heat).await
    }
    // ANCHOR_END: fixed
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let (sauna, start) = (Sauna::default(), Instant::now());
    let ends = join_all((0..20).map(|_| sauna.try_oneself())).await;
    let (fires, took) = (sauna.fires.load(Relaxed), start.elapsed());
    println!("each tries: {fires} fires, {} min", took.as_secs() / 60);
    assert!(ends.iter().all(|end| end.is_err()));
    assert_eq!((fires, took), (20, 200 * MINUTE));

    let (sauna, start) = (Sauna::default(), Instant::now());
    let ends = join_all((0..20).map(|_| sauna.ask_first())).await;
    let (fires, took) = (sauna.fires.load(Relaxed), start.elapsed());
    println!("told: {fires} fire, {} min", took.as_secs() / 60);
    assert!(ends.iter().all(|end| end.is_err()));
    assert_eq!((fires, took), (1, 10 * MINUTE));

    // It is not an answer for ever.
    sauna.dry.store(true, Relaxed);
    sleep(30 * MINUTE - Duration::from_secs(1)).await;
    assert!(sauna.ask_first().await.is_err());
    sleep(Duration::from_secs(1)).await;
    println!("half an hour later: {:?}", sauna.ask_first().await);
    assert_eq!(sauna.stove.get(), Some(&80));
    assert_eq!(sauna.fires.load(Relaxed), 2);
}
// ANCHOR_END: all
