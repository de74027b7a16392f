// ANCHOR: all
use tokio::runtime::Handle;
use tokio::task::yield_now;

struct Session;

impl Session {
    async fn close(&mut self) {
        yield_now().await;
    }
}

// ANCHOR: broken
impl Drop for Session {
    fn drop(&mut self) {
        Handle::current().block_on(self.close());
    }
}
// ANCHOR_END: broken

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let task = tokio::spawn(async { drop(Session) });
    let panic = task.await.expect_err("a panic").into_panic();
    let message = panic.downcast_ref::<&str>().expect("a literal");
    let first = message.split('.').next().expect("there is a first");
    println!("{first}");
    assert_eq!(first, "Cannot start a runtime from within a runtime");
    Ok(())
}
// ANCHOR_END: all
