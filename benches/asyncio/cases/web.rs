//! An HTTP server that answers from memory.

use std::collections::HashMap;
use std::future::IntoFuture;
use std::io::{self, Read};
use std::sync::Arc;

use anyhow::Result;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Json, Router, routing::get};
use serde::Serialize;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::task::spawn_blocking;

#[derive(Clone, Serialize)]
struct Book {
    title: String,
    copies: u32,
}

/// Prints its port, and serves until its standard input ends.
pub async fn serve() -> Result<()> {
    type Books = Arc<HashMap<u64, Book>>;
    async fn book(
        State(books): State<Books>,
        Path(id): Path<u64>,
    ) -> Result<Json<Book>, StatusCode> {
        let book = books.get(&id).ok_or(StatusCode::NOT_FOUND)?;
        Ok(Json(book.clone()))
    }
    let emma = Book { title: "Emma".into(), copies: 3 };
    let books: Books = Arc::new(HashMap::from([(7, emma)]));
    let app = Router::new().route("/books/{id}", get(book)).with_state(books);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", json!({ "port": listener.local_addr()?.port() }));
    let end = async {
        let end = spawn_blocking(|| io::stdin().read_to_end(&mut Vec::new()));
        _ = end.await;
    };
    tokio::select! {
        served = axum::serve(listener, app).into_future() => served?,
        () = end => {}
    }
    Ok(())
}
