// ANCHOR: all
use std::io::{Error, ErrorKind};

use futures::StreamExt;
use tokio_util::bytes::{Buf, BytesMut};
use tokio_util::codec::{Decoder, FramedRead};

/// A frame has its length in the first byte, and at most 9 bytes more.
struct Frames;

impl Decoder for Frames {
    type Item = BytesMut;
    type Error = Error;

    fn decode(
        &mut self,
        bytes: &mut BytesMut,
    ) -> Result<Option<BytesMut>, Error> {
        let Some(&len) = bytes.first() else { return Ok(None) };
        let len = usize::from(len);
        if len > 9 {
            return Err(Error::new(ErrorKind::InvalidData, "frame too long"));
        }
        if bytes.len() <= len {
            return Ok(None); // a part of a frame: call again with more bytes
        }
        bytes.advance(1);
        Ok(Some(bytes.split_to(len)))
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    for (case, sent, expected) in [
        ("two in one read", &b"\x02Os\x02Ro"[..], "2 frames"),
        ("a half at the end", b"\x02Os\x04Ro", "bytes remaining on stream"),
        ("too long", b"\x02Os\xffRo", "frame too long"),
    ] {
        // Its buffer begins with one byte, so frames arrive in pieces, too.
        let mut frames = FramedRead::with_capacity(sent, Frames, 1);
        let mut count = 0;
        let end = loop {
            match frames.next().await {
                Some(Ok(_)) => count += 1,
                Some(Err(error)) => break error.to_string(),
                None => break format!("{count} frames"),
            }
        };
        println!("{case}: {end}");
        assert_eq!(end, expected);
    }
}
// ANCHOR_END: all
