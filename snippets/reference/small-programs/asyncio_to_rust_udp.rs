use tokio::net::UdpSocket;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    // ANCHOR: udp
    let server = UdpSocket::bind("127.0.0.1:0").await?;
    let address = server.local_addr()?;
    let socket = UdpSocket::bind("127.0.0.1:0").await?;
    socket.send_to(b"1234567", address).await?;
    socket.send_to(b"8", address).await?;
    let mut event = [0; 4];
    for expected in [&b"1234"[..], b"8"] {
        let (length, _) = server.recv_from(&mut event).await?;
        assert_eq!(&event[..length], expected);
    }
    println!("7 bytes, a buffer of 4: 3 bytes are lost");

    socket.connect(address).await?;
    drop(server);
    assert_eq!(socket.send(b"9").await?, 1, "no error yet");
    assert!(socket.recv(&mut event).await.is_err());
    println!("connected: the call after `send` reports the refusal");
    // ANCHOR_END: udp
    Ok(())
}
