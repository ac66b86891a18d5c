//! The loopback listener that the browser comes back to (RFC 8252).
//!
//! Small on purpose: it listens on 127.0.0.1 while somebody signs in, reads the first line of a
//! request, answers a page without script, and takes the first answer that carries our `state`.
//! Whatever else comes to the port is answered 404 and changes nothing.

use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const PATH: &str = "/signed-in";
const REQUEST_MAX: usize = 16 * 1024;
const SLOW: Duration = Duration::from_secs(5);
/// Connections answered at the same time; a browser opens a few that it never uses.
const AT_ONCE: usize = 8;

pub(crate) struct Callback {
    listener: TcpListener,
    pub(crate) redirect_uri: String,
}

/// What the browser brought.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) code: Result<String, String>,
    pub(crate) issuer: Option<String>,
}

impl Callback {
    pub(crate) async fn bind() -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let redirect_uri = format!("http://127.0.0.1:{}{PATH}", listener.local_addr()?.port());
        Ok(Self { listener, redirect_uri })
    }

    /// Waits for the browser. Dropping the future closes the port.
    pub(crate) async fn wait(self, state: &str) -> Answer {
        let (found, mut answers) = tokio::sync::mpsc::channel(1);
        let mut open = tokio::task::JoinSet::new();
        loop {
            tokio::select! {
                accepted = self.listener.accept(), if open.len() < AT_ONCE => match accepted {
                    Ok((stream, _)) => {
                        let (state, found) = (state.to_owned(), found.clone());
                        open.spawn(async move {
                            if let Ok(Some(answer)) = tokio::time::timeout(SLOW, serve(stream, &state)).await {
                                let _ = found.try_send(answer);
                            }
                        });
                    }
                    Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
                },
                Some(_) = open.join_next() => {}
                Some(answer) = answers.recv() => return answer,
            }
        }
    }
}

async fn serve(mut stream: TcpStream, state: &str) -> Option<Answer> {
    let mut request = Vec::new();
    let mut buffer = [0; 2048];
    while !request.windows(4).any(|w| w == b"\r\n\r\n") {
        match stream.read(&mut buffer).await {
            Ok(n) if n > 0 && request.len() + n <= REQUEST_MAX => {
                request.extend_from_slice(buffer.get(..n).unwrap_or_default());
            }
            _ => return None,
        }
    }
    let answer = std::str::from_utf8(&request).ok().and_then(|text| answer(text, state));
    let (status, words) = match &answer {
        Some(Answer { code: Ok(_), .. }) => {
            ("200 OK", "You are signed in. Go back to Hearthwatt; this page can be closed.")
        }
        Some(_) => ("200 OK", "Signing in was stopped. Go back to Hearthwatt; this page can be closed."),
        None => ("404 Not Found", "There is nothing here."),
    };
    let page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>Hearthwatt</title><body><p>{words}</p></body></html>"
    );
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\nCache-Control: no-store\r\n\
         Content-Security-Policy: default-src 'none'\r\nReferrer-Policy: no-referrer\r\nConnection: close\r\n\r\n",
        page.len()
    );
    let _ = stream.write_all(head.as_bytes()).await;
    let _ = stream.write_all(page.as_bytes()).await;
    let _ = stream.shutdown().await;
    answer
}

/// The answer in a request, if it is one to our question.
fn answer(request: &str, state: &str) -> Option<Answer> {
    let mut parts = request.lines().next()?.split(' ');
    let (method, target) = (parts.next()?, parts.next()?);
    let (path, query) = target.split_once('?')?;
    if method != "GET" || path != PATH {
        return None;
    }
    let url = reqwest::Url::parse(&format!("http://127.0.0.1/?{query}")).ok()?;
    let one = |name: &str| {
        let mut found = url.query_pairs().filter(|(k, _)| k == name).map(|(_, v)| v.into_owned());
        let first = found.next();
        // one that is there twice means two things
        if found.next().is_some() { None } else { first }
    };
    let given = one("state")?;
    let same = given.len() == state.len()
        && given.bytes().zip(state.bytes()).fold(0u8, |acc, (a, b)| acc | (a ^ b)) == 0;
    if !same {
        return None;
    }
    let code = match (one("code"), one("error")) {
        (Some(code), None) => Ok(code),
        (None, Some(error)) => Err(error),
        _ => return None,
    };
    Some(Answer { code, issuer: one("iss") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_answer_to_our_question_is_one() {
        let get = |target: &str| answer(&format!("GET {target} HTTP/1.1\r\nHost: x\r\n\r\n"), "s3cret");
        let good = get("/signed-in?code=abc%2B1&state=s3cret&iss=https%3A%2F%2Fhome.example").unwrap();
        assert_eq!(good.code, Ok("abc+1".into()));
        assert_eq!(good.issuer.as_deref(), Some("https://home.example"));
        assert_eq!(
            get("/signed-in?error=access_denied&state=s3cret").unwrap().code,
            Err("access_denied".into())
        );
        for other in [
            "/signed-in",
            "/signed-in?code=abc",
            "/signed-in?code=abc&state=other",
            "/signed-in?code=abc&state=s3cret&state=s3cret",
            "/signed-in?code=abc&code=def&state=s3cret",
            "/signed-in?state=s3cret",
            "/other?code=abc&state=s3cret",
            "/favicon.ico",
        ] {
            assert_eq!(get(other), None, "{other}");
        }
        assert_eq!(answer("POST /signed-in?code=a&state=s3cret HTTP/1.1", "s3cret"), None);
    }

    #[tokio::test]
    async fn noise_on_the_port_changes_nothing() {
        let callback = Callback::bind().await.unwrap();
        let address =
            callback.redirect_uri.strip_prefix("http://").unwrap().split('/').next().unwrap().to_owned();
        let waiting = tokio::spawn(async move { callback.wait("st").await });
        // opens and says nothing, says nonsense, guesses
        let _silent = TcpStream::connect(&address).await.unwrap();
        for request in ["GARBAGE\r\n\r\n", "GET /signed-in?code=evil&state=guess HTTP/1.1\r\n\r\n"] {
            let mut stream = TcpStream::connect(&address).await.unwrap();
            stream.write_all(request.as_bytes()).await.unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.unwrap();
            assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
        }
        let mut stream = TcpStream::connect(&address).await.unwrap();
        stream.write_all(b"GET /signed-in?code=good&state=st HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        let answer = tokio::time::timeout(Duration::from_secs(10), waiting).await.unwrap().unwrap();
        assert_eq!(answer.code, Ok("good".into()));
        assert!(TcpStream::connect(&address).await.is_err(), "the port is closed afterwards");
    }
}
