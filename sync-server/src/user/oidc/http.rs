//! Requests to a provider: bounded in time and size, without redirects.

use openidconnect::{HttpRequest, HttpResponse};
use std::sync::OnceLock;
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_secs(10);
/// Bytes of an answer: metadata, keys, tokens.
const ANSWER_MAX: usize = 512 * 1024;

#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    #[error("no client: {0}")]
    Client(String),
    #[error(transparent)]
    Request(#[from] reqwest::Error),
    #[error("the answer is larger than {ANSWER_MAX} bytes")]
    TooLarge,
    #[error(transparent)]
    Answer(#[from] axum::http::Error),
}

fn client() -> Result<&'static reqwest::Client, HttpError> {
    static CLIENT: OnceLock<Result<reqwest::Client, String>> = OnceLock::new();
    let client = CLIENT.get_or_init(|| {
        if rustls::crypto::CryptoProvider::get_default().is_none() {
            // another part of the program may be faster: the same provider
            let _ = rustls::crypto::ring::default_provider().install_default();
        }
        reqwest::Client::builder()
            // an answer that leads elsewhere is an error: whoever configures a provider names it
            .redirect(reqwest::redirect::Policy::none())
            .timeout(TIMEOUT)
            .build()
            .map_err(|e| e.to_string())
    });
    client.as_ref().map_err(|e| HttpError::Client(e.clone()))
}

/// Sends one request.
pub async fn send(request: HttpRequest) -> Result<HttpResponse, HttpError> {
    let mut answer = client()?.execute(request.try_into()?).await?;
    let mut response = axum::http::Response::builder().status(answer.status());
    for (name, value) in answer.headers() {
        response = response.header(name, value);
    }
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await? {
        if body.len() + chunk.len() > ANSWER_MAX {
            return Err(HttpError::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(response.body(body)?)
}
