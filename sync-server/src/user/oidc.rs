//! Sign-in by an OpenID Connect provider.
//!
//! A person at a provider is known by issuer and subject alone. An e-mail address, verified or not,
//! never opens an account that exists: its owner signs in and links the provider on the account's
//! page. The flow is bound to the browser that began it, to one provider, and to one use.

mod http;
mod provider;

pub use provider::{Provider, configured};

use super::account::{self, Account, Identity};
use super::lang::Lang;
use super::limits::{IDENTITIES_PER_ACCOUNT, OIDC_FLOW};
use super::page::{self, Page, Refused, redirect};
use super::records::{self, OIDC_FLOWS};
use super::redirect::own_page;
use super::token;
use super::visit::{Query, Visit};
use super::words::{Words, fill};
use crate::App;
use crate::http::Problem;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use provider::{Failed, Person};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What is remembered while the person is at the provider.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Flow {
    provider: String,
    /// Which browser began it.
    browser: String,
    nonce: String,
    verifier: String,
    next: Option<String>,
    /// Whose account is to be linked.
    link: Option<Uuid>,
}

fn redirect_uri(app: &App, provider: &Provider) -> String {
    format!("{}/oidc/{}/callback", app.config.public_url(), provider.slug())
}

fn find<'a>(app: &'a App, slug: &str) -> Option<&'a Provider> {
    app.user.providers().iter().find(|p| p.slug() == slug)
}

fn failed_page(visit: Visit, text: &str, provider: &Provider, status: StatusCode) -> Response {
    let words = visit.lang.words();
    let text = fill(text, &[("provider", provider.name())]);
    let body = maud::html! {
        (page::message(words.wrong_title, &text))
        div.links { a href="/account/sign-in" { (words.sign_in) } }
    };
    Page::new(visit, words.wrong_title, body).status(status).into_response()
}

fn failure(visit: Visit, provider: &Provider, failed: &Failed) -> Response {
    tracing::warn!(provider = provider.name(), cause = %failed, "a sign-in did not succeed");
    let words = visit.lang.words();
    match failed {
        Failed::Away(_) => failed_page(visit, words.provider_away, provider, StatusCode::BAD_GATEWAY),
        Failed::Wrong(_) => failed_page(visit, words.provider_failed, provider, StatusCode::BAD_REQUEST),
        Failed::NoRandomness(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// `GET /oidc/{provider}/start?next=`: leads to the provider.
pub async fn start(
    State(app): State<App>,
    visit: Visit,
    Path(slug): Path<String>,
    Query(query): Query,
) -> Response {
    let Some(provider) = find(&app, &slug) else { return Refused::NotFound.page(visit).into_response() };
    let begun = match provider.begin(app.world.as_ref(), &redirect_uri(&app, provider)).await {
        Ok(begun) => begun,
        Err(failed) => return failure(visit, provider, &failed),
    };
    let link = visit.account.as_ref().map(|a| a.value.id).filter(|_| query.get("link") == "yes");
    let flow = Flow {
        provider: slug,
        browser: visit.flow(),
        nonce: begun.nonce,
        verifier: begun.verifier,
        next: own_page(query.get("next")).map(str::to_owned),
        link,
    };
    let expires = Some(app.world.now().plus_ms(OIDC_FLOW));
    match records::insert(app.store.as_ref(), &OIDC_FLOWS, &token::digest(&begun.state), &flow, expires).await
    {
        Ok(_) => redirect(visit, &begun.url),
        Err(e) => Refused::from(e).page(visit).into_response(),
    }
}

/// `GET /oidc/{provider}/callback`: back from the provider.
pub async fn callback(
    State(app): State<App>,
    mut visit: Visit,
    Path(slug): Path<String>,
    Query(query): Query,
) -> Response {
    let Some(provider) = find(&app, &slug) else { return Refused::NotFound.page(visit).into_response() };
    let flow = match take(&app, &visit, provider, query.get("state")).await {
        Ok(Some(flow)) => flow,
        Ok(None) => return failure(visit, provider, &Failed::Wrong("unknown state".into())),
        Err(e) => return Refused::from(e).page(visit).into_response(),
    };
    // RFC 9207: an answer of another provider, in the place of this one's
    if !matches!(query.get("iss"), "") && query.get("iss") != provider.issuer() {
        return failure(visit, provider, &Failed::Wrong("iss is another provider's".into()));
    }
    if query.get("code").is_empty() {
        return failure(visit, provider, &Failed::Wrong(format!("error {:.40}", query.get("error"))));
    }
    let back = redirect_uri(&app, provider);
    let begun = (flow.nonce.as_str(), flow.verifier.as_str());
    let finished = provider.finish(app.world.as_ref(), &back, query.get("code"), begun);
    let person = match finished.await {
        Ok(person) => person,
        Err(failed) => return failure(visit, provider, &failed),
    };
    let next = flow.next.as_deref().and_then(own_page).unwrap_or("/account").to_owned();
    let entered = match flow.link {
        Some(account) => link(&app, &visit, provider, &person, account).await,
        None => enter(&app, &mut visit, provider, &person).await,
    };
    let words = visit.lang.words();
    match entered {
        Ok(Entered::In) => redirect(visit, &next),
        Ok(Entered::Linked) => redirect(visit, &format!("/account?done=linked&provider={}", provider.slug())),
        Ok(Entered::TakenByOther) => redirect(visit, "/account?done=taken"),
        Ok(Entered::EmailTaken) => {
            let query = form_urlencoded::Serializer::new(String::new())
                .append_pair("next", &next)
                .append_pair("link", provider.slug())
                .finish();
            redirect(visit, &format!("/account/sign-in?{query}"))
        }
        Ok(Entered::Closed) => failed_page(visit, closed(words), provider, StatusCode::FORBIDDEN),
        Err(problem) => Refused::from(problem).page(visit).into_response(),
    }
}

fn closed(words: &'static Words) -> &'static str {
    words.provider_closed
}

/// The flow with this state, once, for the browser and provider that it was begun with.
async fn take(app: &App, visit: &Visit, provider: &Provider, state: &str) -> Result<Option<Flow>, Problem> {
    if !token::is_shaped(state, "") {
        return Ok(None);
    }
    let (store, key) = (app.store.as_ref(), token::digest(state));
    let Some(kept) = records::get::<Flow>(store, &OIDC_FLOWS, &key, app.world.now()).await? else {
        return Ok(None);
    };
    if kept.value.provider != provider.slug() || !token::same(&kept.value.browser, &visit.flow()) {
        return Ok(None);
    }
    let is_first = store.delete(&OIDC_FLOWS, &key, None).await?;
    Ok(is_first.then_some(kept.value))
}

enum Entered {
    In,
    Linked,
    /// This person at the provider belongs to another account.
    TakenByOther,
    /// The address has an account, which its owner has to open.
    EmailTaken,
    Closed,
}

/// Links the person to the account that is signed in.
async fn link(
    app: &App,
    visit: &Visit,
    provider: &Provider,
    person: &Person,
    account: Uuid,
) -> Result<Entered, Problem> {
    // signed out or somebody else meanwhile
    if visit.account.as_ref().map(|a| a.value.id) != Some(account) {
        return Ok(Entered::Closed);
    }
    if account::identities(app, account).await?.len() >= IDENTITIES_PER_ACCOUNT {
        return Ok(Entered::Closed);
    }
    let identity = identity_of(provider, person, account);
    if account::link(app, &identity).await? {
        return Ok(Entered::Linked);
    }
    let there = account::identity(app, &identity.issuer, &identity.subject).await?;
    Ok(if there.is_some_and(|i| i.account == account) { Entered::Linked } else { Entered::TakenByOther })
}

fn identity_of(provider: &Provider, person: &Person, account: Uuid) -> Identity {
    let (issuer, subject) = (provider.issuer().to_owned(), person.subject.clone());
    Identity { account, issuer, subject, provider: provider.name().to_owned() }
}

/// Signs the person in; somebody new gets an account.
///
/// The link is written before the account: it names the account's id, so a crash in between leaves a
/// link whose account is made the next time.
async fn enter(
    app: &App,
    visit: &mut Visit,
    provider: &Provider,
    person: &Person,
) -> Result<Entered, Problem> {
    let known = account::identity(app, provider.issuer(), &person.subject).await?;
    let id = match &known {
        Some(identity) => identity.account,
        None => token::uuid(app.world.as_ref())?,
    };
    if let Some(account) = account::get(app, id).await? {
        visit.sign_in(app, account).await?;
        return Ok(Entered::In);
    }
    let email = person.email.clone().filter(|e| account::is_email(e));
    if let Some(email) = &email
        && account::by_email(app, email).await?.is_some()
    {
        return Ok(Entered::EmailTaken);
    }
    let identity = identity_of(provider, person, id);
    if known.is_none() && !account::link(app, &identity).await? {
        // the same person in two windows: the other one was first
        return Err(Problem::unavailable("Try again.", std::time::Duration::from_secs(1)));
    }
    let account = new_account(app, id, person, email, visit.lang);
    if !account::create(app, &account).await? && account::get(app, id).await?.is_none() {
        account::unlink(app, &identity).await?;
        return Ok(Entered::EmailTaken);
    }
    page::mailed::enter(app, visit, id).await?;
    Ok(Entered::In)
}

fn new_account(app: &App, id: Uuid, person: &Person, email: Option<String>, lang: Lang) -> Account {
    let name = person.name.as_deref().and_then(account::person_name);
    let local = || email.as_deref().and_then(|e| e.split('@').next()).and_then(account::person_name);
    Account {
        id,
        name: name.or_else(local).unwrap_or_else(|| "—".into()),
        email_key: email.as_deref().map(account::email_key),
        email: email.unwrap_or_default(),
        password: None,
        language: Some(lang.tag().to_owned()),
        created: app.world.now(),
        first: None,
    }
}
