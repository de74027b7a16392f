//! The reload of pages that are open in a browser.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use crate::support::book::{FIND, TestBook};
use crate::support::server::{Response, Server};
use crate::with_command;

/// A WebSocket message that asks the page to reload.
const RELOAD: &[u8] = b"\x81\x06reload";

/// The WebSocket that a page of the book opens.
pub struct Socket(TcpStream);

impl Socket {
    pub fn open(server: &Server, path: &str) -> Socket {
        let host = &server.address;
        let (stream, head) = handshake(server, path, host, &server.origin());
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        Socket(stream)
    }

    /// Waits for the message to reload, and for the end of the connection.
    fn reloads(mut self) {
        let mut bytes = Vec::new();
        self.0.read_to_end(&mut bytes).expect("a message");
        assert_eq!(bytes, RELOAD);
    }

    fn has_received_nothing(&mut self) {
        self.0.set_nonblocking(true).expect("a stream");
        let error = self.0.read(&mut [0]).expect_err("nothing");
        assert_eq!(error.kind(), ErrorKind::WouldBlock);
        self.0.set_nonblocking(false).expect("a stream");
    }
}

/// Asks for a WebSocket; returns the connection, and the head of the response.
fn handshake(
    server: &Server,
    path: &str,
    host: &str,
    origin: &str,
) -> (TcpStream, String) {
    let mut stream = server.connect();
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {host}\r\n{origin}\
         Connection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    )
    .expect("it reads");
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).expect("a head");
        head.extend(byte);
    }
    (stream, String::from_utf8(head).expect("a head in ASCII"))
}

/// The path of the WebSocket that the script of a page opens.
pub fn socket_path(page: &Response) -> String {
    let mut strings = page.body.split('"');
    let path = strings.find(|text| text.starts_with("live-reload/"));
    format!("/{}", path.expect("mdBook's script"))
}

#[test]
fn open_pages_reload_when_the_book_changes() {
    with_command(|| {
        let book = TestBook::new();
        let server = book.serve(&["--port", "0"]);
        let path = socket_path(&server.get("/tracking/find-parcel.html"));
        let pages = [(); 20].map(|()| Socket::open(&server, &path));
        // One vanishes, and one sends what no page sends.
        drop(Socket::open(&server, &path));
        let mut wrong = Socket::open(&server, &path);
        wrong.0.write_all(&[0xff; 100]).expect("it reads");

        book.replace(FIND, "By its number", "By its city");
        let line = server.line();
        let report = format!("{FIND} changed; rendered again in ");
        assert!(line.starts_with(&report), "{line}");
        pages.into_iter().for_each(Socket::reloads);
        let page = server.get("/tracking/find-parcel.html");
        assert!(page.body.contains("By its city"));
        let page = Socket::open(&server, &socket_path(&page));
        book.replace(FIND, "By its city", "By its street");
        page.reloads();
        assert_eq!(server.terminate().stderr, "");
    });
}

#[test]
fn a_page_of_an_earlier_server_reloads_at_once() {
    with_command(|| {
        let book = TestBook::new();
        let server = book.serve(&["--port", "0"]);
        let path = socket_path(&server.get("/"));
        server.terminate();
        let server = book.serve(&["--port", "0"]);
        let mut same = Socket::open(&server, &path);
        server.get("/");
        same.has_received_nothing();
        server.terminate();

        book.replace(FIND, "By its number", "By its city");
        let server = book.serve(&["--port", "0"]);
        Socket::open(&server, &path).reloads();
        let path = socket_path(&server.get("/nowhere"));
        let mut page = Socket::open(&server, &path);
        server.get("/");
        page.has_received_nothing();
    });
}

#[test]
fn pages_stay_while_the_book_is_broken() {
    with_command(|| {
        let book = TestBook::new();
        let server = book.serve(&["--port", "0"]);
        let path = socket_path(&server.get("/"));
        let mut page = Socket::open(&server, &path);
        let whole = book.read(FIND);
        book.append(FIND, "\n```rust,ignore\nfn unchecked() {}\n```\n");
        let report = format!("{FIND} changed; the pages stay as before\n");
        assert_eq!(server.line(), report);
        server.get("/");
        page.has_received_nothing();

        book.write(FIND, &whole);
        assert!(server.line().contains(" changed; rendered again in "));
        page.reloads();
        let end = server.terminate();
        let error = format!("error: {FIND}:");
        assert_eq!(end.stderr.matches("error: ").count(), 1, "{}", end.stderr);
        assert!(end.stderr.starts_with(&error), "{}", end.stderr);
    });
}

#[test]
fn without_an_open_page_a_change_waits_for_a_request() {
    with_command(|| {
        let book = TestBook::new();
        let server = book.serve(&["--port", "0"]);
        let path = socket_path(&server.get("/"));
        drop(Socket::open(&server, &path));
        // The server learns that the page is closed.
        thread::sleep(Duration::from_millis(500));
        book.replace(FIND, "By its number", "By its city");
        // Three times the interval at which an open page is checked.
        thread::sleep(Duration::from_millis(1500));
        assert!(server.running.stdout.try_recv().is_err(), "not yet");
        server.get("/");
        assert!(server.line().starts_with(FIND));
    });
}

#[test]
fn only_the_book_s_own_pages_can_open_a_socket() {
    with_command(|| {
        let book = TestBook::new();
        let server = book.serve(&["--port", "0"]);
        let path = socket_path(&server.get("/"));
        let (host, port) = (&server.address, server.port());
        let foreign = format!("evil.example:{port}");
        for (host, origin) in [
            (host, String::new()),
            (host, "Origin: null\r\n".to_owned()),
            (host, "Origin: http://evil.example\r\n".to_owned()),
            (host, format!("Origin: http://localhost:{port}\r\n")),
            (&foreign, format!("Origin: http://{foreign}\r\n")),
            (&foreign, server.origin()),
        ] {
            let (_, head) = handshake(&server, &path, host, &origin);
            assert!(head.starts_with("HTTP/1.1 403 "), "{origin}: {head}");
        }
        assert_eq!(server.request("GET", &path, &server.origin()).status, 400);
    });
}
