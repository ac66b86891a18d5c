//! The pages that the links in e-mails open: finish an account, set a new password.

use super::{Field, Page, Refused, fixed_email, form, message, notice, redirect, submit};
use crate::App;
use crate::http::Problem;
use crate::user::account::{self, Account};
use crate::user::device;
use crate::user::lang::Lang;
use crate::user::mailed::{self, Purpose};
use crate::user::password::{self, Weak};
use crate::user::records::{self, ACCOUNTS, Kept};
use crate::user::redirect::own_page;
use crate::user::token;
use crate::user::visit::{Fields, Query, Visit};
use crate::user::words::{Words, fill};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use maud::html;

/// What is wrong with a password, in words; empty if nothing is.
pub fn password_error(words: &'static Words, password: &str, email: &str) -> &'static str {
    match password::judge(password, email) {
        Ok(()) => "",
        Err(Weak::Short) => words.password_short,
        Err(Weak::Long) => words.password_long,
        Err(Weak::Guessable) => words.password_guessable,
    }
}

fn spent_page(visit: Visit) -> Page {
    let words = visit.lang.words();
    let body = html! {
        (message(words.wrong_title, words.link_spent))
        div.links {
            a href="/account/sign-in" { (words.sign_in) }
            a href="/account/forgot" { (words.forgot_link) }
        }
    };
    Page::new(visit, words.wrong_title, body).status(StatusCode::GONE)
}

fn verify_page(visit: Visit, token: &str, email: &str, name: &str, errors: (&str, &str)) -> Page {
    let words = visit.lang.words();
    let fields = html! {
        (fixed_email(words.email, email))
        (Field::text("name", words.name, "name").hint(words.name_hint).value(name).error(errors.0).show())
        (Field::password("password", words.password, "new-password").hint(words.password_hint).error(errors.1).show())
        div.actions { (submit(words.first_button)) }
    };
    let body = html! {
        h1 { (words.verify_title) }
        p { (fill(words.verify_text, &[("email", email)])) }
        (form(&visit.csrf(), "/account/verify", &[("token", token)], &fields))
    };
    let page = Page::new(visit, words.verify_title, body);
    if errors == ("", "") { page } else { page.status(StatusCode::UNPROCESSABLE_ENTITY) }
}

/// `GET /account/verify?token=`
pub async fn show_verify(
    State(app): State<App>,
    visit: Visit,
    Query(query): Query,
) -> Result<Response, Refused> {
    Ok(match mailed::look(&app, query.get("token"), Purpose::Verify).await? {
        Some(kept) => verify_page(visit, query.get("token"), &kept.value.email, "", ("", "")).into_response(),
        None => spent_page(visit).into_response(),
    })
}

/// `POST /account/verify`
pub async fn submit_verify(State(app): State<App>, mut visit: Visit, fields: Fields) -> Response {
    if let Err(refused) = visit.check(&fields) {
        return refused.page(visit).into_response();
    }
    let kept = match mailed::look(&app, fields.get("token"), Purpose::Verify).await {
        Ok(Some(kept)) => kept,
        Ok(None) => return spent_page(visit).into_response(),
        Err(e) => return Refused::from(e).page(visit).into_response(),
    };
    let words = visit.lang.words();
    let email = kept.value.email.clone();
    let name = account::person_name(fields.get("name"));
    let name_error = if name.is_some() { "" } else { words.name_wrong };
    let password_error = password_error(words, fields.get("password"), &email);
    let (Some(name), "") = (name, password_error) else {
        return verify_page(
            visit,
            fields.get("token"),
            &email,
            fields.get("name"),
            (name_error, password_error),
        )
        .into_response();
    };
    let result = async {
        let made = make(&app, name, &email, fields.get("password"), Some(visit.lang)).await?;
        let created = account::create(&app, &made).await?;
        // the account first: a crash in between leaves a link that finds the mailbox taken
        mailed::use_up(&app, &kept).await?;
        Ok::<_, Problem>(created.then_some(made.id))
    };
    let created = match result.await {
        Ok(created) => created,
        Err(problem) => return Refused::from(problem).page(visit).into_response(),
    };
    let Some(id) = created else {
        let body = html! {
            (message(words.wrong_title, words.taken))
            div.links { a href="/account/sign-in" { (words.sign_in) } }
        };
        return Page::new(visit, words.wrong_title, body).status(StatusCode::CONFLICT).into_response();
    };
    let next = kept.value.next.as_deref().and_then(own_page).unwrap_or("/account").to_owned();
    match enter(&app, &mut visit, id).await {
        Ok(()) => redirect(visit, &next),
        Err(problem) => Refused::from(problem).page(visit).into_response(),
    }
}

/// An account that isn't stored yet.
///
/// # Errors
/// Too many passwords at once; no randomness.
pub async fn make(
    app: &App,
    name: String,
    email: &str,
    password: &str,
    lang: Option<Lang>,
) -> Result<Account, Problem> {
    Ok(Account {
        id: token::uuid(app.world.as_ref())?,
        name,
        email: email.to_owned(),
        email_key: Some(account::email_key(email)),
        password: Some(app.user.passwords.hash(app.world.as_ref(), password).await?),
        language: lang.map(|l| l.tag().to_owned()),
        created: app.world.now(),
        first: None,
    })
}

/// Signs the browser in to an account that was just made or proved.
///
/// # Errors
/// The store failed.
pub async fn enter(app: &App, visit: &mut Visit, id: uuid::Uuid) -> Result<(), Problem> {
    let account = account::get(app, id).await?.ok_or_else(|| Problem::internal(&"an account is gone"))?;
    visit.sign_in(app, account).await
}

fn reset_page(visit: Visit, token: &str, email: &str, error: &str) -> Page {
    let words = visit.lang.words();
    let fields = html! {
        (fixed_email(words.email, email))
        (Field::password("password", words.new_password, "new-password").hint(words.password_hint).error(error).show())
        label.check {
            input type="checkbox" name="devices" value="yes" checked;
            span { (words.reset_devices) }
        }
        div.actions { (submit(words.reset_button)) }
    };
    let body = html! {
        h1 { (words.reset_title) }
        (form(&visit.csrf(), "/account/reset", &[("token", token)], &fields))
    };
    let page = Page::new(visit, words.reset_title, body);
    if error.is_empty() { page } else { page.status(StatusCode::UNPROCESSABLE_ENTITY) }
}

/// `GET /account/reset?token=`
pub async fn show_reset(
    State(app): State<App>,
    visit: Visit,
    Query(query): Query,
) -> Result<Response, Refused> {
    Ok(match mailed::look(&app, query.get("token"), Purpose::Reset).await? {
        Some(kept) => reset_page(visit, query.get("token"), &kept.value.email, "").into_response(),
        None => spent_page(visit).into_response(),
    })
}

/// `POST /account/reset`
pub async fn submit_reset(State(app): State<App>, mut visit: Visit, fields: Fields) -> Response {
    if let Err(refused) = visit.check(&fields) {
        return refused.page(visit).into_response();
    }
    let found = async {
        let kept = mailed::look(&app, fields.get("token"), Purpose::Reset).await?;
        let Some((kept, id)) = kept.and_then(|k| k.value.account.map(|id| (k, id))) else { return Ok(None) };
        Ok::<_, Problem>(account::get(&app, id).await?.map(|account| (kept, account)))
    };
    let (kept, account) = match found.await {
        Ok(Some(found)) => found,
        Ok(None) => return spent_page(visit).into_response(),
        Err(problem) => return Refused::from(problem).page(visit).into_response(),
    };
    let words = visit.lang.words();
    let error = password_error(words, fields.get("password"), &account.value.email);
    if !error.is_empty() {
        return reset_page(visit, fields.get("token"), &account.value.email, error).into_response();
    }
    let result = async {
        let hash = app.user.passwords.hash(app.world.as_ref(), fields.get("password")).await?;
        // the link first: a crash in between costs asking for another one
        if !mailed::use_up(&app, &kept).await? {
            return Ok(false);
        }
        set_password(&app, &account, hash, visit.lang).await?;
        if fields.get("devices") == "yes" {
            device::remove_all(&app, account.value.id).await?;
        }
        enter(&app, &mut visit, account.value.id).await?;
        Ok::<_, Problem>(true)
    };
    match result.await {
        Ok(true) => {
            redirect(visit, kept.value.next.as_deref().and_then(own_page).unwrap_or("/account?done=password"))
        }
        Ok(false) => spent_page(visit).into_response(),
        Err(problem) => Refused::from(problem).page(visit).into_response(),
    }
}

/// Stores a new password, ends all browsers that were signed in, and tells the owner.
///
/// # Errors
/// The store failed.
pub async fn set_password(
    app: &App,
    account: &Kept<Account>,
    hash: String,
    lang: Lang,
) -> Result<(), Problem> {
    let (store, now) = (app.store.as_ref(), app.world.now());
    records::update::<Account, ()>(store, &ACCOUNTS, &account.key, now, |account| {
        account.password = Some(hash.clone());
        Ok(())
    })
    .await?;
    account::end_browsers(app, account.value.id).await?;
    mailed::tell_changed(app, &account.value, lang).await
}

/// A sentence above a page that a redirect led to.
pub fn done_notice(words: &'static Words, done: &str) -> maud::Markup {
    let text = match done {
        "password" => words.reset_done,
        "device" => words.account_removed,
        _ => "",
    };
    notice("ok", text)
}
