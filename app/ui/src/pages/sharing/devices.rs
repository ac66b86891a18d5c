//! The devices that have the shared home.

use super::as_of;
use crate::effects::{use_ctx, use_passing_time, use_query, use_slow_action};
use crate::forms::ask::Ask;
use crate::parts::Fault;
use crate::state::Topics;
use hearthwatt_api::{DeviceList, DeviceView, ListDevices, RemoveDevice};
use yew::prelude::*;

const HEAD: &str = "sharing-devices";

#[component]
pub fn Devices() -> Html {
    let app = use_ctx();
    use_passing_time();
    let query = use_query(ListDevices {}, Topics::MEMBERS.and(Topics::ACCOUNT));
    html! {
        <section class="card" aria-labelledby={HEAD} data-testid="devices-card">
            <h2 id={HEAD} tabindex="-1">{ app.t("devices-title") }</h2>
            if let Some(error) = query.error.clone() {
                <Fault {error} />
            }
            if let Some(list) = query.data.clone() {
                { as_of(&app, list.as_of) }
                <ul class="lines">
                    { for in_order(&list.devices).into_iter().map(|d| html! {
                        <Row key={d.id.to_string()} device={d.clone()} onlist={query.setter()} />
                    }) }
                </ul>
            }
        </section>
    }
}

/// This one first, then by when they were last seen.
fn in_order(devices: &[DeviceView]) -> Vec<&DeviceView> {
    let mut all: Vec<&DeviceView> = devices.iter().collect();
    all.sort_by_key(|d| (!d.here, std::cmp::Reverse(d.last_seen), d.id));
    all
}

#[derive(PartialEq, Properties)]
struct RowProps {
    device: DeviceView,
    onlist: Callback<DeviceList>,
}

#[component]
fn Row(props: &RowProps) -> Html {
    let app = use_ctx();
    let d = &props.device;
    let (remove, busy) = use_slow_action::<RemoveDevice>(props.onlist.clone());
    let named = |key: &str| AttrValue::from(app.i18n.ta(key, [("name", d.name.clone().into())]));
    let seen = match d.last_seen {
        _ if d.here => app.t("devices-here"),
        Some(at) => {
            let when = app.i18n.ago(at, app.clock.now());
            app.i18n.ta("devices-seen", [("when", when.into())])
        }
        None => app.t("devices-never-seen"),
    };
    let owner = app.i18n.ta("devices-of", [("owner", d.owner.clone().into())]);
    let id = d.id;
    html! {
        <li data-testid="device-row">
            <div class="grow">
                <strong>{ &d.name }</strong>
                <p class="small muted">{ format!("{owner} · {seen}") }</p>
            </div>
            // to end its own access a device signs out
            if d.removable && !d.here {
                <Ask id={format!("device-remove-{id}")} label={app.t("devices-remove")} named={named("devices-remove-named")}
                    question={named("devices-remove-ask")} confirm={app.t("devices-remove-do")} onconfirm={move |()| remove.emit(RemoveDevice { device: id })}
                    then_focus={HEAD} disabled={busy} />
            }
        </li>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hearthwatt_domain::time::UnixMillis;

    #[test]
    fn this_device_stands_first_then_the_latest() {
        let device = |n: u8, here, last_seen: Option<i64>| DeviceView {
            id: uuid::Uuid::from_bytes([n; 16]),
            name: n.to_string(),
            owner: String::new(),
            last_seen: last_seen.map(UnixMillis),
            here,
            removable: true,
        };
        let all = [
            device(1, false, None),
            device(2, false, Some(5)),
            device(3, true, Some(1)),
            device(4, false, Some(9)),
        ];
        let names: Vec<&str> = in_order(&all).iter().map(|d| d.name.as_str()).collect();
        assert_eq!(names, ["3", "4", "2", "1"]);
    }
}
