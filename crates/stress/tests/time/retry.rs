//! `track` with two callers, and with callers that give up.

include!("../../../../snippets/time/retry/retry.rs");

mod stress {
    use std::sync::Arc;
    use std::time::Duration;

    use backon::ExponentialBuilder;
    use reqwest::Client;
    use tokio::net::TcpListener;
    use tokio::time::Instant;

    use super::{Requests, serve, track};

    fn client() -> Client {
        // The carrier closes each connection.
        let builder = Client::builder().no_proxy().pool_max_idle_per_host(0);
        builder.build().expect("a client")
    }

    fn backoff() -> ExponentialBuilder {
        let longest = Duration::from_millis(20);
        let shortest = Duration::from_millis(5);
        let backoff = ExponentialBuilder::new().with_max_times(2).with_jitter();
        backoff.with_min_delay(shortest).with_max_delay(longest)
    }

    /// The page's own carrier, and how many requests it has had, by case.
    async fn carrier() -> (String, Requests) {
        let requests = Requests::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        tokio::spawn(serve(listener, Arc::clone(&requests)));
        (format!("http://{address}"), requests)
    }

    #[test]
    fn two_callers_send_three_requests_each() {
        stress::rounds(|_| async {
            let (carrier, requests) = carrier().await;
            let (client, url) = (client(), format!("{carrier}/down"));
            let deadline = Instant::now() + Duration::from_secs(2);
            let (one, two) = tokio::join!(
                track(&client, &url, backoff(), deadline),
                track(&client, &url, backoff(), deadline),
            );
            assert!(one.is_err() && two.is_err());
            assert_eq!(requests.lock().expect("no panic")["down"], 6);
        });
    }
}
