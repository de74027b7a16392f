// ANCHOR: all
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Router, extract::Path, routing::get};
use reqwest::Client;
use tokio::net::TcpListener;

struct ApiError(StatusCode, &'static str);

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let ApiError(status, detail) = self;
        (status, detail).into_response()
    }
}

async fn fetch(url: String) -> anyhow::Result<String> {
    let client = Client::builder().no_proxy().build()?;
    Ok(client.get(url).send().await?.error_for_status()?.text().await?)
}

fn status_of(cause: &anyhow::Error) -> Option<StatusCode> {
    cause.downcast_ref::<reqwest::Error>()?.status()
}

// ANCHOR: broken
impl From<anyhow::Error> for ApiError {
    fn from(cause: anyhow::Error) -> Self {
        match status_of(&cause) {
            Some(StatusCode::NOT_FOUND) => no_such_parcel(cause),
            _ => failed(cause),
        }
    }
}
// ANCHOR_END: broken

async fn quote(parcel: String, price: String) -> Result<String, ApiError> {
    let parcel = fetch(parcel).await?;
    let price = fetch(price).await?;
    Ok(format!("{parcel}: {price}"))
}

fn failed(_cause: anyhow::Error) -> ApiError {
    ApiError(StatusCode::BAD_GATEWAY, "the carrier has failed")
}

fn no_such_parcel(_cause: anyhow::Error) -> ApiError {
    ApiError(StatusCode::NOT_FOUND, "no such parcel")
}

/// The same, with an error for each of the two.
async fn quote_mapped(
    parcel: String,
    price: String,
) -> Result<String, ApiError> {
    // ANCHOR: fixed
    let parcel =
        fetch(parcel).await.map_err(|cause| match status_of(&cause) {
            Some(StatusCode::NOT_FOUND) => no_such_parcel(cause),
            _ => failed(cause),
        })?;
    let price = fetch(price).await.map_err(failed)?;
    // ANCHOR_END: fixed
    Ok(format!("{parcel}: {price}"))
}

/// Knows parcel 7, and has no prices at the path that is asked.
async fn parcel(Path(id): Path<u32>) -> Result<&'static str, StatusCode> {
    match id {
        7 => Ok("Ghent"),
        8 => Err(StatusCode::SERVICE_UNAVAILABLE),
        _ => Err(StatusCode::NOT_FOUND),
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let carrier = Router::new()
        .route("/parcels/{id}", get(parcel))
        .route("/prices", get("12.50"));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    tokio::spawn(async move { axum::serve(listener, carrier).await });

    for (parcel, path, wrong, right) in [
        (7, "prices", 200, 200),
        (13, "prices", 404, 404),
        (8, "prices", 502, 502),
        (7, "price", 404, 502),
    ] {
        let parcel = format!("{url}/parcels/{parcel}");
        let price = format!("{url}/{path}");
        let broken = quote(parcel.clone(), price.clone()).await;
        let fixed = quote_mapped(parcel.clone(), price).await;
        let [broken, fixed] = [broken.into_response(), fixed.into_response()];
        let [broken, fixed] = [broken.status(), fixed.status()];
        let parcel = &parcel[url.len()..];
        println!("{parcel}, /{path}: broken {broken}, fixed {fixed}");
        assert_eq!((broken.as_u16(), fixed.as_u16()), (wrong, right));
    }
    Ok(())
}
// ANCHOR_END: all
