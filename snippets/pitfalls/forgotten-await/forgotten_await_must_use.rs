// ANCHOR: all
use std::future::{IntoFuture, Ready, ready};

#[must_use = "a receipt is sent when you `.await` it"]
struct Receipt {
    copies: u32,
}

impl IntoFuture for Receipt {
    type Output = u32;
    type IntoFuture = Ready<u32>;

    fn into_future(self) -> Ready<u32> {
        ready(self.copies)
    }
}

fn receipt(copies: u32) -> Receipt {
    Receipt { copies }
}

#[tokio::main]
async fn main() {
    receipt(2);
}
// ANCHOR_END: all
