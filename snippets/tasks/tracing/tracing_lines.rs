// ANCHOR: all
use std::io::{self, Write};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;

use anyhow::Result;
use tracing::info;
use tracing::subscriber::with_default;
use tracing_appender::non_blocking::{NonBlocking, NonBlockingBuilder};
use tracing_subscriber::fmt::MakeWriter;

/// Keeps what is written to it.
#[derive(Clone, Default)]
struct Output(Arc<Mutex<Vec<u8>>>);

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut output = self.0.lock().expect("no holder panics");
        output.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Output {
    fn lines(&self) -> usize {
        let output = self.0.lock().expect("no holder panics");
        output.iter().filter(|byte| **byte == b'\n').count()
    }
}

/// Says when a line is written, and writes it when it is told to.
struct Slow {
    begun: Sender<()>,
    go_on: Receiver<()>,
    output: Output,
}

impl Write for Slow {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        _ = self.begun.send(());
        _ = self.go_on.recv(); // an error when its sender is dropped
        self.output.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn log<W>(writer: W, lines: u32)
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let log = tracing_subscriber::fmt().without_time().with_writer(writer);
    with_default(log.finish(), || {
        for line in 0..lines {
            info!(line);
        }
    });
}

fn main() -> Result<()> {
    let new = || {
        let (begun_tx, begun) = channel();
        let (go_on_tx, go_on) = channel();
        let output = Output::default();
        let slow = Slow { begun: begun_tx, go_on, output: output.clone() };
        (slow, begun, go_on_tx, output)
    };

    let (slow, begun, go_on_tx, output) = new();
    let thread = thread::spawn(|| log(Mutex::new(slow), 1));
    begun.recv()?;
    println!(
        "without a thread: `info!` has returned: {}",
        thread.is_finished()
    );
    assert!(!thread.is_finished());
    drop(go_on_tx);
    thread.join().expect("no panic");
    assert_eq!(output.lines(), 1);

    let (slow, begun, go_on_tx, output) = new();
    let builder = NonBlockingBuilder::default().buffered_lines_limit(2);
    let (writer, guard) = builder.finish(slow);
    let counter = writer.error_counter();
    log(writer.clone(), 1);
    begun.recv()?; // the thread writes the first line
    log(writer, 9);
    drop(go_on_tx);
    while output.lines() < 3 {
        thread::yield_now();
    }
    drop(guard);
    let (lines, dropped) = (output.lines(), counter.dropped_lines());
    println!("a limit of 2 lines: {lines} written, {dropped} dropped");
    assert_eq!((lines, dropped), (3, 7));

    let output = Output::default();
    let to = output.clone();
    // ANCHOR: broken
    let (writer, _) = NonBlocking::new(to);
    // ANCHOR_END: broken
    log(writer, 10);
    println!("`_`: {} of 10 lines", output.lines());
    assert_eq!(output.lines(), 0);

    let output = Output::default();
    let to = output.clone();
    // ANCHOR: fixed
    let (writer, guard) = NonBlocking::new(to);
    // ANCHOR_END: fixed
    log(writer, 10);
    drop(guard); // as at the end of `main`
    println!("`_guard`: {} of 10 lines", output.lines());
    assert_eq!(output.lines(), 10);
    Ok(())
}
// ANCHOR_END: all
