// ANCHOR: all
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

const MINUTE: Duration = Duration::from_secs(60);

#[derive(Clone, Copy, Debug, PartialEq)]
struct Bid {
    price: u32,
    bidder: &'static str,
}

/// One line to all the clients.
#[derive(Default)]
struct Telephone {
    calls: u32,
}

impl Telephone {
    /// By how much the client raises the price.
    async fn ask(&mut self, _client: &str) -> u32 {
        self.calls += 1;
        sleep(MINUTE).await;
        10
    }
}

// ANCHOR: shared
struct Auction {
    /// std's: nobody awaits with this one in hand.
    best: Mutex<Bid>,
    /// tokio's: held for as long as somebody talks.
    telephone: tokio::sync::Mutex<Telephone>,
}
// ANCHOR_END: shared

impl Auction {
    // ANCHOR: raise
    /// Looks and writes under one guard, and gives away a copy.
    fn raise_by(&self, amount: u32, bidder: &'static str) -> Bid {
        let mut best = self.best.lock().expect("never poisoned");
        *best = Bid { price: best.price + amount, bidder };
        *best
    }
    // ANCHOR_END: raise
}

// ANCHOR: agent
async fn agent(auction: Arc<Auction>, client: &'static str) -> Bid {
    let amount = {
        let mut telephone = auction.telephone.lock().await;
        telephone.ask(client).await
    };
    auction.raise_by(amount, client)
}
// ANCHOR_END: agent

async fn room(auction: Arc<Auction>) -> Bid {
    sleep(MINUTE * 3 / 2).await;
    auction.raise_by(25, "the room")
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    let auction = Arc::new(Auction {
        best: Mutex::new(Bid { price: 100, bidder: "nobody" }),
        telephone: tokio::sync::Mutex::default(),
    });
    let start = Instant::now();
    // ANCHOR: sale
    let mut sale = JoinSet::new();
    for client in ["Ada", "Ben", "Cem"] {
        sale.spawn(agent(Arc::clone(&auction), client));
    }
    sale.spawn(room(Arc::clone(&auction)));
    // ANCHOR_END: sale
    while let Some(bid) = sale.join_next().await {
        let Bid { price, bidder } = bid?;
        println!("{:?}: {price}, {bidder}", start.elapsed());
    }
    let sold = *auction.best.lock().expect("never poisoned");
    assert_eq!(sold, Bid { price: 155, bidder: "Cem" });
    assert_eq!(auction.telephone.lock().await.calls, 3);
    assert_eq!(start.elapsed(), 3 * MINUTE);
    Ok(())
}
// ANCHOR_END: all
