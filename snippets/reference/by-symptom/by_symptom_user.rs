// ANCHOR: all
use axum::extract::{FromRequestParts, Request};
use axum::http::{StatusCode, header::AUTHORIZATION, request::Parts};
use axum::{Router, body::Body, middleware::from_extractor, routing::get};
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
    let app = Router::new()
        .route("/me", get(async |user: User| user.0))
        .route("/parcels", get(async || "7, 8")) // does not ask for a user
        .route_layer(from_extractor::<User>());
    for (path, token, expected) in [
        ("/me", "Bearer t0ken", 200),
        ("/me", "Bearer other", 401),
        ("/me", "", 401),
        ("/parcels", "Bearer t0ken", 200),
        ("/parcels", "", 401),
        ("/parcels/", "Bearer t0ken", 404),
    ] {
        let request = Request::get(path).header(AUTHORIZATION, token);
        let response =
            app.clone().oneshot(request.body(Body::empty())?).await?;
        println!("{path} {token:?}: {}", response.status());
        assert_eq!(response.status(), expected);
    }
    Ok(())
}
// ANCHOR_END: all
