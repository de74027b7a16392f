// ANCHOR: all
use std::future::Future;
use std::mem::take;
use std::sync::Mutex;
use std::time::Duration;

use futures::future::{join_all, try_join_all};
use futures::stream::{FuturesUnordered, StreamExt, iter};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use tokio::{join, select, spawn, try_join};

const HOUR: Duration = Duration::from_secs(3600);

type Unloaded = Result<&'static str, &'static str>;
type Day = (Vec<&'static str>, u64, Vec<&'static str>);

static QUAY: Mutex<Vec<&str>> = Mutex::new(Vec::new());

async fn unload(ship: &'static str, hours: u32) -> Unloaded {
    sleep(hours * HOUR).await;
    if ship == "Wreck" {
        return Err("an error");
    }
    QUAY.lock().expect("never poisoned").push(ship);
    Ok(ship)
}

/// The first takes longest, the second fails soonest.
fn ships() -> [impl Future<Output = Unloaded> + Send; 3] {
    [("Lyra", 3), ("Wreck", 1), ("Vega", 2)].map(|(ship, h)| unload(ship, h))
}

fn error(result: Result<impl Sized, &'static str>) -> Vec<Unloaded> {
    result.err().into_iter().map(Err).collect()
}

/// What you have and when, and what stands on the quay a day later.
async fn day(way: &str, work: impl Future<Output = Vec<Unloaded>>) -> Day {
    let start = Instant::now();
    let have = work.await.into_iter().map(|it| it.unwrap_or_else(|why| why));
    let have: Vec<&str> = have.collect();
    let hours = start.elapsed().as_secs() / 3600;
    sleep(24 * HOUR).await;
    let quay = take(&mut *QUAY.lock().expect("never poisoned"));
    println!("{way:20} {:20} {hours} h   {quay:?}", have.join(", "));
    (have, hours, quay)
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let in_order = vec!["Lyra", "an error", "Vega"];
    let all = (in_order.clone(), 3, vec!["Vega", "Lyra"]);
    let [lyra, wreck, vega] = ships();
    let work = async { <[_; 3]>::from(join!(lyra, wreck, vega)).into() };
    assert_eq!(day("join!", work).await, all);
    assert_eq!(day("join_all", join_all(ships())).await, all);

    let one_error = (vec!["an error"], 1, vec![]);
    let [lyra, wreck, vega] = ships();
    let work = async { error(try_join!(lyra, wreck, vega)) };
    assert_eq!(day("try_join!", work).await, one_error);
    let work = async { error(try_join_all(ships()).await) };
    assert_eq!(day("try_join_all", work).await, one_error);
    let [lyra, wreck, vega] = ships();
    let work = async {
        vec![select! { it = lyra => it, it = wreck => it, it = vega => it }]
    };
    assert_eq!(day("select!", work).await, one_error);

    let as_they_end = (vec!["an error", "Vega", "Lyra"], 3, all.2.clone());
    let work = FuturesUnordered::from_iter(ships()).collect();
    assert_eq!(day("FuturesUnordered", work).await, as_they_end);
    let work = iter(ships()).buffer_unordered(2).collect();
    let two = (vec!["an error", "Lyra", "Vega"], 3, vec!["Lyra", "Vega"]);
    assert_eq!(day("buffer_unordered(2)", work).await, two);
    let work = iter(ships()).buffered(2).collect();
    // What has ended holds its place until those before it have.
    let held_up = (in_order, 5, vec!["Lyra", "Vega"]);
    assert_eq!(day("buffered(2)", work).await, held_up);

    let work = JoinSet::from_iter(ships()).join_all();
    assert_eq!(day("JoinSet", work).await, as_they_end);
    let work = async {
        let mut set = JoinSet::from_iter(ships());
        let first = set.join_next().await.expect("three").expect("no panic");
        error(first) // `set` is dropped here
    };
    assert_eq!(day("JoinSet, left", work).await, one_error);
    let work = async {
        let [_, wreck, _] = ships().map(spawn);
        error(wreck.await.expect("no panic"))
    };
    let others_run_on = (vec!["an error"], 1, vec!["Vega", "Lyra"]);
    assert_eq!(day("spawn, left", work).await, others_run_on);
}
// ANCHOR_END: all
