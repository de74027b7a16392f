// ANCHOR: all
use std::io;

use tokio::io::{AsyncRead, AsyncReadExt, repeat};

// ANCHOR: broken
async fn ask(mut stream: impl AsyncRead + Unpin) -> io::Result<String> {
    let mut response = String::new();
    stream.read_to_string(&mut response).await?;
    Ok(response)
}
// ANCHOR_END: broken

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let whole = ask(&b"1250\n"[..]).await?;
    assert_eq!(whole.trim_end().parse(), Ok(1250));

    let cut = ask(&b"12"[..]).await?; // and the connection is closed
    println!("cut: the price is {}", cut.trim_end());
    assert_eq!(cut.trim_end().parse(), Ok(12));

    let error = ask(&b"12\xff\n"[..]).await.expect_err("not UTF-8");
    println!("not UTF-8: {error}: {}", error.kind());
    assert_eq!(error.kind(), io::ErrorKind::InvalidData);

    let endless = repeat(b'0').take(20_000_000);
    let read = ask(endless).await?.len();
    println!("too long: {read} bytes are in memory");
    assert_eq!(read, 20_000_000);
    Ok(())
}
// ANCHOR_END: all
