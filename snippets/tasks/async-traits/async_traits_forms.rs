// ANCHOR: all
use std::alloc::{GlobalAlloc, Layout, System};
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use anyhow::{Result, bail};
use futures::future::{BoxFuture, FutureExt};

trait Carrier: Send + Sync {
    fn track(&self, id: u32) -> impl Future<Output = Result<String>> + Send;
}

async fn retry<T, F>(attempts: u32, function: impl Fn() -> F) -> Result<T>
where
    F: Future<Output = Result<T>>,
{
    for _ in 1..attempts {
        if let Ok(output) = function().await {
            return Ok(output);
        }
    }
    function().await
}

// ANCHOR: enum
enum AnyCarrier {
    Post(Post),
    Bikes(Bikes),
}

impl Carrier for AnyCarrier {
    async fn track(&self, id: u32) -> Result<String> {
        match self {
            AnyCarrier::Post(carrier) => carrier.track(id).await,
            AnyCarrier::Bikes(carrier) => carrier.track(id).await,
        }
    }
}
// ANCHOR_END: enum

// ANCHOR: dyn
/// As `Carrier`, for `dyn`: the future is in a box.
trait DynCarrier: Send + Sync {
    fn track_boxed(&self, id: u32) -> BoxFuture<'_, Result<String>>;
}

impl<C: Carrier> DynCarrier for C {
    fn track_boxed(&self, id: u32) -> BoxFuture<'_, Result<String>> {
        self.track(id).boxed()
    }
}
// ANCHOR_END: dyn

// ANCHOR: retrying
/// A decorator of carriers: it asks its carrier up to three times.
struct Retrying<C>(C);

impl<C: Carrier> Carrier for Retrying<C> {
    async fn track(&self, id: u32) -> Result<String> {
        retry(3, || self.0.track(id)).await
    }
}
// ANCHOR_END: retrying

// ANCHOR: function
/// A decorator of functions that have one argument.
fn retrying<A, T, F>(
    function: impl Fn(A) -> F + Send + Sync + 'static,
) -> impl Fn(A) -> BoxFuture<'static, Result<T>> + Send + Sync + 'static
where
    A: Clone + Send + Sync + 'static,
    F: Future<Output = Result<T>> + Send + 'static,
    T: Send + 'static,
{
    let function = Arc::new(function);
    move |argument| {
        let function = Arc::clone(&function); // one for each call
        async move { retry(3, || function(argument.clone())).await }.boxed()
    }
}
// ANCHOR_END: function

/// A carrier whose first requests fail.
#[derive(Default)]
struct Post {
    failures: usize,
    requests: AtomicUsize,
}

impl Carrier for Post {
    async fn track(&self, id: u32) -> Result<String> {
        if self.requests.fetch_add(1, Relaxed) < self.failures {
            bail!("503 for parcel {id}");
        }
        Ok(String::new()) // needs no memory
    }
}

struct Bikes;

impl Carrier for Bikes {
    async fn track(&self, id: u32) -> Result<String> {
        bail!("404 for parcel {id}")
    }
}

static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

// SAFETY: all is left to the system's allocator; only the calls are counted.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        unsafe { System.dealloc(memory, layout) }
    }
}

/// How many allocations ten calls take, each.
async fn count<F: Future>(call: impl Fn() -> F) -> usize {
    let before = ALLOCATIONS.load(Relaxed);
    for _ in 0..10 {
        call().await;
    }
    (ALLOCATIONS.load(Relaxed) - before) / 10
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let post = Post::default();
    let generic = count(|| post.track(7)).await;
    println!("generic: {generic} allocations a call");
    assert_eq!(generic, 0);

    let carriers =
        [AnyCarrier::Post(Post::default()), AnyCarrier::Bikes(Bikes)];
    let [post, bikes] = &carriers;
    let in_enum = count(|| post.track(7)).await;
    println!("enum: {in_enum} allocations a call");
    assert_eq!(in_enum, 0);
    let error = bikes.track(7).await.expect_err("it has no parcel");
    assert_eq!(error.to_string(), "404 for parcel 7");

    // ANCHOR: chosen
    let carriers: Vec<Box<dyn DynCarrier>> =
        vec![Box::new(Post::default()), Box::new(Retrying(Bikes))];
    // ANCHOR_END: chosen
    let in_dyn = count(|| carriers[0].track_boxed(7)).await;
    println!("dyn: {in_dyn} allocation a call");
    assert_eq!(in_dyn, 1);
    let error = carriers[1].track_boxed(7).await.expect_err("no parcel");
    assert_eq!(error.to_string(), "404 for parcel 7");

    for (failures, expected) in [(2, 3), (3, 3)] {
        let post = Post { failures, ..Post::default() };
        let retrying = Retrying(post);
        let result = retrying.track(7).await;
        let requests = retrying.0.requests.load(Relaxed);
        println!("carrier, {failures} failures: {requests} requests");
        assert_eq!((result.is_ok(), requests), (failures < 3, expected));

        let post = Arc::new(Post { failures, ..Post::default() });
        let asked = Arc::clone(&post);
        let track = retrying_function(asked);
        let result = tokio::spawn(async move { track(7).await }).await?;
        let requests = post.requests.load(Relaxed);
        println!("function, {failures} failures: {requests} requests");
        assert_eq!((result.is_ok(), requests), (failures < 3, expected));
    }
    Ok(())
}

fn retrying_function(
    post: Arc<Post>,
) -> impl Fn(u32) -> BoxFuture<'static, Result<String>> {
    retrying(move |id| {
        let post = Arc::clone(&post);
        async move { post.track(id).await }
    })
}
// ANCHOR_END: all
