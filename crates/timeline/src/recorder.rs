//! Appended to a program whose run is to be drawn: notes which future starts,
//! waits, is woken, ends, and when, and prints it all when `main` has ended.
//!
//! A line an event: a letter, the time in nanoseconds of the runtime's clock,
//! and what the event has to say, between tabs.

use std::cell::RefCell;
use std::fmt::{Display, Write as _};
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

static LOG: Mutex<Log> = Mutex::new(Log {
    text: String::new(),
    start: None,
    now: 0,
    waits: 0,
    suspended: Vec::new(),
});

struct Log {
    text: String,
    start: Option<tokio::time::Instant>,
    now: u128,
    waits: usize,
    /// By lane: whether its last poll found something to wait for.
    suspended: Vec<bool>,
}

thread_local! {
    /// The waits that are being polled, the innermost last.
    static POLLED: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
}

fn log() -> MutexGuard<'static, Log> {
    LOG.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Log {
    fn note(&mut self, event: char, said: impl Display) {
        // Outside of the runtime there is no paused clock, and time stands.
        if tokio::runtime::Handle::try_current().is_ok() {
            let now = tokio::time::Instant::now();
            let start = *self.start.get_or_insert(now);
            self.now = now.duration_since(start).as_nanos();
        }
        let _ = writeln!(self.text, "{event}\t{}\t{said}", self.now);
    }
}

/// What has been noted, behind a mark that no program prints.
pub fn print() {
    print!("\u{1}{}", log().text);
}

/// The run enters, or leaves, the part that is drawn.
pub fn part(enters: bool) {
    log().note(if enters { 'B' } else { 'Z' }, "");
}

/// Something that a lane does in passing.
pub fn mark(lane: usize, what: &str) {
    log().note('M', format_args!("{lane}\t{what}"));
}

/// An async function, block or closure while it runs.
pub struct Lane(pub usize);

pub fn lane(name: &str, arguments: &[String]) -> Lane {
    let arguments = arguments.iter().filter(|text| !text.is_empty());
    let arguments: Vec<_> = arguments.map(String::as_str).collect();
    let arguments = arguments.join(", ");
    let parent = POLLED.with_borrow(|waits| waits.last().copied());
    let parent = parent.map_or("-".into(), |wait| wait.to_string());
    let mut log = log();
    let lane = log.suspended.len();
    log.suspended.push(false);
    log.note('L', format_args!("{lane}\t{parent}\t{name}\t{arguments}"));
    Lane(lane)
}

impl Drop for Lane {
    fn drop(&mut self) {
        let mut log = log();
        let how = if log.suspended[self.0] {
            "cancelled"
        } else if std::thread::panicking() {
            "panicked"
        } else {
            "done"
        };
        log.note('E', format_args!("{}\t{how}", self.0));
    }
}

/// An await, or a branch of a macro that awaits several.
pub struct Wait<F> {
    future: Pin<Box<F>>,
    lane: usize,
    text: &'static str,
    branch: bool,
    id: Option<usize>,
    done: bool,
}

pub fn wait<F: IntoFuture>(
    lane: usize,
    text: &'static str,
    branch: bool,
    future: F,
) -> Wait<F::IntoFuture> {
    let future = Box::pin(future.into_future());
    Wait { future, lane, text, branch, id: None, done: false }
}

impl<F: Future> Future for Wait<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.get_mut();
        let id = {
            let mut log = log();
            let id = this.id.unwrap_or_else(|| {
                let id = log.waits;
                log.waits += 1;
                let (lane, text, branch) = (this.lane, this.text, this.branch);
                log.note('W', format_args!("{id}\t{lane}\t{branch}\t{text}"));
                id
            });
            this.id = Some(id);
            log.suspended[this.lane] = false;
            log.note('P', id);
            id
        };
        let waker =
            Waker::from(Arc::new(Note { id, inner: cx.waker().clone() }));
        POLLED.with_borrow_mut(|waits| waits.push(id));
        let _polled = Polled;
        let polled =
            this.future.as_mut().poll(&mut Context::from_waker(&waker));
        let mut log = log();
        log.suspended[this.lane] = polled.is_pending();
        if polled.is_ready() {
            this.done = true;
            log.note('R', id);
        }
        polled
    }
}

impl<F> Drop for Wait<F> {
    fn drop(&mut self) {
        if let (Some(id), false) = (self.id, self.done) {
            log().note('X', id);
        }
    }
}

/// Ends with the poll, also when that panics.
struct Polled;

impl Drop for Polled {
    fn drop(&mut self) {
        POLLED.with_borrow_mut(|waits| waits.pop());
    }
}

struct Note {
    id: usize,
    inner: Waker,
}

impl Wake for Note {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        log().note('K', self.id);
        self.inner.wake_by_ref();
    }
}

/// An argument, for the name of a lane: shown if it is a plain value.
pub struct Argument<'a, T: ?Sized>(pub &'a T);

pub trait Plain {
    fn text(&self) -> String;
}

pub trait Other {
    fn text(&self) -> String {
        String::new()
    }
}

impl<T: ?Sized> Other for &Argument<'_, T> {}

macro_rules! plain {
    ($($kind:ty)*) => {
        $(impl Plain for Argument<'_, $kind> {
            fn text(&self) -> String {
                format!("{:?}", self.0)
            }
        })*
    };
}

plain!(bool char i32 i64 u8 u16 u32 u64 usize str &str String std::time::Duration);
