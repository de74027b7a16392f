// ANCHOR: all
use std::env;
use std::sync::Arc;

use rcgen::{CertificateParams, CertifiedKey, DnType, KeyPair};
use reqwest::{Certificate, Client};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// A certificate for `carrier.example`, which is its own root.
fn signed(name: &str) -> Result<CertifiedKey<KeyPair>, rcgen::Error> {
    let signing_key = KeyPair::generate()?;
    let mut params = CertificateParams::new(["carrier.example".into()])?;
    params.distinguished_name.push(DnType::CommonName, name);
    let cert = params.self_signed(&signing_key)?;
    Ok(CertifiedKey { cert, signing_key })
}

/// A server with a certificate. Each request gets back its header `x-api-key`.
/// Returns its port.
async fn start(own: &CertifiedKey<KeyPair>) -> anyhow::Result<u16> {
    let chain = vec![own.cert.der().clone()];
    let key = PrivateKeyDer::Pkcs8(own.signing_key.serialize_der().into());
    let config = ServerConfig::builder().with_no_client_auth();
    let config = config.with_single_cert(chain, key)?;
    let tls = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.expect("a connection");
            // A client that does not trust the certificate leaves.
            let Ok(mut stream) = tls.accept(stream).await else { continue };
            let mut head = [0; 1024];
            let length = stream.read(&mut head).await.expect("a request");
            let head = String::from_utf8_lossy(&head[..length]).into_owned();
            let line = head.lines().find(|line| line.starts_with("x-api-key"));
            let line = line.expect("a key");
            let length = line.len();
            let answer = format!(
                "HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\
                 connection: close\r\n\r\n{line}"
            );
            stream.write_all(answer.as_bytes()).await.expect("a client");
            stream.shutdown().await.expect("a client");
        }
    });
    Ok(port)
}

async fn ask(client: &Client, port: u16) -> reqwest::Result<String> {
    let request = client.get(format!("https://carrier.example:{port}"));
    request.header("x-api-key", "secret").send().await?.text().await
}

/// A client of this machine's roots, in a process of its own.
async fn with_system_roots(port: u16) -> anyhow::Result<()> {
    let builder = Client::builder().no_proxy();
    let client = builder.resolve("carrier.example", ([127, 0, 0, 1], 0).into());
    let got = match client.build() {
        Ok(client) => ask(&client, port).await?,
        Err(error) => format!("{:#}", anyhow::Error::from(error)),
    };
    print!("{got}");
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    if let Some(port) = env::args().nth(1) {
        return with_system_roots(port.parse()?).await;
    }
    let own = signed("carrier")?;
    let carrier = start(&own).await?;
    let impostor = start(&signed("impostor")?).await?;
    let pem = own.cert.pem();

    let new = || {
        let builder = Client::builder().no_proxy();
        builder.resolve("carrier.example", ([127, 0, 0, 1], 0).into())
    };
    let builder = new();
    // ANCHOR: broken
    let builder = builder.tls_danger_accept_invalid_certs(true);
    // ANCHOR_END: broken
    let got = ask(&builder.build()?, impostor).await?;
    println!("all are accepted: the impostor got {got}");
    assert_eq!(got, "x-api-key: secret");

    let builder = new();
    // ANCHOR: fixed
    let roots = Certificate::from_pem_bundle(pem.as_bytes())?;
    let builder = builder.tls_certs_merge(roots);
    // ANCHOR_END: fixed
    let client = builder.build()?;
    assert_eq!(ask(&client, carrier).await?, "x-api-key: secret");
    let error = ask(&client, impostor).await.expect_err("not trusted");
    assert!(error.is_connect());
    println!("its own root: the impostor got nothing");

    // On Linux, the system's roots are the files of OpenSSL.
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("roots.pem");
    for (case, text) in [("the carrier's", &*pem), ("no", "")] {
        std::fs::write(&file, text)?;
        let child = Command::new(env::current_exe()?)
            .arg(carrier.to_string())
            .env("SSL_CERT_FILE", &file)
            .env_remove("SSL_CERT_DIR")
            .output();
        let got = String::from_utf8(child.await?.stdout)?;
        println!("{case} system roots: {got}");
        let expected = match case {
            "no" => "builder error: unexpected error: No CA certificates",
            _ => "x-api-key: secret",
        };
        assert!(got.starts_with(expected), "{got}");
    }
    Ok(())
}
// ANCHOR_END: all
