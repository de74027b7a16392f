// ANCHOR: all
// ANCHOR: keep
use std::future::Future;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

/// The time limit of one quote.
const QUOTE: Duration = Duration::from_secs(4);
/// A purchase begins only if so much time is left.
const PURCHASE: Duration = Duration::from_secs(3);

// ANCHOR: error
/// Why there is no label.
#[derive(Debug, thiserror::Error)]
enum BuyError {
    #[error("it is too late, and nothing was bought")]
    Late,
    #[error("no carrier has a price: {0:?}")]
    NoQuote(Vec<String>),
    #[error("there was no answer: the label may have been bought")]
    Unknown,
    #[error(transparent)]
    Failed(#[from] anyhow::Error),
}
// ANCHOR_END: error

trait Carrier {
    async fn quote(&self, city: &str) -> anyhow::Result<u32>;
    async fn buy(&self, cents: u32) -> anyhow::Result<String>;
}

/// Buys a label from the first carrier with a price, before the deadline.
async fn buy_label(
    find_city: impl Future<Output = anyhow::Result<String>>,
    carriers: &[impl Carrier],
    deadline: Instant,
) -> Result<String, BuyError> {
    // ANCHOR: must
    let now = Instant::now();
    let left = deadline.duration_since(now); // zero if it is over
    let left = left.checked_sub(PURCHASE).ok_or(BuyError::Late)?;
    let latest = now + left; // the last moment to begin a purchase
    let city = timeout_at(latest, find_city).await;
    let city = city.map_err(|_| BuyError::Late)??;
    // ANCHOR_END: must
    // ANCHOR: each
    let mut errors = Vec::new();
    for carrier in carriers {
        let now = Instant::now();
        let limit = latest.min(now + QUOTE);
        if now >= latest {
            errors.push("no time is left".to_owned());
            break;
        }
        match timeout_at(limit, carrier.quote(&city)).await {
            Ok(Ok(cents)) if Instant::now() <= latest => {
                return purchase(carrier, cents, deadline).await;
            }
            Ok(Err(error)) => errors.push(format!("{error:#}")),
            _ => errors.push("no quote in time".to_owned()),
        }
    }
    Err(BuyError::NoQuote(errors))
    // ANCHOR_END: each
}

// ANCHOR: last
async fn purchase(
    carrier: &impl Carrier,
    cents: u32,
    deadline: Instant,
) -> Result<String, BuyError> {
    let bought = timeout_at(deadline, carrier.buy(cents)).await;
    Ok(bought.map_err(|_| BuyError::Unknown)??)
}
// ANCHOR_END: last
// ANCHOR_END: keep

// Carriers that are slow, fail or are silent, and what must come of it.
use std::future::pending;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use anyhow::bail;
use tokio::time::{advance, sleep, timeout};

const SECOND: Duration = Duration::from_secs(1);

/// How a call ends.
#[derive(Clone, Copy)]
enum Call {
    After(u32), // so many seconds
    Fails,
    Silent,
    Blocks, // the clock goes on, and the timeout is late
}
use Call::{After, Blocks, Fails, Silent};

impl Call {
    async fn make(self) -> anyhow::Result<()> {
        match self {
            After(seconds) => sleep(seconds * SECOND).await,
            Fails => bail!("503 Service Unavailable"),
            Silent => pending().await,
            Blocks => advance(20 * SECOND).await,
        }
        Ok(())
    }
}

async fn find_city(call: Call) -> anyhow::Result<String> {
    call.make().await?;
    Ok("Bergen".to_owned())
}

struct Fake {
    quote: Call,
    buy: Call,
    sold: AtomicU32,
}

impl Fake {
    fn new(quote: Call, buy: Call) -> Self {
        Fake { quote, buy, sold: AtomicU32::new(0) }
    }
}

impl Carrier for Fake {
    async fn quote(&self, _city: &str) -> anyhow::Result<u32> {
        self.quote.make().await?;
        Ok(700)
    }

    async fn buy(&self, cents: u32) -> anyhow::Result<String> {
        if !matches!(self.buy, Fails) {
            self.sold.fetch_add(1, Relaxed); // its answer comes later
        }
        self.buy.make().await?;
        Ok(format!("a label for {cents} cents"))
    }
}

async fn called() -> Result<String, BuyError> {
    let carriers = [Fake::new(After(1), After(1))];
    let call = || find_city(After(1));
    // ANCHOR: call
    // Where the request comes in:
    let deadline = Instant::now() + Duration::from_secs(15);

    let label = buy_label(call(), &carriers, deadline).await?;
    // ANCHOR_END: call
    Ok(label)
}

/// The case, the calls, the seconds, how it ends, the labels that are sold.
type Case = (&'static str, Call, [Call; 2], Call, u32, &'static str, u32);

const CASES: [Case; 13] = [
    ("all answer", After(1), [After(1), Fails], After(1), 3, "bought", 1),
    ("a quote fails", After(1), [Fails, After(1)], After(1), 3, "bought", 1),
    (
        "a quote is silent",
        After(3),
        [Silent, After(1)],
        After(1),
        9,
        "bought",
        1,
    ),
    (
        "in the last moment",
        After(7),
        [Silent, After(1)],
        After(3),
        15,
        "bought",
        1,
    ),
    ("no quote", After(3), [Silent, Fails], After(1), 7, "NoQuote", 0),
    (
        "quotes are silent",
        After(6),
        [Silent, Silent],
        After(1),
        12,
        "NoQuote",
        0,
    ),
    (
        "the second not asked",
        After(9),
        [Silent, After(1)],
        After(1),
        12,
        "NoQuote",
        0,
    ),
    (
        "a quote blocks",
        After(1),
        [Blocks, After(1)],
        After(1),
        21,
        "NoQuote",
        0,
    ),
    ("no city", Silent, [After(1), Fails], After(1), 12, "Late", 0),
    ("the city fails", Fails, [After(1), Fails], After(1), 0, "Failed", 0),
    ("a late city", After(12), [After(1), Fails], After(1), 12, "NoQuote", 0),
    ("the purchase fails", After(1), [After(1), Fails], Fails, 2, "Failed", 0),
    (
        "the purchase is silent",
        After(1),
        [After(1), Fails],
        Silent,
        15,
        "Unknown",
        1,
    ),
];

async fn cases() {
    for (case, city, quotes, buy, seconds, expected, sold) in CASES {
        let carriers = quotes.map(|quote| Fake::new(quote, buy));
        let start = Instant::now();
        let deadline = start + 15 * SECOND;
        let end = buy_label(find_city(city), &carriers, deadline).await;
        let took = start.elapsed().as_secs();
        let kind = match &end {
            Ok(_) => "bought",
            Err(BuyError::Late) => "Late",
            Err(BuyError::NoQuote(_)) => "NoQuote",
            Err(BuyError::Unknown) => "Unknown",
            Err(BuyError::Failed(_)) => "Failed",
        };
        let text = end.unwrap_or_else(|error| error.to_string());
        println!("{case}, {took} s: {text}");
        assert_eq!((kind, took), (expected, u64::from(seconds)), "{case}");
        let all: u32 = carriers.iter().map(|it| it.sold.load(Relaxed)).sum();
        assert_eq!(all, sold, "{case}");
        let expected = match case {
            "no quote" => r#"["no quote in time", "503 Service Unavailable"]"#,
            "quotes are silent" => {
                r#"["no quote in time", "no quote in time"]"#
            }
            "the second not asked" => {
                r#"["no quote in time", "no time is left"]"#
            }
            "a quote blocks" => r#"["no quote in time", "no time is left"]"#,
            "a late city" => r#"["no time is left"]"#,
            "the city fails" | "the purchase fails" => "503",
            _ => "",
        };
        assert!(text.contains(expected), "{case}: {text}");
    }
}

/// A deadline that is too near, and one that is over.
async fn no_time() {
    for (case, deadline) in [
        ("too near", Instant::now() + PURCHASE - Duration::from_millis(1)),
        ("over", Instant::now()),
    ] {
        sleep(Duration::from_millis(1)).await;
        let carriers = [Fake::new(After(0), After(0))];
        let city = async { panic!("it is not asked for") };
        let end = buy_label(city, &carriers, deadline).await;
        assert!(matches!(end, Err(BuyError::Late)), "{case}");
        println!("{case}: nothing is begun");
    }
}

/// The caller gives up before the purchase, and in the middle of it.
async fn cancelled() {
    for (seconds, sold) in [(1, 0), (3, 1)] {
        let carriers = [Fake::new(After(2), After(2))];
        let deadline = Instant::now() + 15 * SECOND;
        let call = buy_label(find_city(After(0)), &carriers, deadline);
        let limit = seconds * SECOND;
        assert!(timeout(limit, call).await.is_err());
        println!("cancelled after {seconds} s: {sold} sold");
        assert_eq!(carriers[0].sold.load(Relaxed), sold);
    }
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    let label = tokio::spawn(called()).await??;
    println!("called: {label}");
    cases().await;
    no_time().await;
    cancelled().await;
    Ok(())
}
// ANCHOR_END: all
