// ANCHOR: all
use std::future::{IntoFuture, Ready, ready};

// ANCHOR: must_use
#[must_use = "a label is printed when you `.await` it"]
struct Label {
    copies: u32,
}
// ANCHOR_END: must_use

impl IntoFuture for Label {
    type Output = u32;
    type IntoFuture = Ready<u32>;

    fn into_future(self) -> Ready<u32> {
        ready(self.copies)
    }
}

fn label(copies: u32) -> Label {
    Label { copies }
}

// ANCHOR: main
#[tokio::main]
async fn main() {
    label(2);
}
// ANCHOR_END: main
// ANCHOR_END: all
