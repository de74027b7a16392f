// ANCHOR: all
struct Shop {
    bikes: u32,
}

impl Shop {
    fn count(&self) {
        tokio::spawn(async move { self.bikes });
    }
}

#[tokio::main]
async fn main() {
    Shop { bikes: 7 }.count();
}
// ANCHOR_END: all
