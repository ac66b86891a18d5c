//! The page. Pure parts (words, numbers, dates, addresses, state, series) know no browser and are
//! tested natively; `backend`, `effects` and `chart` hold everything that touches one.

// --- pure
pub mod calendar;
pub mod csv;
pub mod i18n;
pub mod qr;
pub mod route;
pub mod series;
pub mod state;
pub mod throttle;
// --- the browser
pub mod app;
pub mod backend;
pub mod browser;
pub mod chart;
pub mod effects;
pub mod forms;
pub mod live;
pub mod parts;
// --- screens
pub mod pages;

/// Starts the page; called by the loader of the WebAssembly module.
#[cfg(target_arch = "wasm32")]
#[wasm_bindgen::prelude::wasm_bindgen(start)]
pub fn start() {
    app::mount();
}
