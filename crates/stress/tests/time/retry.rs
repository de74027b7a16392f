//! `track` with several callers of one client: against a server that fails in
//! every way, to a deadline, and given up.

include!("../../../../snippets/time/retry/retry.rs");

mod stress {
    use std::time::Duration;

    use backon::ExponentialBuilder;
    use reqwest::Client;
    use stress::peer::{Peer, Reply};
    use stress::{Round, SLACK};
    use tokio::task::JoinSet;
    use tokio::time::{Instant, sleep};

    use super::track;

    const MS: Duration = Duration::from_millis(1);
    /// The longest wait between two attempts, with its jitter.
    const LONGEST_WAIT: Duration = Duration::from_millis(40);

    fn client() -> Client {
        stress::http_client().build().expect("a client")
    }

    /// At most two retries.
    fn backoff() -> ExponentialBuilder {
        let backoff = ExponentialBuilder::new().with_max_times(2).with_jitter();
        backoff.with_min_delay(MS * 5).with_max_delay(LONGEST_WAIT / 2)
    }

    fn transient(round: &mut Round) -> Reply {
        let status = round.choice([408, 429, 500, 502, 503, 504]);
        let broken =
            round.choice([Reply::Cut, Reply::Reset, Reply::HalfClosed]);
        round.choice([Reply::Status(status), broken])
    }

    #[test]
    fn each_caller_gets_the_third_response() {
        stress::rounds(|mut round| async move {
            let client = client();
            let mut callers = JoinSet::new();
            for _ in 0..5 {
                let first = transient(&mut round);
                let second = transient(&mut round);
                let time = round.duration(Duration::ZERO..MS * 50);
                let replies = [first, second, Reply::Slow(time)];
                let client = client.clone();
                callers.spawn(async move {
                    let peer = Peer::start(move |request| replies[request]);
                    let peer = peer.await;
                    let deadline = Instant::now() + SLACK;
                    let got = track(&client, &peer.url, backoff(), deadline);
                    let got = got.await;
                    assert_eq!(got.expect("a body"), Peer::BODY, "{replies:?}");
                    assert_eq!(peer.requests(), 3, "{replies:?}");
                });
            }
            callers.join_all().await;
        });
    }

    #[test]
    fn two_callers_send_three_requests_each() {
        stress::rounds(|mut round| async move {
            let replies = [(); 6].map(|()| transient(&mut round));
            let peer = Peer::start(move |request| replies[request]).await;
            let client = client();
            let deadline = Instant::now() + SLACK;
            let (one, two) = tokio::join!(
                track(&client, &peer.url, backoff(), deadline),
                track(&client, &peer.url, backoff(), deadline),
            );
            assert!(one.is_err() && two.is_err());
            assert_eq!(peer.requests(), 6, "{replies:?}");
        });
    }

    #[test]
    fn what_would_fail_again_is_sent_once() {
        stress::rounds(|mut round| async move {
            let status = round.choice([400, 401, 404, 409, 501, 505]);
            let peer = Peer::start(move |_| Reply::Status(status)).await;
            let client = client();
            let deadline = Instant::now() + SLACK;
            let got = track(&client, &peer.url, backoff(), deadline).await;
            let error = got.expect_err("an error");
            assert_eq!(error.status().expect("a response"), status);
            assert_eq!(peer.requests(), 1, "{status}");
        });
    }

    #[test]
    fn it_ends_by_its_deadline_whatever_the_server_does() {
        stress::rounds(|mut round| async move {
            let client = client();
            let mut callers = JoinSet::new();
            for _ in 0..5 {
                let (client, mut round) = (client.clone(), round.fork());
                callers.spawn(async move {
                    let replies = [(); 3].map(|()| {
                        let time = round.duration(Duration::ZERO..MS * 200);
                        let other = transient(&mut round);
                        let slow = Reply::Slow(time);
                        round.choice([
                            other,
                            slow,
                            Reply::Silent,
                            Reply::Stalled,
                        ])
                    });
                    let peer = Peer::start(move |request| replies[request]);
                    let peer = peer.await;
                    let limit = round.duration(Duration::ZERO..MS * 200);
                    let start = Instant::now();
                    let deadline = start + limit;
                    let got = track(&client, &peer.url, backoff(), deadline);
                    let got = got.await;
                    let (elapsed, sent) = (start.elapsed(), peer.requests());
                    let about = format!("{replies:?}, {limit:?}: {got:?}");
                    assert!(elapsed < limit + SLACK, "{elapsed:?}, {about}");
                    if elapsed + LONGEST_WAIT < limit {
                        // An answer, or all attempts.
                        assert!(sent == 3 || got.is_ok(), "{sent}, {about}");
                    }
                    if got.is_err_and(|error| error.is_timeout()) {
                        assert!(elapsed >= limit, "{elapsed:?}, {about}");
                    }
                });
            }
            callers.join_all().await;
        });
    }

    #[test]
    fn a_wait_is_begun_if_it_ends_before_the_deadline() {
        stress::rounds(|_| async {
            let peer = Peer::start(|_| Reply::Status(503)).await;
            let client = client();
            for (wait, requests) in [(MS * 300, 2), (SLACK * 2, 1)] {
                let earlier = peer.requests();
                let backoff = ExponentialBuilder::new().with_max_times(1);
                let backoff = backoff.with_min_delay(wait);
                let start = Instant::now();
                let deadline = start + SLACK;
                let got = track(&client, &peer.url, backoff, deadline).await;
                assert_eq!(peer.requests() - earlier, requests);
                let status = got.expect_err("an error").status();
                assert_eq!(status.expect("a response"), 503);
                assert!(Instant::now() < deadline, "{:?}", start.elapsed());
            }
        });
    }

    #[test]
    fn a_caller_that_gives_up_sends_no_more() {
        stress::rounds(|mut round| async move {
            let replies = [(); 3].map(|()| transient(&mut round));
            let peer = Peer::start(move |request| replies[request]).await;
            let client = client();
            let deadline = Instant::now() + SLACK;
            let tracked = track(&client, &peer.url, backoff(), deadline);
            round.cancel(MS * 60, tracked).await;
            sleep(LONGEST_WAIT).await; // what is on its way arrives
            let sent = peer.requests();
            sleep(LONGEST_WAIT * 2).await;
            assert_eq!(peer.requests(), sent, "{replies:?}");
        });
    }
}
