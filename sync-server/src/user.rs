//! Accounts, sign-in, homes, members, devices, invitations.
//!
//! Pure rules are in `home`, `redirect`, `oauth::pkce`, `password`, `throttle`; the modules beside
//! them store; `page` and `api` are the routes. Every bound is in `limits`, every table in `records`.

mod account;
mod api;
mod device;
mod export;
mod home;
mod homes;
mod invitation;
mod lang;
mod limits;
mod mailed;
mod oauth;
mod oidc;
mod page;
mod password;
mod records;
pub(crate) mod redirect;
mod throttle;
mod token;
mod visit;
mod words;

use crate::Config;
use crate::app::{App, StartError, World};
use crate::http::auth::{Caller, Right};
use crate::store::{StoreError, Table};
use axum::routing::{get, post};
use hearthwatt_server_api::paths;
use std::path::PathBuf;
use std::time::Duration;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

/// What the service keeps in the store.
pub static TABLES: &[&Table] = records::ALL;

/// How often what has expired is swept away.
const SWEEP: Duration = Duration::from_secs(10 * 60);
/// Records swept away in one go, so that a sweep never holds up the store.
const SWEEP_BATCH: usize = 500;

/// Options of the command line that concern accounts. The lists of providers belong together by
/// their order.
#[derive(Clone, Debug, Default, clap::Args)]
#[group(id = "user")]
pub struct Options {
    /// Who may make an account: `open` (anybody with a mailbox) or `invitation` (with an invitation
    /// to a home). Without it: `open` on this computer, `invitation` elsewhere.
    #[arg(long, env = "HEARTHWATT_REGISTRATION")]
    pub registration: Option<Registration>,
    /// A file with the code that lets somebody set up a new server from elsewhere. Without it one is
    /// made up at each start and printed.
    #[arg(long, env = "HEARTHWATT_SETUP_CODE_FILE")]
    pub setup_code_file: Option<PathBuf>,
    /// OpenID Connect: the provider's issuer, `https://login.example`.
    #[arg(long = "oidc-issuer", env = "HEARTHWATT_OIDC_ISSUER", value_delimiter = ',')]
    pub oidc_issuers: Vec<String>,
    /// The client id at the provider. Its redirect address there is `{server}/oidc/{name}/callback`.
    #[arg(long = "oidc-client-id", env = "HEARTHWATT_OIDC_CLIENT_ID", value_delimiter = ',')]
    pub oidc_client_ids: Vec<String>,
    /// A file with the client secret at the provider.
    #[arg(
        long = "oidc-client-secret-file",
        env = "HEARTHWATT_OIDC_CLIENT_SECRET_FILE",
        value_delimiter = ','
    )]
    pub oidc_secret_files: Vec<PathBuf>,
    /// What the button says.
    #[arg(long = "oidc-name", env = "HEARTHWATT_OIDC_NAME", value_delimiter = ',')]
    pub oidc_names: Vec<String>,
}

/// Who may make an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Registration {
    Open,
    Invitation,
}

/// What the service keeps in memory.
pub struct State {
    pub(crate) passwords: password::Passwords,
    exports: export::Exports,
    providers: Vec<oidc::Provider>,
    pub(crate) open_registration: bool,
    setup_code: String,
    /// The code was made up, so somebody has to be told.
    setup_code_is_new: bool,
}

impl State {
    /// # Errors
    /// The configuration asks for what can't be.
    pub fn new(config: &Config, world: &dyn World) -> Result<Self, StartError> {
        let options = &config.user;
        let providers = oidc::configured(options).map_err(StartError::Config)?;
        let given = options.setup_code_file.as_deref().map(crate::config::read_secret);
        let given = given.transpose().map_err(StartError::Config)?;
        if given.as_ref().is_some_and(|code| code.len() < 12) {
            return Err(StartError::Config("the setup code is too short: at least 12 characters".into()));
        }
        let setup_code_is_new = given.is_none();
        let setup_code = match given {
            Some(code) => code,
            None => token::invitation_code(world).map_err(|e| StartError::Config(e.to_string()))?,
        };
        let local = redirect::is_loopback_host(redirect::host_of(&config.public_url()));
        let open_registration = match options.registration {
            Some(registration) => registration == Registration::Open,
            None => local,
        };
        let passwords = password::Passwords::default();
        let exports = export::Exports::default();
        Ok(Self { passwords, exports, providers, open_registration, setup_code, setup_code_is_new })
    }

    pub(crate) fn providers(&self) -> &[oidc::Provider] {
        &self.providers
    }

    /// Whether this is the code that lets somebody set up the server from elsewhere.
    pub(crate) fn is_setup_code(&self, typed: &str) -> bool {
        let typed = if self.setup_code_is_new {
            token::read_invitation_code(typed).unwrap_or_default()
        } else {
            typed.trim().to_owned()
        };
        token::same(&typed, &self.setup_code)
    }
}

/// The service's routes.
pub fn router() -> OpenApiRouter<App> {
    use page::{account, front, mailed, sign_in};
    let described = OpenApiRouter::new()
        .routes(routes!(oauth::metadata::metadata))
        .routes(routes!(oauth::token_endpoint::token))
        .routes(routes!(oauth::token_endpoint::revoke))
        .routes(routes!(oauth::device::begin))
        .merge(api::router());
    // pages are for people: the description leaves them out
    described
        .route(paths::AUTHORIZE, get(oauth::authorize::show).post(oauth::authorize::decide))
        .route("/", get(front::show).post(front::create_first))
        .route("/join/{code}", get(front::join))
        .route(paths::DEVICE_PAGE, get(front::show_device).post(front::submit_device))
        .route("/account", get(account::show))
        .route("/account/devices", post(account::remove_device))
        .route("/account/password", post(account::change_password))
        .route("/account/sign-in", get(sign_in::show).post(sign_in::submit_sign_in))
        .route("/account/sign-out", post(sign_in::sign_out))
        .route("/account/register", get(sign_in::show_register).post(sign_in::submit_register))
        .route("/account/forgot", get(sign_in::show_forgot).post(sign_in::submit_forgot))
        .route("/account/verify", get(mailed::show_verify).post(mailed::submit_verify))
        .route("/account/reset", get(mailed::show_reset).post(mailed::submit_reset))
        .route("/oidc/{provider}/start", get(oidc::start))
        .route("/oidc/{provider}/callback", get(oidc::callback))
        .route(page::STYLE_PATH, get(page::style))
}

/// What whoever starts the server has to know while it has no account; said on the terminal, never
/// logged: the code lets somebody in.
///
/// # Errors
/// The store failed.
pub async fn setup_hint(app: &App) -> Result<Option<String>, StoreError> {
    if !app.user.setup_code_is_new || !account::is_first(app).await? {
        return Ok(None);
    }
    let code = &app.user.setup_code;
    Ok(Some(format!(
        "There is no account yet. To make the first from another computer, use the setup code {code}."
    )))
}

/// Starts what runs beside requests: sweeping what has expired, finishing deletions.
pub fn start(app: &App) {
    let tasks = app.http.tasks.clone();
    let app = app.clone();
    tasks.spawn(async move {
        let stopped = app.http.stopped();
        tokio::pin!(stopped);
        loop {
            if let Err(e) = tidy(&app).await {
                tracing::warn!(cause = %e, "tidying up goes on later");
            }
            tokio::select! {
                () = &mut stopped => return,
                () = tokio::time::sleep(SWEEP) => {}
            }
        }
    });
}

/// Finishes deletions that a crash has cut short, and sweeps away what has expired.
///
/// # Errors
/// The store failed.
pub async fn tidy(app: &App) -> Result<(), StoreError> {
    homes::finish_deletions(app).await?;
    for table in TABLES {
        app.store.sweep(table, app.world.now(), SWEEP_BATCH).await?;
    }
    Ok(())
}

/// Whose token this is; `None` if it is nobody's (any more).
///
/// # Errors
/// The store failed.
pub async fn authenticate(app: &App, token: &str) -> Result<Option<Caller>, StoreError> {
    device::authenticate(app, token).await
}

/// Whose ticket this is, once: `None` if it is unknown, used or too old.
///
/// # Errors
/// The store failed.
pub async fn redeem_ticket(app: &App, ticket: &str) -> Result<Option<Caller>, StoreError> {
    device::redeem_ticket(app, ticket).await
}

/// Whether the caller's device is still signed in. Asked again and again for open connections;
/// whatever ends it calls [`crate::store::Store::touch`] with the device (or account) id, so that
/// connections in every process end at once.
///
/// # Errors
/// The store failed.
pub async fn is_signed_in(app: &App, caller: &Caller) -> Result<bool, StoreError> {
    device::is_signed_in(app, caller).await
}

/// What the caller may do with a document (a home, or the caller's preferences in a home); `None`
/// if it doesn't exist for the caller. A change of members calls [`crate::store::Store::touch`]
/// with the home's id.
///
/// # Errors
/// The store failed.
pub async fn rights(app: &App, caller: &Caller, document: Uuid) -> Result<Option<Right>, StoreError> {
    homes::rights(app, caller, document).await
}
