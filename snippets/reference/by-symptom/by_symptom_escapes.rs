// ANCHOR: all
struct Depot {
    parcels: u32,
}

impl Depot {
    fn count(&self) {
        tokio::spawn(async move { self.parcels });
    }
}

#[tokio::main]
async fn main() {
    Depot { parcels: 7 }.count();
}
// ANCHOR_END: all
