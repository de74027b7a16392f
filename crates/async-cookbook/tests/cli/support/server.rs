//! The command as a server, and the responses of that server.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::Duration;

use crate::LIMIT;
use crate::support::process::{End, Running, rest};

/// A server with open connections ends within this.
pub const END: Duration = Duration::from_secs(10);

pub struct Server {
    pub running: Running,
    /// As printed, without `http://`.
    pub address: String,
}

impl Server {
    /// Starts it, and waits until it prints its address.
    pub fn start(command: &mut Command) -> Server {
        let running = Running::start(command);
        let Ok(line) = running.stdout.recv_timeout(LIMIT) else {
            panic!("no address: {}", rest(&running.stderr, LIMIT));
        };
        let (_, url) = line.split_once("http://").expect("an address");
        let address = url.split_whitespace().next().expect("an address");
        Server { running, address: address.to_owned() }
    }

    pub fn port(&self) -> &str {
        self.address.rsplit(':').next().expect("a port")
    }

    /// The header that the server's own pages send.
    pub fn origin(&self) -> String {
        format!("Origin: http://{}\r\n", self.address)
    }

    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.address).expect("it listens");
        stream.set_read_timeout(Some(LIMIT)).expect("not zero");
        stream
    }

    pub fn get(&self, path: &str) -> Response {
        self.request("GET", path, "")
    }

    /// Sends a request with these headers.
    pub fn request(&self, method: &str, path: &str, headers: &str) -> Response {
        self.request_as(&self.address, method, path, headers)
    }

    /// The same, by another name of the server.
    pub fn request_as(
        &self,
        host: &str,
        method: &str,
        path: &str,
        headers: &str,
    ) -> Response {
        let mut stream = self.connect();
        // By HTTP/1.0, the body ends with the connection.
        write!(
            stream,
            "{method} {path} HTTP/1.0\r\nHost: {host}\r\n{headers}\r\n",
        )
        .expect("it reads");
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).expect("it responds and closes");
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
        let body = bytes.split_off(end.expect("a head") + 4);
        let head = String::from_utf8(bytes).expect("a head in ASCII");
        let status = head.split(' ').nth(1).and_then(|s| s.parse().ok());
        Response {
            status: status.expect("a status"),
            head,
            body: String::from_utf8_lossy(&body).into_owned(),
            bytes: body,
        }
    }

    /// Runs a program as a page of the book does, to its end.
    pub fn run(&self, name: &str) -> Response {
        self.request("POST", &format!("/run/{name}"), &self.origin())
    }

    /// Runs a program, and does not wait for its end.
    pub fn start_run(&self, name: &str) -> TcpStream {
        let mut stream = self.connect();
        let (host, origin) = (&self.address, self.origin());
        write!(
            stream,
            "POST /run/{name} HTTP/1.1\r\nHost: {host}\r\n{origin}\
             Accept-Encoding: gzip\r\n\r\n"
        )
        .expect("it reads");
        stream
    }

    /// The next line that it prints.
    pub fn line(&self) -> String {
        self.running.stdout.recv_timeout(LIMIT).expect("a line")
    }

    pub fn terminate(self) -> End {
        self.end_by("TERM", END)
    }

    pub fn end_by(self, signal: &str, limit: Duration) -> End {
        // std cannot send signals; every shell can.
        let pid = self.running.child.id().to_string();
        let sent = Command::new("/bin/sh")
            .args(["-c", "kill -s \"$0\" \"$1\"", signal, &pid])
            .status();
        assert!(sent.expect("a shell").success());
        self.running.end(limit)
    }
}

#[derive(Debug)]
pub struct Response {
    pub status: u16,
    head: String,
    pub body: String,
    pub bytes: Vec<u8>,
}

impl Response {
    /// The value of a header; empty if there is none.
    pub fn header(&self, name: &str) -> &str {
        let headers = self.head.lines().filter_map(|l| l.split_once(": "));
        let mut named = headers.filter(|(key, _)| *key == name);
        named.next().map(|(_, value)| value).unwrap_or_default()
    }

    pub fn lines(&self) -> Vec<&str> {
        self.body.lines().collect()
    }
}

/// The first link of a page to a file with this beginning and ending.
pub fn link<'a>(html: &'a str, beginning: &str, ending: &str) -> &'a str {
    let links = html.split('"').skip(1).step_by(2);
    let mut found =
        links.filter(|l| l.starts_with(beginning) && l.ends_with(ending));
    found.next().unwrap_or_else(|| panic!("no link {beginning}…{ending}"))
}
