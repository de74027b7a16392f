// ANCHOR: all
// ANCHOR: keep
use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

// ANCHOR: reply
/// A value that arrives later, for one task that waits for it.
struct Reply<T>(Mutex<(Option<T>, Option<Waker>)>);

impl<T> Reply<T> {
    fn new() -> Arc<Self> {
        Arc::new(Reply(Mutex::new((None, None))))
    }

    fn send(&self, value: T) {
        let waker = {
            let mut state = self.0.lock().expect("no holder panics");
            state.0 = Some(value);
            state.1.take()
        }; // unlocked before the task is woken
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    async fn receive(&self) -> T {
        poll_fn(|cx| {
            let mut state = self.0.lock().expect("no holder panics");
            if let Some(value) = state.0.take() {
                return Poll::Ready(value);
            }
            state.1 = Some(cx.waker().clone()); // that of the last poll
            Poll::Pending
        })
        .await
    }
}
// ANCHOR_END: reply

// ANCHOR: wake
/// Puts the number of a task into the queue of its executor.
struct ToQueue(usize, Sender<usize>);

impl Wake for ToQueue {
    fn wake(self: Arc<Self>) {
        let _ended = self.1.send(self.0); // an error: `run` has returned
    }
}
// ANCHOR_END: wake

// ANCHOR: run
/// An executor: runs all futures, and returns their outputs.
fn run<F: Future>(futures: Vec<F>) -> Vec<F::Output> {
    let (ready_tx, ready_rx) = channel();
    let (mut tasks, mut outputs) = (BTreeMap::new(), BTreeMap::new());
    for (number, future) in futures.into_iter().enumerate() {
        let to_queue = Arc::new(ToQueue(number, ready_tx.clone()));
        Arc::clone(&to_queue).wake(); // each is polled once by itself
        tasks.insert(number, (Box::pin(future), Waker::from(to_queue)));
    }
    while !tasks.is_empty() {
        // Sleeps until a task is woken.
        let number = ready_rx.recv().expect("ready_tx is not dropped");
        let Some((future, waker)) = tasks.get_mut(&number) else { continue };
        let poll = future.as_mut().poll(&mut Context::from_waker(waker));
        if let Poll::Ready(output) = poll {
            outputs.insert(number, output);
            tasks.remove(&number);
        }
    }
    outputs.into_values().collect()
}
// ANCHOR_END: run
// ANCHOR_END: keep

// What must come of it, with this executor and with tokio's.
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;

use tokio::task::{JoinSet, LocalSet};

type Events = Rc<RefCell<Vec<&'static str>>>;
type Local = Pin<Box<dyn Future<Output = u32>>>;

/// The events of two futures, one of which sends a value to the other.
fn two(events: &Events) -> Vec<Local> {
    let reply = Reply::new();
    let (mine, its) = (Rc::clone(events), Rc::clone(events));
    let sender = Arc::clone(&reply);
    let receives = async move {
        mine.borrow_mut().push("A begins");
        let price = reply.receive().await;
        mine.borrow_mut().push("A goes on");
        price
    };
    let sends = async move {
        its.borrow_mut().push("B sends");
        sender.send(1250);
        its.borrow_mut().push("B ends");
        0
    };
    vec![Box::pin(receives), Box::pin(sends)]
}

/// The same by tokio, on one thread.
async fn run_by_tokio(futures: Vec<Local>) -> Vec<u32> {
    let local = LocalSet::new();
    let mut tasks = Vec::new();
    for future in futures {
        tasks.push(local.spawn_local(future));
    }
    let outputs = local.run_until(async {
        let mut outputs = Vec::new();
        for task in tasks {
            outputs.push(task.await.expect("no panic"));
        }
        outputs
    });
    outputs.await
}

/// Tells when it is dropped.
struct Guard(Events);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.borrow_mut().push("its guard is dropped");
    }
}

async fn waits(events: Events, reply: Arc<Reply<u32>>) -> u32 {
    let _guard = Guard(Rc::clone(&events));
    events.borrow_mut().push("it waits");
    let price = reply.receive().await;
    events.borrow_mut().push("it goes on");
    price
}

struct Ignore;

impl Wake for Ignore {
    fn wake(self: Arc<Self>) {}
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    // ANCHOR: call
    let reply = Reply::new();
    let sender = Arc::clone(&reply);
    let thread = thread::spawn(move || sender.send(1250));
    let prices = run(vec![async { reply.receive().await + 99 }]);
    // ANCHOR_END: call
    thread.join().expect("no panic");
    println!("a thread sends: {prices:?}");
    assert_eq!(prices, [1349]);

    let events = Events::default();
    assert_eq!(run(two(&events)), [1250, 0]);
    println!("two tasks: {}", events.borrow().join(", "));
    let order = ["A begins", "B sends", "B ends", "A goes on"];
    assert_eq!(*events.borrow(), order);
    let by_tokio = Events::default();
    assert_eq!(run_by_tokio(two(&by_tokio)).await, [1250, 0]);
    assert_eq!(*by_tokio.borrow(), order, "as by tokio");

    // A counts how often it is polled, while a thread takes its time.
    let polls = Arc::new(AtomicUsize::new(0));
    let (reply, first) = (Reply::new(), Arc::new(Reply::new()));
    let (sender, polled) = (Arc::clone(&reply), Arc::clone(&polls));
    let begun = Arc::clone(&first);
    let thread = thread::spawn(move || {
        run(vec![begun.receive()]);
        sender.send(7);
    });
    let mut receive = Box::pin(async move { reply.receive().await });
    let counted = poll_fn(move |cx| {
        let poll = receive.as_mut().poll(cx);
        if polled.fetch_add(1, Relaxed) == 0 {
            first.send(());
        }
        poll
    });
    assert_eq!(run(vec![counted]), [7]);
    thread.join().expect("no panic");
    println!("polled: {} times", polls.load(Relaxed));
    assert_eq!(polls.load(Relaxed), 2);

    let events = Events::default();
    let reply = Reply::new();
    let mut future = pin!(Some(waits(Rc::clone(&events), Arc::clone(&reply))));
    println!("not polled: {:?}", events.borrow());
    assert!(events.borrow().is_empty());
    let waker = Waker::from(Arc::new(Ignore));
    let poll = future.as_mut().as_pin_mut().expect("a future");
    assert!(poll.poll(&mut Context::from_waker(&waker)).is_pending());
    future.set(None);
    reply.send(1250);
    println!("dropped: {}", events.borrow().join(", "));
    assert_eq!(*events.borrow(), ["it waits", "its guard is dropped"]);

    // A panic ends `run`. In tokio it ends its task.
    let events = Events::default();
    let panics: Local = Box::pin(async { panic!("no price") });
    let other: Local = Box::pin(waits(Rc::clone(&events), Reply::new()));
    let result = catch_unwind(AssertUnwindSafe(|| run(vec![other, panics])));
    assert!(result.is_err());
    println!("a panic: {}", events.borrow().join(", "));
    assert_eq!(*events.borrow(), ["it waits", "its guard is dropped"]);
    let mut group = JoinSet::new();
    group.spawn(async { panic!("no price") });
    group.spawn(async {});
    let ends = [group.join_next().await, group.join_next().await];
    let panics = ends.iter().flatten().filter(|end| end.is_err()).count();
    assert_eq!(panics, 1);
}
// ANCHOR_END: all
