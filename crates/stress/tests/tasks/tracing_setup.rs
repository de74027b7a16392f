//! 500 requests that share four threads. Each one has a task and a job;
//! one fails, one panics, and the clients of some leave.

include!("../../../../snippets/tasks/tracing/tracing_setup.rs");

mod stress {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use axum::body::Body;
    use axum::extract::Request;
    use serde_json::Value;
    use stress::LIMIT;
    use tokio::task::JoinSet;
    use tokio::time::{sleep, timeout};
    use tower::ServiceExt;

    use super::{LEVELS, Output, REQUEST_ID, app, set_up, traced};

    const MS: Duration = Duration::from_millis(1);
    const REQUESTS: u64 = 500;

    /// The parcel that a line is about, in its span, its fields or its text.
    fn parcel(line: &Value) -> Option<u64> {
        let message = line["message"].as_str().expect("a text");
        let label = message.strip_prefix("the label of ");
        let label = label.and_then(|rest| rest.split(' ').next());
        let label = label.map(|parcel| parcel.parse().expect("a number"));
        let field = line["parcel"].as_u64();
        label.or(field).or(line["spans"][1]["parcel"].as_u64())
    }

    #[test]
    fn each_line_has_the_id_of_its_own_request() {
        stress::processes(|mut round| async move {
            let output = Output::default();
            let guard = set_up(LEVELS, output.clone()).expect("levels");
            let app = traced(app());
            let mut requests = JoinSet::new();
            for parcel in 0..REQUESTS {
                let request = Request::get(format!("/parcels/{parcel}"))
                    .header(REQUEST_ID, format!("id-{parcel}"))
                    .body(Body::empty());
                let request = request.expect("a request");
                let answer = app.clone().oneshot(request);
                let mut round = round.fork();
                requests.spawn(async move {
                    if round.rng.u8(..10) > 0 {
                        let answer = answer.await.expect("a response");
                        let id = &answer.headers()[REQUEST_ID];
                        assert_eq!(id, &format!("id-{parcel}"));
                        (parcel, true)
                    } else {
                        let answer = round.cancel(MS * 20, answer).await;
                        (parcel, answer.is_some())
                    }
                });
            }
            let requests = requests.join_all().await;
            tracing::info!("the last line");
            let written = async {
                while !output.lines().iter().any(|l| l.contains("the last")) {
                    sleep(MS).await;
                }
            };
            timeout(LIMIT / 2, written).await.expect("the last line");
            drop(guard);

            let mut lines = BTreeMap::<String, usize>::new();
            let mut others = 0;
            for line in output.lines() {
                let line: Value = serde_json::from_str(&line).expect("JSON");
                let Some(id) = line["spans"][0]["id"].as_str() else {
                    others += 1;
                    continue;
                };
                if let Some(parcel) = parcel(&line) {
                    assert_eq!(id, format!("id-{parcel}"), "{line}");
                }
                *lines.entry(id.to_owned()).or_default() += 1;
            }
            assert_eq!(others, 1, "a line without an id");
            for (parcel, ended) in requests {
                let id = format!("id-{parcel}");
                let lines = lines.get(&id).copied().unwrap_or(0);
                let all = match parcel {
                    13 => 3,
                    8 => 5,
                    _ => 4,
                };
                assert!(lines == all || !ended && lines < all, "{id}: {lines}");
            }
        });
    }
}
