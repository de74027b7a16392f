// ANCHOR: all
use axum::extract::{FromRequestParts, Request};
use axum::http::{StatusCode, header::AUTHORIZATION, request::Parts};
use axum::{Router, body::Body, routing::get};
use tower::ServiceExt;

/// A handler with this argument runs only for a user who is signed in.
struct User(&'static str);

impl<S: Sync> FromRequestParts<S> for User {
    type Rejection = StatusCode;

    async fn from_request_parts(
        parts: &mut Parts,
        _state: &S, // look the token up here: in a pool, or by a key
    ) -> Result<Self, StatusCode> {
        let header = parts.headers.get(AUTHORIZATION);
        match header.and_then(|it| it.as_bytes().strip_prefix(b"Bearer ")) {
            Some(b"t0ken") => Ok(User("Ada")),
            _ => Err(StatusCode::UNAUTHORIZED),
        }
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let app = Router::new().route("/me", get(async |user: User| user.0));
    for (token, expected) in [("t0ken", 200), ("other", 401)] {
        let request = Request::builder().uri("/me");
        let request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        let response =
            app.clone().oneshot(request.body(Body::empty())?).await?;
        println!("{token}: {}", response.status());
        assert_eq!(response.status(), expected);
    }
    let response =
        app.oneshot(Request::get("/me").body(Body::empty())?).await?;
    println!("no token: {}", response.status());
    assert_eq!(response.status(), 401);
    Ok(())
}
// ANCHOR_END: all
