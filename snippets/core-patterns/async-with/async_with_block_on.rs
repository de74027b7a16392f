// ANCHOR: all
use tokio::runtime::Handle;
use tokio::task::yield_now;

struct Till;

impl Drop for Till {
    fn drop(&mut self) {
        // Broken: this thread is busy driving the runtime.
        Handle::current().block_on(yield_now());
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let cashier = tokio::spawn(async { drop(Till) });
    let panic = cashier.await.unwrap_err().into_panic();
    let message = panic.downcast_ref::<&str>().expect("a literal");
    let first = message.split('.').next().expect("there is a first");
    println!("{first}");
    assert_eq!(first, "Cannot start a runtime from within a runtime");
    Ok(())
}
// ANCHOR_END: all
