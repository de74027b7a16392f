//! Labels that are fetched, rendered and saved: each caller has its result, the
//! limits hold, and a file is whole at each moment.

include!("../../../../snippets/performance/async-or-sync/async_or_sync.rs");

mod stress {
    use std::fs::{self, File};
    use std::future::pending;
    use std::io;
    use std::path::Path;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
    use std::thread;
    use std::time::Duration;

    use anyhow::bail;
    use stress::{Round, SLACK};
    use tempfile::{TempDir, tempdir};
    use tokio::sync::Semaphore;
    use tokio::task::{JoinError, JoinSet, spawn_blocking};
    use tokio::time::{sleep, timeout};

    use super::{Labels, names, save};

    const MS: Duration = Duration::from_millis(1);
    const NETWORK: usize = 5;
    const CPU: usize = 3;
    const DISK: usize = 2;

    /// How many run, and the most at the same time.
    #[derive(Default)]
    struct Count {
        running: AtomicUsize,
        most: AtomicUsize,
    }

    struct Running(Arc<Count>);

    impl Drop for Running {
        fn drop(&mut self) {
            self.0.running.fetch_sub(1, Relaxed);
        }
    }

    fn start(count: &Arc<Count>) -> Running {
        let running = count.running.fetch_add(1, Relaxed) + 1;
        count.most.fetch_max(running, Relaxed);
        Running(Arc::clone(count))
    }

    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Kind {
        Saved,
        NotFetched,
        Silent,
        NotRendered,
        Panic,
    }

    const KINDS: [Kind; 5] = [
        Kind::Saved,
        Kind::NotFetched,
        Kind::Silent,
        Kind::NotRendered,
        Kind::Panic,
    ];

    struct Service {
        labels: Labels,
        fetches: Arc<Count>,
        renders: Arc<Count>,
        folder: TempDir,
    }

    impl Service {
        fn new() -> Self {
            let folder = tempdir().expect("a folder");
            let labels = Labels {
                folder: folder.path().to_owned(),
                fetch_timeout: MS * 200,
                network: Semaphore::new(NETWORK),
                cpu: Arc::new(Semaphore::new(CPU)),
                disk: Arc::new(Semaphore::new(DISK)),
            };
            let (fetches, renders) = Default::default();
            Service { labels, fetches, renders, folder }
        }

        async fn make(
            &self,
            parcel: u32,
            kind: Kind,
            time: Duration,
        ) -> anyhow::Result<()> {
            let fetch = async |parcel| {
                let _running = start(&self.fetches);
                sleep(time).await;
                match kind {
                    Kind::NotFetched => bail!("404"),
                    Kind::Silent => pending().await,
                    _ => Ok(content(parcel)),
                }
            };
            let renders = Arc::clone(&self.renders);
            let render = move |address: &[u8]| {
                let _running = start(&renders);
                thread::sleep(time);
                match kind {
                    Kind::NotRendered => bail!("no address"),
                    Kind::Panic => panic!("a comma in the address"),
                    _ => Ok(address.to_owned()),
                }
            };
            self.labels.make(parcel, fetch, render).await
        }

        /// Waits for jobs of callers that gave up: all permits come back.
        async fn ends(&self) {
            for (limit, count) in [
                (&self.labels.network, NETWORK),
                (&self.labels.cpu, CPU),
                (&self.labels.disk, DISK),
            ] {
                let all = limit.acquire_many(count as u32);
                let all = timeout(SLACK, all).await.expect("a permit is lost");
                drop(all);
            }
            assert_eq!(self.fetches.running.load(Relaxed), 0);
            assert_eq!(self.renders.running.load(Relaxed), 0);
            assert!(self.fetches.most.load(Relaxed) <= NETWORK);
            assert!(self.renders.most.load(Relaxed) <= CPU);
        }

        /// Those that are there, each of them whole.
        fn saved(&self) -> Vec<u32> {
            let names = names(self.folder.path()).expect("a folder");
            let saved = names.iter().map(|name| {
                let parcel = name.strip_suffix(".label").expect("a label");
                let parcel = parcel.parse().expect("a number");
                let label = fs::read(self.folder.path().join(name));
                assert_eq!(label.expect("a label"), content(parcel));
                parcel
            });
            saved.collect()
        }
    }

    fn content(parcel: u32) -> Vec<u8> {
        format!("{parcel}\n").repeat(1_000).into_bytes()
    }

    #[test]
    fn each_caller_has_its_result() {
        stress::rounds(|mut round: Round| async move {
            let service = Arc::new(Service::new());
            let mut callers = JoinSet::new();
            let count = round.choice([0, 1, 7, 40]);
            for parcel in 0..count {
                let kind = round.choice(KINDS);
                let time = round.duration(Duration::ZERO..MS * 5);
                let service = Arc::clone(&service);
                callers.spawn(async move {
                    let made = service.make(parcel, kind, time).await;
                    (parcel, kind, made)
                });
            }
            let mut expected = Vec::new();
            let results = timeout(SLACK * 2, callers.join_all()).await;
            for (parcel, kind, made) in results.expect("one does not end") {
                let error = made.err();
                assert_eq!(error.is_none(), kind == Kind::Saved);
                match (kind, error) {
                    (_, None) => expected.push(parcel),
                    (Kind::Silent, Some(error)) => {
                        assert!(error.is::<super::Silent>());
                    }
                    (Kind::Panic, Some(error)) => {
                        assert!(error.is::<JoinError>());
                    }
                    (_, Some(error)) => {
                        let text = error.to_string();
                        assert!(["404", "no address"].contains(&&*text));
                    }
                }
            }
            service.ends().await;
            expected.sort();
            let mut saved = service.saved();
            saved.sort();
            assert_eq!(saved, expected);
        });
    }

    #[test]
    fn a_caller_that_gives_up_leaves_nothing_by_half() {
        stress::rounds(|mut round: Round| async move {
            let service = Arc::new(Service::new());
            let mut callers = JoinSet::new();
            for parcel in 0..20 {
                let kind =
                    round.choice([Kind::Saved, Kind::Saved, Kind::Panic]);
                let time = round.duration(Duration::ZERO..MS * 3);
                let (mut round, service) = (round.fork(), service.clone());
                callers.spawn(async move {
                    let make = service.make(parcel, kind, time);
                    let made = round.cancel(MS * 30, make).await;
                    (parcel, kind, made.is_some_and(|made| made.is_ok()))
                });
            }
            let ends = callers.join_all().await;
            service.ends().await;
            let saved = service.saved();
            for (parcel, kind, is_made) in ends {
                // One that was given up may be saved, too.
                assert!(saved.contains(&parcel) || !is_made);
                assert!(!saved.contains(&parcel) || kind == Kind::Saved);
            }
        });
    }

    /// Two write the same file, and another one reads it.
    #[test]
    fn a_reader_sees_a_whole_file() {
        stress::rounds(|mut round: Round| async move {
            let folder = Arc::new(tempdir().expect("a folder"));
            let sizes = [1, round.rng.usize(1..100_000), 200_000];
            let write = |folder: &Path, size: usize| {
                save(folder, "7.label", &vec![size as u8; size])
            };
            write(folder.path(), 1).expect("a disk");
            let done = Arc::new(AtomicBool::new(false));
            let mut writers = JoinSet::new();
            for size in sizes {
                let folder = Arc::clone(&folder);
                writers.spawn_blocking(move || {
                    (0..5).try_for_each(|_| write(folder.path(), size))
                });
            }
            let reader = spawn_blocking({
                let (folder, done) = (Arc::clone(&folder), Arc::clone(&done));
                move || {
                    while !done.load(Relaxed) {
                        let file = File::open(folder.path().join("7.label"));
                        let file = file.expect("it is there at each moment");
                        let label = io::Read::bytes(io::BufReader::new(file));
                        let label: Result<Vec<u8>, _> = label.collect();
                        let label = label.expect("a label");
                        assert!(sizes.contains(&label.len()));
                        assert!(
                            label.iter().all(|&it| it == label.len() as u8)
                        );
                    }
                }
            });
            let written = writers.join_all().await;
            done.store(true, Relaxed);
            reader.await.expect("no panic");
            assert!(written.iter().all(Result::is_ok));
            let names = names(folder.path()).expect("a folder");
            assert_eq!(names, ["7.label"]);
        });
    }
}
