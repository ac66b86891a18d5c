//! What the page may ask of the window.

use hearthwatt_api::{ApiError, ErrorCode};
use hearthwatt_shell::Shell;
use serde_json::Value;
use tauri::{AppHandle, State};
use tauri_plugin_autostart::ManagerExt;

/// Any call of `hearthwatt-api`, by name.
#[tauri::command]
pub async fn call(shell: State<'_, Shell>, name: String, params: Option<Value>) -> Result<Value, ApiError> {
    let params = params.unwrap_or_else(|| Value::Object(Default::default()));
    shell.call(&name, params).await
}

/// Whether Hearthwatt starts at login; off until asked for.
#[tauri::command]
pub async fn autostart_get(app: AppHandle) -> Result<bool, ApiError> {
    app.autolaunch().is_enabled().map_err(|e| failed(&e))
}

/// Switches start at login on or off; the answer is how it is now.
#[tauri::command]
pub async fn autostart_set(app: AppHandle, enabled: bool) -> Result<bool, ApiError> {
    let login = app.autolaunch();
    if enabled { login.enable() } else { login.disable() }.map_err(|e| failed(&e))?;
    login.is_enabled().map_err(|e| failed(&e))
}

fn failed(error: &tauri_plugin_autostart::Error) -> ApiError {
    ApiError {
        code: ErrorCode::Internal,
        message: format!("Start at login can't be changed on this computer: {error}."),
        retry: false,
    }
}
