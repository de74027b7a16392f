// ANCHOR: all
use std::sync::Mutex;
use std::time::Duration;

use futures::future::join_all;
use tokio::time::sleep;

const SECOND: Duration = Duration::from_secs(1);

/// The number of the token, and how many were requested.
type Tokens = Mutex<(Option<u32>, u32)>;

mod any_token {
    use super::Tokens;

    // ANCHOR: broken
    pub fn discard(tokens: &Tokens, _rejected: u32) {
        tokens.lock().expect("no panic").0 = None;
    }
    // ANCHOR_END: broken
}

mod by_value {
    use super::Tokens;

    // ANCHOR: fixed
    pub fn discard(tokens: &Tokens, rejected: u32) {
        let mut tokens = tokens.lock().expect("no panic");
        tokens.0.take_if(|token| *token == rejected);
    }
    // ANCHOR_END: fixed
}

/// Twenty requests have token 1, and get a 401, one each second.
async fn twenty(discard: fn(&Tokens, u32)) -> u32 {
    let tokens = Tokens::new((Some(1), 1));
    let callers = (0..20).map(|second| {
        let tokens = &tokens;
        async move {
            sleep(second * SECOND).await;
            discard(tokens, 1);
            let (token, requests) = &mut *tokens.lock().expect("no panic");
            token.get_or_insert_with(|| {
                *requests += 1;
                *requests
            });
        }
    });
    join_all(callers).await;
    let (token, requests) = tokens.into_inner().expect("no panic");
    assert_eq!(token, Some(requests));
    requests - 1
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let requests = twenty(any_token::discard).await;
    println!("whatever token there is: {requests} refreshes");
    assert_eq!(requests, 20);
    let requests = twenty(by_value::discard).await;
    println!("the rejected token: {requests} refresh");
    assert_eq!(requests, 1);
}
// ANCHOR_END: all
