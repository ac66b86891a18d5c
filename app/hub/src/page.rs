//! The page: built in when this is a release, read from its folder otherwise.
//!
//! Files whose names carry a hash of their content never change and are kept by the browser;
//! all others are asked for again, which costs an empty answer while nothing changed.

use crate::router::Hub;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use rust_embed::RustEmbed;
use std::borrow::Cow;
use std::path::{Component, Path, PathBuf};
use std::time::UNIX_EPOCH;

/// Debug builds read the folder when asked, so that it need not exist to compile.
#[derive(RustEmbed)]
#[folder = "../ui/dist"]
#[allow_missing = true]
struct Built;

/// Largest file read from a folder, in bytes.
const FILE_LIMIT: u64 = 64 * 1024 * 1024;

const NOT_BUILT: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Hearthwatt</title>\
    <h1>The page is not built yet</h1>\
    <p>The hub is running, but it was started without its page. Build it with</p>\
    <pre>cargo xtask ui</pre>\
    <p>and load this again, or start the hub with <code>--ui</code> and the folder of a built page.</p></html>";

/// Where the page's files come from.
pub enum Page {
    BuiltIn,
    Folder(PathBuf),
}

struct File {
    bytes: Cow<'static, [u8]>,
    tag: String,
}

impl Page {
    pub fn new(folder: Option<PathBuf>) -> Self {
        folder.map_or(Self::BuiltIn, Self::Folder)
    }

    /// The file of that name; `name` has been checked to stay inside.
    async fn load(&self, name: &str) -> Option<File> {
        match self {
            Self::BuiltIn => {
                let file = Built::get(name)?;
                let hash = file.metadata.sha256_hash();
                let tag = hash.iter().take(16).map(|b| format!("{b:02x}")).collect();
                Some(File { bytes: file.data, tag })
            }
            Self::Folder(folder) => {
                let path = folder.join(name);
                let metadata = tokio::fs::metadata(&path).await.ok()?;
                if !metadata.is_file() || metadata.len() > FILE_LIMIT {
                    return None;
                }
                let modified = metadata.modified().ok()?.duration_since(UNIX_EPOCH).ok()?.as_nanos();
                let bytes = tokio::fs::read(&path).await.ok()?;
                Some(File { tag: format!("{modified:x}-{:x}", bytes.len()), bytes: bytes.into() })
            }
        }
    }
}

/// `GET` of anything that is not a call.
pub async fn file(State(hub): State<Hub>, uri: Uri, headers: HeaderMap) -> Response {
    let Some(name) = safe_name(uri.path()) else {
        return (StatusCode::NOT_FOUND, "There is no such file.\n").into_response();
    };
    // compressed beside the file, by the build
    for (ending, encoding) in [(".br", "br"), (".gz", "gzip")] {
        if accepts(&headers, encoding)
            && let Some(file) = hub.page.load(&format!("{name}{ending}")).await
        {
            return answer(&name, file, Some(encoding), &headers);
        }
    }
    match hub.page.load(&name).await {
        Some(file) => answer(&name, file, None, &headers),
        None if name == "index.html" => {
            let headers =
                [(header::CONTENT_TYPE, "text/html; charset=utf-8"), (header::CACHE_CONTROL, "no-store")];
            (StatusCode::SERVICE_UNAVAILABLE, headers, NOT_BUILT).into_response()
        }
        None => (StatusCode::NOT_FOUND, "There is no such file.\n").into_response(),
    }
}

fn answer(name: &str, file: File, encoding: Option<&'static str>, request: &HeaderMap) -> Response {
    let tag = format!("\"{}{}\"", file.tag, encoding.unwrap_or_default());
    let unchanged = request
        .get(header::IF_NONE_MATCH)
        .and_then(|v| v.to_str().ok())
        .is_some_and(|tags| tags.split(',').any(|t| t.trim().trim_start_matches("W/") == tag));
    let mut response = Response::builder()
        .header(header::CACHE_CONTROL, cache_rule(name))
        .header(header::VARY, "accept-encoding")
        .header(header::ETAG, tag);
    if unchanged {
        response = response.status(StatusCode::NOT_MODIFIED);
    } else {
        response = response.header(header::CONTENT_TYPE, content_type(name));
        if let Some(encoding) = encoding {
            response = response.header(header::CONTENT_ENCODING, encoding);
        }
    }
    let body = if unchanged { Body::empty() } else { Body::from(file.bytes.into_owned()) };
    response.body(body).unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
}

/// The name below the page's folder, or `None` for anything that could lead out of it. Names of
/// our files need no escapes, so an escape is a name we do not have.
fn safe_name(path: &str) -> Option<String> {
    let name = path.trim_start_matches('/');
    let name = if name.is_empty() { "index.html" } else { name };
    let plain = !name.contains(['\\', '%', ':', '\0']);
    let inside = Path::new(name).components().all(|c| match c {
        Component::Normal(part) => part.to_str().is_some_and(|p| !p.starts_with('.')),
        _ => false,
    });
    (plain && inside).then(|| name.to_owned())
}

fn accepts(headers: &HeaderMap, encoding: &str) -> bool {
    let Some(accepted) = headers.get(header::ACCEPT_ENCODING).and_then(|v| v.to_str().ok()) else {
        return false;
    };
    accepted.split(',').any(|item| {
        let mut parts = item.split(';').map(str::trim);
        parts.next().is_some_and(|name| name.eq_ignore_ascii_case(encoding))
            && parts.all(|q| !matches!(q.replace(' ', "").as_str(), "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
    })
}

/// `app-0123456789abcdef.js`, `app-0123456789abcdef_bg.wasm`: the hash is at least 8 hex digits
/// between a dash and what is no hex digit.
fn cache_rule(name: &str) -> &'static str {
    let hashed = name.split('-').skip(1).any(|rest| {
        let digits = rest.bytes().take_while(u8::is_ascii_hexdigit).count();
        digits >= 8 && rest.as_bytes().get(digits).is_some_and(|b| matches!(b, b'.' | b'_'))
    });
    if hashed { "public, max-age=31536000, immutable" } else { "no-cache" }
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "wasm" => "application/wasm",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "txt" | "ftl" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_inside_the_folder() {
        assert_eq!(safe_name("/").as_deref(), Some("index.html"));
        assert_eq!(safe_name("/a/b.js").as_deref(), Some("a/b.js"));
        for bad in ["/../secret", "/a/../../b", "/.git/config", "/a\\..\\b", "/%2e%2e/b", "/c:/x", "//../x"] {
            assert_eq!(safe_name(bad), None, "{bad}");
        }
    }

    #[test]
    fn only_hashed_names_are_kept() {
        for (name, kept) in [
            ("index.html", false),
            ("hearthwatt-ui.js", false),
            ("hearthwatt-ui-0a1b2c3d4e5f6071_bg.wasm", true),
            ("style-deadbeef.css", true),
            ("style-dead.css", false),
            ("boot.js", false),
        ] {
            assert_eq!(cache_rule(name).contains("immutable"), kept, "{name}");
        }
    }

    #[test]
    fn a_refused_encoding_is_not_sent() {
        let accepted = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, value.parse().unwrap());
            accepts(&headers, "br")
        };
        assert!(accepted("gzip, deflate, br"));
        assert!(accepted("br;q=0.5"));
        assert!(!accepted("br;q=0, gzip"));
        assert!(!accepted("brotli"));
    }
}
