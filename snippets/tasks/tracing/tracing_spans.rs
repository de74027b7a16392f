// ANCHOR: all
use std::future::Future;
use std::io;
use std::mem;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Result, anyhow};
use tokio::task::spawn_blocking;
use tokio::time::sleep;
use tracing::subscriber::{set_default, set_global_default};
use tracing::{Instrument, Level, Span, Subscriber};
use tracing::{error_span, info, info_span, instrument, warn};

const SECOND: Duration = Duration::from_secs(1);

// ANCHOR: broken_enter
async fn entered(id: u32, work: impl Future) {
    let span = error_span!("request", id);
    let _guard = span.enter();
    work.await;
    info!("done for {id}");
}
// ANCHOR_END: broken_enter

// ANCHOR: fixed_enter
async fn instrumented(id: u32, work: impl Future) {
    let request = async {
        work.await;
        info!("done for {id}");
    };
    request.instrument(error_span!("request", id)).await;
}
// ANCHOR_END: fixed_enter

async fn track() {
    info!("tracked");
}

fn render() {
    info!("rendered");
}

async fn not_inherited() -> Result<()> {
    // ANCHOR: broken_spawn
    tokio::spawn(track()).await?;
    spawn_blocking(render).await?;
    // ANCHOR_END: broken_spawn
    Ok(())
}

async fn inherited() -> Result<()> {
    // ANCHOR: fixed_spawn
    tokio::spawn(track().in_current_span()).await?;
    let span = Span::current();
    spawn_blocking(move || span.in_scope(render)).await?;
    // ANCHOR_END: fixed_spawn
    Ok(())
}

// ANCHOR: broken_secret
#[instrument]
async fn status(parcel: u32, api_key: &str) -> Result<()> {
    // ANCHOR_END: broken_secret
    _ = (parcel, api_key);
    info!("the carrier is asked");
    Ok(())
}

// ANCHOR: fixed_secret
#[instrument(skip_all, fields(parcel = parcel), err)]
async fn events(parcel: u32, api_key: &str) -> Result<()> {
    // ANCHOR_END: fixed_secret
    _ = (parcel, api_key);
    info!("the carrier is asked");
    Err(anyhow!("404 Not Found").context("carrier"))
}

fn fields() {
    let (parcel, city) = (7, "Bergen");
    let error = anyhow!("404").context("carrier");
    // ANCHOR: fields
    info!(parcel, city, "a number and a text");
    info!(?city, %error, "Debug and Display");
    warn!(error = format!("{error:#}"), "with its cause");
    // ANCHOR_END: fields
}

/// Keeps what is written to it.
#[derive(Clone, Default)]
struct Output(Arc<Mutex<Vec<u8>>>);

impl io::Write for Output {
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
    fn take(&self) -> Vec<String> {
        let mut output = self.0.lock().expect("no holder panics");
        let text = String::from_utf8(mem::take(&mut output)).expect("text");
        text.lines().map(|line| line.trim().to_owned()).collect()
    }

    /// Where the lines go to.
    fn subscriber(&self, level: Level) -> impl Subscriber + Send + Sync {
        let output = self.clone();
        tracing_subscriber::fmt()
            .without_time()
            .with_target(false)
            .with_ansi(false)
            .with_max_level(level)
            .with_writer(move || output.clone())
            .finish()
    }
}

// ANCHOR: capture
/// What this thread logs while it polls `work`.
async fn capture(level: Level, work: impl Future) -> Vec<String> {
    let output = Output::default();
    let guard = set_default(output.subscriber(level));
    work.await;
    drop(guard);
    output.take()
}
// ANCHOR_END: capture

fn check(case: &str, lines: Vec<String>, expected: &[&str]) {
    println!("{case}:\n  {}", lines.join("\n  "));
    assert_eq!(lines, expected);
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> Result<()> {
    let output = Output::default();
    set_global_default(output.subscriber(Level::INFO))?;
    let request = || error_span!("request", id = 7);

    let seven = tokio::spawn(entered(7, sleep(2 * SECOND)));
    let eight = tokio::spawn(entered(8, sleep(SECOND)));
    tokio::try_join!(seven, eight)?;
    let expected = [
        "INFO request{id=7}:request{id=8}: done for 8",
        "INFO request{id=7}: done for 7",
    ];
    check("entered", output.take(), &expected);
    let seven = tokio::spawn(instrumented(7, sleep(2 * SECOND)));
    let eight = tokio::spawn(instrumented(8, sleep(SECOND)));
    tokio::try_join!(seven, eight)?;
    let expected =
        ["INFO request{id=8}: done for 8", "INFO request{id=7}: done for 7"];
    check("instrumented", output.take(), &expected);

    not_inherited().instrument(request()).await?;
    check("not inherited", output.take(), &["INFO tracked", "INFO rendered"]);
    inherited().instrument(request()).await?;
    let expected =
        ["INFO request{id=7}: tracked", "INFO request{id=7}: rendered"];
    check("inherited", output.take(), &expected);

    status(7, "secret").await?;
    let expected =
        ["INFO status{parcel=7 api_key=\"secret\"}: the carrier is asked"];
    check("each argument", output.take(), &expected);
    events(7, "secret").await.expect_err("404");
    let expected = [
        "INFO events{parcel=7}: the carrier is asked",
        "ERROR events{parcel=7}: error=carrier",
    ];
    check("one field, err", output.take(), &expected);
    fields();
    let expected = [
        "INFO a number and a text parcel=7 city=\"Bergen\"",
        "INFO Debug and Display city=\"Bergen\" error=carrier",
        "WARN with its cause error=\"carrier: 404\"",
    ];
    check("fields", output.take(), &expected);

    let work = async {
        info_span!("request", id = 7).in_scope(|| warn!("slow"));
        error_span!("request", id = 7).in_scope(|| warn!("slow"));
    };
    let expected = ["WARN slow", "WARN request{id=7}: slow"];
    check("at WARN", capture(Level::WARN, work).await, &expected);

    let work = async {
        info!("on this thread");
        spawn_blocking(render).await.expect("no panic");
    };
    let captured = capture(Level::INFO, work).await;
    check("captured", captured, &["INFO on this thread"]);
    check("not captured", output.take(), &["INFO rendered"]);
    Ok(())
}
// ANCHOR_END: all
