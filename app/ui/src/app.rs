//! The frame: navigation, banners, the screen, messages.

use crate::browser;
use crate::effects::{App, use_app, use_ctx};
use crate::pages;
use crate::parts::Icon;
use crate::route::Route;
use crate::state::{Action, Link};
use hearthwatt_api::{LeaveDemo, Severity};
use yew::prelude::*;

/// Puts the page in place of the skeleton that the document came with.
pub fn mount() {
    if let Some(root) = browser::document().get_element_by_id("app") {
        root.set_inner_html("");
        yew::Renderer::<Root>::with_root(root).render();
    }
}

#[component]
fn Root() -> Html {
    let app = use_app();
    html! { <ContextProvider<App> context={app}><Frame /></ContextProvider<App>> }
}

#[component]
fn Frame() -> Html {
    let app = use_ctx();
    let name = app.route.name();
    let title = app.t(&format!("nav-{name}"));
    use_effect_with(title.clone(), |title| browser::document().set_title(&format!("{title} · Hearthwatt")));
    let skip = Callback::from(|e: MouseEvent| {
        e.prevent_default();
        browser::focus("content");
    });
    html! {
        <>
            <a class="skip" href="#content" onclick={skip}>{ app.t("skip-link") }</a>
            <div class={classes!("frame", app.has_sync_line().then_some("with-sync"))}>
                <Rail />
                <main id="content" class="content" tabindex="-1" data-testid={format!("page-{name}")}>
                    <Banners />
                    <Screen />
                </main>
            </div>
            <Toasts />
        </>
    }
}

#[component]
fn Screen() -> Html {
    let app = use_ctx();
    // a home that was replaced takes every screen's memory with it
    let key = format!("{}-{}", app.route.name(), app.generation);
    match app.route.clone() {
        Route::Now => html! { <pages::now::Now {key} /> },
        Route::History(query) => html! { <pages::history::HistoryPage {key} {query} /> },
        Route::Budgets => html! { <pages::budgets::Budgets {key} /> },
        Route::Alerts => html! { <pages::alerts::Alerts {key} /> },
        Route::Alert(id) => html! { <pages::alerts::Alerts {key} focus={Some(id)} /> },
        Route::Meters => html! { <pages::meters::Meters {key} /> },
        Route::Home => html! { <pages::home::Home {key} /> },
        Route::Sharing => html! { <pages::sharing::Sharing {key} /> },
    }
}

#[component]
fn Rail() -> Html {
    let app = use_ctx();
    let open_alerts = app.overview.as_ref().map_or(0, |o| o.open_alerts);
    let home_name = app.overview.as_ref().map(|o| o.home_name.clone()).unwrap_or_default();
    html! {
        <header class="rail">
            <div class="rail-head">
                <Icon name="hearth" />
                <span class="rail-name">{ if home_name.is_empty() { "Hearthwatt".to_owned() } else { home_name } }</span>
            </div>
            <nav aria-label={app.t("nav-label")}>
                <ul>
                    { for Route::all().into_iter().map(|route| {
                        let name = route.name();
                        let current = app.route.name() == name;
                        let badge = (name == "alerts" && open_alerts > 0).then_some(open_alerts);
                        html! {
                            <li key={name}>
                                <a id={format!("nav-{name}")} data-testid={format!("nav-{name}")} href={route.href()}
                                    aria-current={current.then_some("page")}>
                                    <Icon {name} />
                                    <span>{ app.t(&format!("nav-{name}")) }</span>
                                    if let Some(n) = badge {
                                        <span class="badge" data-testid="alerts-badge">
                                            { n }<span class="only-heard">{ format!(" {}", app.i18n.ta("nav-open-alerts", [("n", n.into())])) }</span>
                                        </span>
                                    }
                                </a>
                            </li>
                        }
                    }) }
                    <pages::sharing::line::SyncLine />
                </ul>
            </nav>
        </header>
    }
}

/// What stands above every screen: the connection, the demo, what is wrong.
#[component]
fn Banners() -> Html {
    let app = use_ctx();
    let leave = crate::effects::use_action::<LeaveDemo>(Callback::noop());
    let is_demo = app.overview.as_ref().is_some_and(|o| o.demo);
    html! {
        <div class="banners">
            <div role="status" id="link-status">
                if app.link == Link::Down {
                    <p class="banner warn" data-testid="out-of-touch">
                        <strong>{ app.t("link-down") }</strong>{ " " }{ app.t("link-down-detail") }
                    </p>
                }
            </div>
            if let (Some(error), Link::Starting | Link::Up) = (&app.trouble, app.link) {
                <p class="banner over" role="alert" data-testid="trouble">
                    { crate::effects::error_words(&app.i18n, error) }
                </p>
            }
            <pages::sharing::line::SharingBanner />
            if is_demo {
                <p class="banner demo" data-testid="demo-banner">
                    <span><strong>{ app.t("demo-banner") }</strong>{ " " }{ app.t("demo-banner-detail") }</span>
                    <button type="button" id="leave-demo" data-testid="leave-demo" onclick={move |_| leave.emit(LeaveDemo {})}>{ app.t("demo-leave") }</button>
                </p>
            }
            { for app.notices.iter().map(|notice| {
                let (class, word) = match notice.severity {
                    Severity::Error => ("banner over", "severity-error"),
                    Severity::Warning => ("banner warn", "severity-warning"),
                    Severity::Info => ("banner", "severity-info"),
                };
                html! {
                    <p {class} data-testid="notice">
                        <strong>{ app.t(word) }</strong>{ " " }{ app.i18n.notice(notice) }
                        { " " }<span class="muted">{ app.i18n.ta("since", [("when", app.i18n.moment(notice.since, app.clock.now()).into())]) }</span>
                    </p>
                }
            }) }
        </div>
    }
}

#[component]
fn Toasts() -> Html {
    let app = use_ctx();
    html! {
        <div class="toasts" role="status" aria-live="polite" data-testid="toasts">
            { for app.toasts.iter().map(|toast| {
                let (app, id) = (app.clone(), toast.id);
                let close = app.t("toast-close");
                html! {
                    <p key={id} class={classes!("toast", toast.is_error.then_some("over"))}>
                        <span>{ &toast.text }</span>
                        <button type="button" class="quiet" aria-label={close} onclick={move |_| app.dispatch(Action::Untell(id))}>{ "×" }</button>
                    </p>
                }
            }) }
        </div>
    }
}
