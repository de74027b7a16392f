//! A thread that reads a file for a task: the task leaves at a random moment,
//! or is slow; the file ends, fails, panics, or does not end.

include!("../../../../snippets/performance/flat-memory/flat_memory.rs");

mod stress {
    use std::io::{self, Read};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
    use std::time::Duration;

    use fastrand::Rng;
    use tokio::sync::{Semaphore, oneshot};
    use tokio::task::JoinSet;
    use tokio::time::sleep;

    use super::{Blocks, ReadError};

    const MS: Duration = Duration::from_millis(1);

    /// What an input does when its text has been read.
    #[derive(Clone, Copy, Debug, PartialEq)]
    enum End {
        Ends,
        Fails,
        Panics,
        Repeats,
    }

    /// A file that gives pieces of random sizes, and is interrupted at times.
    struct Input {
        text: Vec<u8>,
        at: usize,
        end: End,
        rng: Rng,
        bytes: Arc<AtomicUsize>,
        open: Arc<AtomicUsize>,
        _closed_tx: oneshot::Sender<()>,
    }

    /// What a test sees of an input.
    struct Seen {
        bytes: Arc<AtomicUsize>,
        open: Arc<AtomicUsize>,
        closed_rx: oneshot::Receiver<()>,
    }

    impl Input {
        fn new(text: Vec<u8>, end: End, rng: Rng) -> (Self, Seen) {
            let (_closed_tx, closed_rx) = oneshot::channel();
            let (bytes, open) = (Arc::default(), Arc::default());
            let seen = Seen {
                bytes: Arc::clone(&bytes),
                open: Arc::clone(&open),
                closed_rx,
            };
            (Input { text, at: 0, end, rng, bytes, open, _closed_tx }, seen)
        }
    }

    impl Read for Input {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if self.rng.u8(..8) == 0 {
                return Err(io::ErrorKind::Interrupted.into());
            }
            if self.at == self.text.len() {
                match self.end {
                    End::Ends => return Ok(0),
                    End::Fails => return Err(io::Error::other("broken")),
                    End::Panics => panic!("a fault in the decoder"),
                    End::Repeats => self.at = 0,
                }
            }
            let room = buffer.len().min(self.rng.usize(1..100));
            let read = (&self.text[self.at..]).read(&mut buffer[..room])?;
            self.at += read;
            self.bytes.fetch_add(read, SeqCst);
            Ok(read)
        }
    }

    impl Drop for Input {
        fn drop(&mut self) {
            self.open.fetch_sub(1, SeqCst);
        }
    }

    /// Lines of at most 60 bytes, of characters of one to three bytes.
    fn text(rng: &mut Rng, lines: usize) -> String {
        let mut text = String::new();
        for _ in 0..lines {
            for _ in 0..rng.usize(..20) {
                text.push(rng.choice(['7', ';', 'ø', 'ź', '€']).expect("one"));
            }
            text.push('\n');
        }
        text
    }

    #[test]
    fn a_reader_that_is_dropped_reads_one_block_more_at_most() {
        stress::rounds(|mut round| async move {
            let (size, capacity) = (round.rng.usize(64..5_000), 2);
            let text = match round.rng.bool() {
                true => text(&mut round.rng, 50) + "\n",
                // Two bytes are a whole line's begin, without an end.
                false => "7".repeat(1_000),
            };
            let rng = round.rng.fork();
            let (input, seen) = Input::new(text.into(), End::Repeats, rng);
            let mut blocks = Blocks::read(|| Ok(input), size, capacity);
            let pause = round.choice([Duration::ZERO, MS]);
            let takes = async {
                while let Ok(Some(block)) = blocks.next().await {
                    assert!((1..=size).contains(&block.len()));
                    sleep(pause).await;
                }
            };
            round.cancel(MS * 20, takes).await;
            drop(blocks);
            let before = seen.bytes.load(SeqCst);
            seen.closed_rx.await.expect_err("it is dropped");
            let more = seen.bytes.load(SeqCst) - before;
            // One byte more tells whether a full block is the last line.
            assert!(more <= size + 1, "{more} bytes after the drop");
        });
    }

    /// Calls of `next` are cancelled at random, and nothing is lost.
    #[test]
    fn a_slow_task_gets_each_line_once_and_in_order() {
        stress::rounds(|mut round| async move {
            let text = text(&mut round.rng, 300);
            let (size, capacity) =
                (round.rng.usize(64..300), round.rng.usize(1..4));
            let rng = round.rng.fork();
            let (input, seen) = Input::new(text.clone().into(), End::Ends, rng);
            let mut blocks = Blocks::read(|| Ok(input), size, capacity);
            let (mut found, mut most) = (String::new(), 0);
            loop {
                match round.cancel(MS / 10, blocks.next()).await {
                    Some(Ok(Some(block))) => found += &block,
                    Some(end) => {
                        break assert_eq!(end.expect("no error"), None);
                    }
                    None => {}
                }
                let ahead = seen.bytes.load(SeqCst) - found.len();
                most = most.max(ahead);
            }
            assert_eq!(found, text);
            assert!(most <= (capacity + 2) * size, "{most} bytes ahead");
            assert_eq!(blocks.next().await.expect("no error"), None);
        });
    }

    /// An error and a panic are never taken for the end of the file.
    #[test]
    fn what_precedes_an_error_is_whole_and_the_error_comes() {
        stress::rounds(|mut round| async move {
            let text = text(&mut round.rng, 100);
            let end = round.choice([End::Ends, End::Fails, End::Panics]);
            let size = round.rng.usize(64..300);
            let rng = round.rng.fork();
            let (input, _) = Input::new(text.clone().into(), end, rng);
            let mut blocks = Blocks::read(|| Ok(input), size, 1);
            let mut found = String::new();
            // A call that is cancelled does not take the error with it.
            let error = loop {
                match round.cancel(MS / 10, blocks.next()).await {
                    Some(Ok(Some(block))) => found += &block,
                    Some(Ok(None)) => break None,
                    Some(Err(error)) => break Some(error),
                    None => {}
                }
            };
            assert!(text.starts_with(&found) && found.ends_with('\n'));
            let rest = text.len() - found.len();
            match (end, error) {
                (End::Ends, None) => assert_eq!(rest, 0),
                (End::Fails, Some(ReadError::Io(_))) => assert!(rest <= size),
                (End::Panics, Some(ReadError::Stopped(error))) => {
                    assert!(error.is_panic() && rest <= size);
                }
                (end, error) => panic!("{end:?}: {error:?}"),
            }
        });
    }

    #[test]
    fn many_files_are_read_under_a_limit() {
        stress::rounds(|mut round| async move {
            let limit = Arc::new(Semaphore::new(8));
            let (open, most) = (Arc::default(), Arc::new(AtomicUsize::new(0)));
            let mut imports = JoinSet::new();
            for _ in 0..40 {
                let text = text(&mut round.rng, 50);
                let rng = round.rng.fork();
                let (mut input, _) =
                    Input::new(text.clone().into(), End::Ends, rng);
                input.open = Arc::clone(&open);
                let (limit, most) = (Arc::clone(&limit), Arc::clone(&most));
                imports.spawn(async move {
                    let _permit = limit.acquire().await.expect("open");
                    let open = move || {
                        let open = input.open.fetch_add(1, SeqCst) + 1;
                        most.fetch_max(open, SeqCst);
                        Ok(input)
                    };
                    let mut blocks = Blocks::read(open, 64, 2);
                    let mut found = String::new();
                    while let Some(block) = blocks.next().await.expect("a file")
                    {
                        found += &block;
                    }
                    assert_eq!(found, text);
                });
            }
            imports.join_all().await;
            assert_eq!(open.load(SeqCst), 0, "all are closed");
            assert!((1..=8).contains(&most.load(SeqCst)));
        });
    }
}
