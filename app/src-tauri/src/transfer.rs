//! The home as a file, in the window: out into the person's downloads, in part by part.

use hearthwatt_api::{ApiError, ErrorCode};
use hearthwatt_shell::{Shell, Upload};
use tauri::ipc::{InvokeBody, Request};
use tauri::{AppHandle, Manager, State};
use tokio::sync::Mutex;

/// The file that the page is handing over.
#[derive(Default)]
pub struct Incoming(Mutex<Option<Upload>>);

/// Writes everything into a new file among the person's downloads; the answer is its path.
#[tauri::command]
pub async fn export_file(app: AppHandle, shell: State<'_, Shell>) -> Result<String, ApiError> {
    let folder = app.path().download_dir().ok().filter(|f| f.is_dir()).or_else(|| app.path().home_dir().ok());
    let folder = folder.ok_or_else(|| ApiError {
        code: ErrorCode::Storage,
        message: "This account has no folder for downloads and no home folder to write to.".into(),
        retry: false,
    })?;
    shell.export_into(folder).await.map(|path| path.display().to_string())
}

/// The page is about to hand over a file; one that it did not finish is forgotten.
#[tauri::command]
pub async fn import_begin(shell: State<'_, Shell>, incoming: State<'_, Incoming>) -> Result<(), ApiError> {
    let mut incoming = incoming.0.lock().await;
    *incoming = None;
    *incoming = Some(shell.upload().await?);
    Ok(())
}

/// The next part of it, as raw bytes.
#[tauri::command]
pub async fn import_part(incoming: State<'_, Incoming>, request: Request<'_>) -> Result<(), ApiError> {
    let InvokeBody::Raw(part) = request.body() else { return Err(out_of_turn()) };
    let mut incoming = incoming.0.lock().await;
    let mut upload = incoming.take().ok_or_else(out_of_turn)?;
    let part = part.clone();
    let written = tauri::async_runtime::spawn_blocking(move || upload.write(&part).map(|()| upload)).await;
    *incoming = Some(written.map_err(|_| out_of_turn())??);
    Ok(())
}

/// That was all of it: it takes the home's place.
#[tauri::command]
pub async fn import_end(shell: State<'_, Shell>, incoming: State<'_, Incoming>) -> Result<(), ApiError> {
    let upload = incoming.0.lock().await.take().ok_or_else(out_of_turn)?;
    shell.import(upload).await
}

/// The page gives up.
#[tauri::command]
pub async fn import_cancel(incoming: State<'_, Incoming>) -> Result<(), ApiError> {
    *incoming.0.lock().await = None;
    Ok(())
}

fn out_of_turn() -> ApiError {
    ApiError {
        code: ErrorCode::BadRequest,
        message: "The file was not handed over whole. Nothing was changed; try again.".into(),
        retry: true,
    }
}
