// ANCHOR: all
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

use backon::{Backoff, BackoffBuilder, ExponentialBuilder};
use futures::future::join_all;
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep};

/// One line: who dials while somebody speaks hears that it is engaged.
struct Surgery {
    opened: Instant,
    line: Semaphore,
    /// How many have dialled in a millisecond.
    dialled: RefCell<BTreeMap<u128, u32>>,
}

impl Surgery {
    async fn call(&self) -> bool {
        let now = self.opened.elapsed().as_millis();
        *self.dialled.borrow_mut().entry(now).or_default() += 1;
        let Ok(_line) = self.line.try_acquire() else {
            return false;
        };
        sleep(Duration::from_millis(200)).await;
        true
    }
}

const PAUSES: ExponentialBuilder = ExponentialBuilder::new(); // 1 s, 2 s, 4 s

/// From the whole pause to twice as much.
fn jitter(patient: u64) -> impl Backoff {
    PAUSES.with_jitter().with_jitter_seed(patient).build()
}

// ANCHOR: full
/// From nothing to the whole pause.
fn full_jitter(patient: u64) -> impl Backoff {
    let mut random = fastrand::Rng::with_seed(patient);
    PAUSES.build().map(move |pause| pause.mul_f64(random.f64()))
}
// ANCHOR_END: full

/// What `retry` does, by hand: a backoff is an iterator.
async fn patient(surgery: &Surgery, pauses: impl Backoff) -> bool {
    for pause in pauses {
        if surgery.call().await {
            return true;
        }
        sleep(pause).await;
    }
    surgery.call().await
}

/// Eight patients dial at eight. How many get through, and who dialled when?
async fn morning<B: Backoff>(
    pauses: impl Fn(u64) -> B,
) -> (usize, BTreeMap<u128, u32>) {
    let surgery = Surgery {
        opened: Instant::now(),
        line: Semaphore::new(1),
        dialled: RefCell::default(),
    };
    let patients = (1..=8).map(|seed| patient(&surgery, pauses(seed)));
    let through = join_all(patients).await;
    let through = through.into_iter().filter(|through| *through).count();
    (through, surgery.dialled.into_inner())
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    // ANCHOR: broken
    // Broken: they come back all at once.
    let (through, dialled) = morning(|_| PAUSES.build()).await;
    // ANCHOR_END: broken
    println!("in step: {through} get through, {dialled:?}");
    let expected = [(0, 8), (1000, 7), (3000, 6), (7000, 5)];
    assert_eq!((through, dialled), (4, BTreeMap::from(expected)));

    // ANCHOR: fixed
    // Fixed: nobody knows when.
    let (through, dialled) = morning(jitter).await;
    // ANCHOR_END: fixed
    let (last, _) = dialled.last_key_value().expect("somebody dials");
    println!("jitter: {through} get through, the last dials at {last}");
    assert_eq!((through, *last), (8, 9821));
    assert!(dialled.into_iter().skip(1).all(|(_, at_once)| at_once == 1));

    let (through, dialled) = morning(full_jitter).await;
    let (last, _) = dialled.last_key_value().expect("somebody dials");
    println!("full jitter: {through} get through, the last dials at {last}");
    assert_eq!((through, *last), (8, 4093));
    assert!(dialled.into_iter().skip(1).all(|(_, at_once)| at_once == 1));
}
// ANCHOR_END: all
