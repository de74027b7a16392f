// ANCHOR: all
use std::cell::{Cell, RefCell};
use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use futures::future::join_all;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tower::retry::budget::{Budget, TpsBudget};

const MINUTE: Duration = Duration::from_secs(60);

/// Rings back in the order of the calls, ten patients a minute. Those who have
/// given up are rung back too: it cannot know.
struct Surgery {
    opened: Instant,
    free: Cell<Instant>,
    /// In each ten minutes.
    calls: RefCell<[u32; 6]>,
    answered: RefCell<[u32; 6]>,
}

impl Surgery {
    async fn call(&self) -> Result<(), &'static str> {
        let ten_minutes = self.opened.elapsed().as_secs() as usize / 600;
        self.calls.borrow_mut()[ten_minutes] += 1;
        if self.calls.borrow().iter().sum::<u32>() % 10 == 0 {
            return Err("the line is broken");
        }
        let mut begin = self.free.get().max(Instant::now());
        let absent = self.opened + 10 * MINUTE..self.opened + 15 * MINUTE;
        if absent.contains(&begin) {
            begin = absent.end;
        }
        self.free.set(begin + MINUTE / 10);
        let rung_back = timeout(MINUTE, sleep_until(self.free.get())).await;
        rung_back.map_err(|_| "nobody answers")?;
        self.answered.borrow_mut()[ten_minutes] += 1;
        Ok(())
    }
}

// ANCHOR: patient
/// Tries four times, with pauses and jitter, if the budget allows it.
async fn patient(surgery: &Surgery, number: u32, budget: &dyn Budget) {
    sleep(number * MINUTE / 5).await;
    let pauses = ExponentialBuilder::new().with_min_delay(MINUTE / 2);
    let pauses = pauses.with_jitter().with_jitter_seed(number.into());
    let call = || surgery.call();
    let lent = |pause: Option<_>| pause.filter(|_| budget.withdraw());
    if call.retry(pauses).adjust(|_, pause| lent(pause)).await.is_ok() {
        budget.deposit();
    }
}
// ANCHOR_END: patient

/// Five patients a minute, for an hour. From ten past to quarter past nobody
/// rings back.
async fn hour(budget: &dyn Budget) -> [[u32; 6]; 2] {
    let opened = Instant::now();
    let (calls, answered) = Default::default();
    let free = Cell::new(opened);
    let surgery = Surgery { opened, free, calls, answered };
    let patients = (0..300).map(|number| patient(&surgery, number, budget));
    let _ = timeout(60 * MINUTE - MINUTE / 60, join_all(patients)).await;
    [surgery.calls.into_inner(), surgery.answered.into_inner()]
}

struct NoLimit;

impl Budget for NoLimit {
    fn deposit(&self) {}
    fn withdraw(&self) -> bool {
        true
    }
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let [calls, answered] = hour(&TpsBudget::new(MINUTE, 0, 0.0)).await;
    println!("no retries: {calls:?} calls\n  answered: {answered:?}");
    assert_eq!(answered, [45, 10, 45, 45, 45, 45]);

    let [calls, answered] = hour(&NoLimit).await;
    println!("no limit:   {calls:?} calls\n  answered: {answered:?}");
    assert_eq!(answered, [50, 0, 0, 0, 0, 0]);

    // One retry for five successes of the last minute.
    let [calls, answered] = hour(&TpsBudget::new(MINUTE, 0, 0.2)).await;
    println!("a budget:   {calls:?} calls\n  answered: {answered:?}");
    assert_eq!(answered, [50, 12, 49, 51, 49, 51]);
}
// ANCHOR_END: all
