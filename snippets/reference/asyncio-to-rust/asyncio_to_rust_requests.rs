// ANCHOR: all
use axum::extract::{FromRef, FromRequestParts, State};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use axum::{Json, Router, http::StatusCode, routing::post};
use serde::Deserialize;
use serde_json::json;
use tokio::net::TcpListener;

#[derive(Clone)]
struct Harbour {
    longest: Longest,
}

#[derive(Clone, Copy)]
struct Longest(u32);

/// A part of the state, for a handler that wants no more.
impl FromRef<Harbour> for Longest {
    fn from_ref(harbour: &Harbour) -> Longest {
        harbour.longest
    }
}

struct Captain(String);

/// A dependency: an argument of this type is made from the request.
impl<S: Sync> FromRequestParts<S> for Captain {
    type Rejection = Refused;

    async fn from_request_parts(
        parts: &mut Parts,
        _: &S,
    ) -> Result<Captain, Refused> {
        let name = parts.headers.get("captain").and_then(|n| n.to_str().ok());
        let nobody = Refused(StatusCode::UNAUTHORIZED, "who are you?");
        Ok(Captain(name.ok_or(nobody)?.to_owned()))
    }
}

/// An error is returned, and this is its answer.
struct Refused(StatusCode, &'static str);

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        (self.0, self.1).into_response()
    }
}

#[derive(Deserialize)]
struct Form {
    metres: i64,
}

/// Whoever has a `Ship` has a valid one.
#[derive(Deserialize)]
#[serde(try_from = "Form")]
struct Ship(u32);

impl TryFrom<Form> for Ship {
    type Error = &'static str;

    fn try_from(form: Form) -> Result<Ship, &'static str> {
        u32::try_from(form.metres).map(Ship).map_err(|_| "no length")
    }
}

async fn moor(
    State(Longest(longest)): State<Longest>,
    Captain(name): Captain,
    Json(Ship(metres)): Json<Ship>,
) -> Result<String, Refused> {
    if metres > longest {
        return Err(Refused(StatusCode::CONFLICT, "too long for us"));
    }
    Ok(name)
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let harbour = Harbour { longest: Longest(150) };
    let app = Router::new().route("/", post(moor)).with_state(harbour);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    tokio::spawn(async move { axum::serve(listener, app).await });

    let client = reqwest::Client::new();
    let nobody = || client.post(&url);
    let ada = || nobody().header("captain", "Ada");
    for (call, metres, status) in [
        (ada(), 90, 200),
        (nobody(), 90, 401),
        (ada(), 240, 409),
        (ada(), -1, 422),
    ] {
        let answer = call.json(&json!({ "metres": metres })).send().await?;
        assert_eq!(answer.status(), status);
        println!("{status}: {}", answer.text().await?);
    }
    Ok(())
}
// ANCHOR_END: all
