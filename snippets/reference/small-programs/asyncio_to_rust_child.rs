use std::io::ErrorKind;
use std::process::Stdio;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::join;
use tokio::net::unix::pipe::Receiver;
use tokio::process::Command;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    // ANCHOR: communicate
    let mut child = Command::new("cat")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let mut stdin = child.stdin.take().expect("piped");
    let labels = vec![b'-'; 1_000_000]; // more than a pipe holds
    let write = async move { stdin.write_all(&labels).await };
    let (written, output) = join!(write, child.wait_with_output());
    written?;
    assert_eq!(output?.stdout.len(), 1_000_000);
    println!("stdin is written while stdout is read");
    // ANCHOR_END: communicate

    // ANCHOR: wait
    let mut cat = Command::new("cat");
    let mut child = cat.stdin(Stdio::piped()).kill_on_drop(true).spawn()?;
    assert!(child.wait().await?.success(), "`wait` has closed its stdin");
    println!("wait: closes stdin");

    let mut echo = Command::new("echo");
    let output = echo.arg("label").stdout(Stdio::null()).output().await?;
    assert_eq!(output.stdout, b"label\n", "`output` has replaced null");
    println!("output: pipes stdout");
    // ANCHOR_END: wait

    // ANCHOR: stdout
    let (reader, writer) = std::io::pipe()?;
    let mut reader = Receiver::from_owned_fd(reader.into())?;
    let mut printer = Command::new("sh");
    printer.args(["-c", "echo label 7; echo no paper >&2"]);
    printer.stdout(writer.try_clone()?).stderr(writer);
    let mut child = printer.spawn()?;
    assert!(child.wait().await?.success());
    let mut output = [0; 17];
    reader.read_exact(&mut output).await?;
    assert_eq!(&output, b"label 7\nno paper\n");
    let end = reader.try_read(&mut [0]).expect_err("no end yet");
    assert_eq!(end.kind(), ErrorKind::WouldBlock);
    drop(printer); // the `Command` holds the writers
    assert_eq!(reader.read(&mut [0]).await?, 0, "now it ends");
    println!("one pipe: the end comes when the Command is dropped");
    // ANCHOR_END: stdout
    Ok(())
}
