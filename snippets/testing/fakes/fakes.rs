// ANCHOR: lib
// ANCHOR: keep
use std::collections::HashMap;
use std::future::pending;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use anyhow::{Result, bail};
use tokio::time;

// ANCHOR: trait
/// What the service needs of a notifier.
pub trait Notifier: Send + Sync {
    fn send(&self, parcel: u32) -> impl Future<Output = Result<()>> + Send;
}
// ANCHOR_END: trait

// ANCHOR: notify
/// Returns the parcels whose notification may not have been sent.
pub async fn notify_all(
    notifier: &impl Notifier,
    parcels: &[u32],
    timeout: Duration,
) -> Vec<u32> {
    let mut failed = Vec::new();
    for &parcel in parcels {
        let sent = time::timeout(timeout, notifier.send(parcel)).await;
        if !matches!(sent, Ok(Ok(()))) {
            failed.push(parcel);
        }
    }
    failed
}
// ANCHOR_END: notify

enum Fault {
    Refused,
    ResponseLost,
    Silent,
}

// ANCHOR: fake
/// Keeps what it has sent. A call takes a second, and may have a fault.
#[derive(Default)]
struct FakeNotifier {
    faults: HashMap<usize, Fault>,
    calls: AtomicUsize,
    sent: Mutex<Vec<u32>>,
}
// ANCHOR_END: fake

impl Notifier for FakeNotifier {
    // ANCHOR: send
    async fn send(&self, parcel: u32) -> Result<()> {
        let fault = self.faults.get(&self.calls.fetch_add(1, SeqCst));
        time::sleep(Duration::from_secs(1)).await;
        if let Some(Fault::Refused) = fault {
            bail!("503 Service Unavailable");
        }
        self.sent.lock().expect("no panic").push(parcel);
        match fault {
            Some(Fault::ResponseLost) => bail!("connection reset"),
            Some(Fault::Silent) => pending().await,
            _ => Ok(()),
        }
    }
    // ANCHOR_END: send
}
// ANCHOR_END: keep

// ANCHOR: test
#[tokio::test(start_paused = true)]
async fn a_failure_does_not_stop_the_others() {
    let faults = HashMap::from([(1, Fault::Refused)]);
    let fake = FakeNotifier { faults, ..FakeNotifier::default() };
    let failed = notify_all(&fake, &[7, 8, 9], Duration::from_secs(5));
    assert_eq!(failed.await, [8]);
    assert_eq!(fake.sent.into_inner().expect("no panic"), [7, 9]);
}
// ANCHOR_END: test
// ANCHOR_END: lib

/// Every fault, and several threads.
mod cases {
    use std::collections::HashMap;
    use std::sync::Arc;
    use std::sync::atomic::Ordering::SeqCst;
    use std::time::Duration;

    use tokio::task::JoinSet;
    use tokio::time::{Instant, timeout};

    use super::{FakeNotifier, Fault, Notifier, notify_all};

    const SECOND: Duration = Duration::from_secs(1);

    fn with_fault(fault: Fault) -> FakeNotifier {
        let faults = HashMap::from([(1, fault)]);
        FakeNotifier { faults, ..FakeNotifier::default() }
    }

    /// The parcels of what was sent.
    fn sent(notifier: &FakeNotifier) -> Vec<u32> {
        notifier.sent.lock().expect("no panic").clone()
    }

    #[tokio::test(start_paused = true)]
    async fn all_are_sent() {
        let notifier = Arc::new(FakeNotifier::default());
        let in_task = notifier.clone();
        let task =
            async move { notify_all(&*in_task, &[7, 8, 9], 5 * SECOND).await };
        assert!(tokio::spawn(task).await.expect("no panic").is_empty());
        assert_eq!(sent(&notifier), [7, 8, 9]);
    }

    #[tokio::test(start_paused = true)]
    async fn response_lost() {
        let notifier = with_fault(Fault::ResponseLost);
        let start = Instant::now();
        let failed = notify_all(&notifier, &[7, 8, 9], 5 * SECOND).await;
        assert_eq!(failed, [8]);
        assert_eq!(sent(&notifier), [7, 8, 9], "and 8 was sent");
        assert_eq!(start.elapsed(), 3 * SECOND);
    }

    #[tokio::test(start_paused = true)]
    async fn silent() {
        let notifier = with_fault(Fault::Silent);
        let start = Instant::now();
        let failed = notify_all(&notifier, &[7, 8, 9], 5 * SECOND).await;
        assert_eq!(failed, [8]);
        assert_eq!(sent(&notifier), [7, 8, 9], "and 8 was sent");
        assert_eq!(start.elapsed(), (1 + 5 + 1) * SECOND);
    }

    #[tokio::test(start_paused = true)]
    async fn slow() {
        let notifier = FakeNotifier::default();
        let failed = notify_all(&notifier, &[7, 8, 9], SECOND / 2).await;
        assert_eq!(failed, [7, 8, 9]);
        assert!(sent(&notifier).is_empty());
        assert_eq!(notifier.calls.load(SeqCst), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn cancelled() {
        let notifier = FakeNotifier::default();
        let all = notify_all(&notifier, &[7, 8, 9], 5 * SECOND);
        assert!(timeout(3 * SECOND / 2, all).await.is_err());
        assert_eq!(sent(&notifier), [7]);
        assert_eq!(notifier.calls.load(SeqCst), 2);
    }

    /// One of a hundred calls at the same time has the fault.
    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn several_threads() {
        let notifier = Arc::new(with_fault(Fault::Refused));
        let mut tasks = JoinSet::new();
        for parcel in 0..100 {
            let notifier = notifier.clone();
            tasks.spawn(async move { notifier.send(parcel).await.is_err() });
        }
        let failed = tasks.join_all().await;
        assert_eq!(failed.into_iter().filter(|failed| *failed).count(), 1);
        assert_eq!(sent(&notifier).len(), 99);
    }
}
