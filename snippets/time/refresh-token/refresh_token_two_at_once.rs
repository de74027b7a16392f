// ANCHOR: all
struct Office {
    voucher: u32,
}

impl Office {
    async fn stamp(&mut self) -> u32 {
        self.voucher += 1;
        self.voucher
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut office = Office { voucher: 1 };
    let both = tokio::join!(office.stamp(), office.stamp());
    println!("{both:?}");
}
// ANCHOR_END: all
