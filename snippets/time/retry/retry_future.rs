// ANCHOR: all
async fn call() -> Result<&'static str, &'static str> {
    Err("engaged")
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let attempt = call();
    for _ in 0..3 {
        if attempt.await.is_ok() {
            break;
        }
    }
}
// ANCHOR_END: all
