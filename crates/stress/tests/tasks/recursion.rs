//! `walk` and `crawl` over graphs with cycles, with requests that fail, panic
//! and are cancelled: each item is requested once, never more at a time than
//! the limit, and nothing runs on after the end.

include!("../../../../snippets/tasks/recursion/recursion.rs");

mod stress {
    use std::collections::{BTreeSet, HashSet};
    use std::num::NonZeroUsize;
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use anyhow::{Result, bail};
    use stress::Round;
    use tokio::task::yield_now;
    use tokio::time::sleep;

    use super::{crawl, walk};

    const MS: Duration = Duration::from_millis(1);

    /// Which items each item has, and what was requested.
    struct Graph {
        children: Vec<Vec<u32>>,
        fails_at: Option<u32>,
        panics_at: Option<u32>,
        running: AtomicUsize,
        peak: AtomicUsize,
        requested: Mutex<Vec<u32>>,
    }

    struct Running(Arc<Graph>);

    impl Drop for Running {
        fn drop(&mut self) {
            self.0.running.fetch_sub(1, SeqCst);
        }
    }

    impl Graph {
        fn new(round: &mut Round) -> Arc<Self> {
            let items = round.rng.u32(1..60);
            let child = |round: &mut Round| round.rng.u32(..items);
            let children = (0..items).map(|_| {
                let count = round.rng.usize(..4);
                (0..count).map(|_| child(round)).collect()
            });
            let children = children.collect();
            let at = |round: &mut Round| {
                (round.rng.u8(..4) == 0).then(|| round.rng.u32(..items))
            };
            Arc::new(Graph {
                children,
                fails_at: at(round),
                panics_at: at(round),
                running: AtomicUsize::new(0),
                peak: AtomicUsize::new(0),
                requested: Mutex::default(),
            })
        }

        async fn list(self: Arc<Self>, item: u32) -> Result<Vec<u32>> {
            self.requested.lock().expect("no panic").push(item);
            let running = self.running.fetch_add(1, SeqCst) + 1;
            self.peak.fetch_max(running, SeqCst);
            let _running = Running(Arc::clone(&self));
            match item % 3 {
                0 => sleep(MS / 4).await,
                1 => yield_now().await,
                _ => {}
            }
            assert_ne!(Some(item), self.panics_at, "it panics");
            if Some(item) == self.fails_at {
                bail!("it fails");
            }
            Ok(self.children[item as usize].clone())
        }

        /// All items below the first one.
        fn reachable(&self) -> BTreeSet<u32> {
            let (mut seen, mut waiting) = (BTreeSet::from([0]), vec![0]);
            while let Some(item) = waiting.pop() {
                let children = &self.children[item as usize];
                let new = children.iter().filter(|child| seen.insert(**child));
                waiting.extend(new);
            }
            seen
        }
    }

    #[test]
    fn each_item_is_requested_once() {
        stress::rounds(|mut round| async move {
            let graph = Graph::new(&mut round);
            let limit = round.rng.usize(1..5);
            let crawls = round.rng.bool();
            let list = {
                let graph = Arc::clone(&graph);
                move |item| Arc::clone(&graph).list(item)
            };
            let call = async move {
                if crawls {
                    let limit = NonZeroUsize::new(limit).expect("not 0");
                    return crawl(0, limit, 1000, list).await;
                }
                let mut seen = HashSet::new();
                walk(0, 1000, &mut seen, &list).await?;
                Ok(seen)
            };
            let cancels = round.rng.u8(..4) == 0;
            let call = tokio::spawn(async move {
                if cancels {
                    round.cancel(2 * MS, call).await
                } else {
                    Some(call.await)
                }
            });
            let end = call.await;
            assert_eq!(graph.running.load(SeqCst), 0, "a request runs on");
            let peak = graph.peak.load(SeqCst);
            assert!(peak <= if crawls { limit } else { 1 }, "{peak}");
            let requested = graph.requested.lock().expect("no panic").clone();
            let once: BTreeSet<_> = requested.iter().copied().collect();
            assert_eq!(once.len(), requested.len(), "{requested:?}");
            if let Ok(Some(Ok(seen))) = end {
                let seen: BTreeSet<_> = seen.into_iter().collect();
                assert_eq!(seen, graph.reachable());
                assert_eq!(seen, once);
            }
        });
    }
}
