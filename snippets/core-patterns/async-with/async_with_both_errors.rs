// ANCHOR: all
use thiserror::Error;

#[derive(Debug, Error, PartialEq)]
#[error("parcel 13 is unknown")]
struct Unknown;

#[derive(Debug, Error, PartialEq)]
#[error("the session is not closed")]
struct NotClosed;

struct Session {
    knows: bool,
    closes: bool,
}

impl Session {
    async fn track(&mut self) -> anyhow::Result<u32> {
        if self.knows { Ok(7) } else { Err(Unknown.into()) }
    }

    async fn close(self) -> Result<(), NotClosed> {
        if self.closes { Ok(()) } else { Err(NotClosed) }
    }
}

// ANCHOR: broken
async fn last_error(mut session: Session) -> anyhow::Result<u32> {
    let result = session.track().await;
    session.close().await?; // returns early, without `result`
    result
}
// ANCHOR_END: broken

// ANCHOR: fixed
async fn both_errors(mut session: Session) -> anyhow::Result<u32> {
    match (session.track().await, session.close().await) {
        (Err(error), Err(not_closed)) => Err(error.context(not_closed)),
        (Ok(_), Err(not_closed)) => Err(not_closed.into()),
        (result, Ok(())) => result,
    }
}
// ANCHOR_END: fixed

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let session = |knows, closes| Session { knows, closes };
    let error = last_error(session(false, false)).await;
    let error = error.expect_err("both fail");
    println!("`?`: {error:#}");
    assert_eq!(error.downcast_ref(), Some(&NotClosed));
    assert_eq!(error.downcast_ref::<Unknown>(), None);

    let error = both_errors(session(false, false)).await;
    let error = error.expect_err("both fail");
    println!("`context`: {error:#}");
    assert_eq!(error.downcast_ref(), Some(&NotClosed));
    assert_eq!(error.downcast_ref(), Some(&Unknown));

    // One of the two alone, and neither.
    let error = both_errors(session(false, true)).await;
    let error = error.expect_err("the body fails");
    assert_eq!(error.downcast_ref(), Some(&Unknown));
    let error = both_errors(session(true, false)).await;
    let error = error.expect_err("close fails");
    assert_eq!(error.downcast_ref(), Some(&NotClosed));
    assert_eq!(both_errors(session(true, true)).await?, 7);
    Ok(())
}
// ANCHOR_END: all
