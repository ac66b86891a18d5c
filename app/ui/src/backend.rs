//! The way to the engine: window messages in the app, HTTP and server-sent events in a browser.
//! Which one is seen at run time; the screens can't tell.

mod http;
mod window;

use hearthwatt_api::{ApiError, Call, ErrorCode, Event};
use serde_json::Value;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use yew::Callback;

/// What comes without being asked.
#[derive(Debug, Clone)]
pub enum Signal {
    Up,
    Down,
    Event(Event),
}

type Later<T> = Pin<Box<dyn Future<Output = Result<T, ApiError>>>>;
type Answer = Later<Value>;

/// Where everything went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exported {
    /// The browser downloads it now.
    Download,
    /// The window wrote it to this file.
    File(String),
}

pub trait Transport {
    fn send(&self, name: &'static str, params: Value) -> Answer;
    /// Everything of the home as a file.
    fn export(&self) -> Later<Exported>;
    /// A file in the place of the home.
    fn import(&self, file: web_sys::File) -> Later<()>;
    /// Begins to listen; reconnects by itself for as long as the page lives.
    fn listen(&self, sink: Callback<Signal>);
}

/// Typed calls over whichever transport there is.
#[derive(Clone)]
pub struct Backend(Rc<dyn Transport>);

impl PartialEq for Backend {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

impl Backend {
    pub fn detect() -> Self {
        if window::is_present() { Self(Rc::new(window::Window)) } else { Self(Rc::new(http::Http::new())) }
    }

    pub async fn call<C: Call>(&self, call: C) -> Result<C::Reply, ApiError> {
        let params = serde_json::to_value(call).map_err(|e| unreadable(C::NAME, &e))?;
        let reply = self.0.send(C::NAME, params).await?;
        serde_json::from_value(reply).map_err(|e| unreadable(C::NAME, &e))
    }

    /// Everything of the home as a file for this person.
    pub async fn export(&self) -> Result<Exported, ApiError> {
        self.0.export().await
    }

    /// Puts what is in a file (an export, or a copy of the database) in the place of the home.
    pub async fn import(&self, file: web_sys::File) -> Result<(), ApiError> {
        self.0.import(file).await
    }

    pub fn listen(&self, sink: Callback<Signal>) {
        self.0.listen(sink);
    }
}

fn unreadable(name: &str, e: &serde_json::Error) -> ApiError {
    ApiError {
        code: ErrorCode::Internal,
        message: format!("The page and the program do not fit together (\"{name}\": {e}). Reload the page."),
        retry: false,
    }
}

fn unavailable(message: &str) -> ApiError {
    ApiError { code: ErrorCode::Unavailable, message: message.to_owned(), retry: true }
}
