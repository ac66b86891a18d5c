//! What the household says about a meter: name, room, role, what measures it too, direction.

use super::row::role_name;
use super::tree::possible_parents;
use crate::effects::use_ctx;
use crate::forms::edit::use_edit;
use crate::forms::fields::{CheckField, SelectField, TextField};
use crate::forms::{Errors, NAME_MAX_CHARS, parse_name};
use crate::i18n::Lang;
use hearthwatt_api::{MeterList, MeterView, UpdateMeter};
use hearthwatt_domain::ids::MeterId;
use hearthwatt_domain::meter::Role;
use yew::prelude::*;

const FORM: &str = "meter-form";
const ROLES: [Role; 4] = [Role::Grid, Role::Solar, Role::Battery, Role::Load];

#[derive(PartialEq, Properties)]
pub struct EditorProps {
    pub view: MeterView,
    pub all: Vec<MeterView>,
    pub onsaved: Callback<(MeterId, MeterList)>,
    pub onclose: Callback<MeterId>,
}

fn check(update: &mut UpdateMeter, _: Lang) -> Result<UpdateMeter, Errors> {
    let mut errors = Errors::default();
    let name = errors.take("name", parse_name(&update.name));
    let room = update.room.trim().to_owned();
    if room.chars().count() > NAME_MAX_CHARS {
        errors.add("room", "form-error-name-long");
    }
    match name {
        Some(name) if errors.is_empty() => Ok(UpdateMeter { name, room, ..update.clone() }),
        _ => Err(errors),
    }
}

#[component]
pub fn Editor(props: &EditorProps) -> Html {
    let app = use_ctx();
    let m = &props.view.meter;
    let id = m.id;
    let initial = UpdateMeter {
        id,
        name: m.name.clone(),
        room: m.room.clone(),
        role: m.role,
        parent: m.parent,
        inverted: m.inverted,
    };
    let saved = {
        let saved = props.onsaved.clone();
        Callback::from(move |list| saved.emit((id, list)))
    };
    let close = {
        let close = props.onclose.clone();
        Callback::from(move |()| close.emit(id))
    };
    let form = use_edit(FORM, Some("name"), move || initial, check, saved, close);
    let text = |field: &str| form.error(field);
    let roles: Vec<(AttrValue, AttrValue)> = ROLES
        .map(|r| (role_name(r).into(), app.t(&format!("meter-role-{}-long", role_name(r))).into()))
        .to_vec();
    let mut parents: Vec<(AttrValue, AttrValue)> = vec![("".into(), app.t("meter-parent-none").into())];
    parents.extend(
        possible_parents(&props.all, id)
            .into_iter()
            .map(|v| (v.meter.id.to_string().into(), v.meter.name.clone().into())),
    );
    let rooms: std::collections::BTreeSet<String> =
        props.all.iter().map(|v| v.meter.room.clone()).filter(|r| !r.is_empty()).collect();
    let inverted_hint = app.t(match form.role {
        Role::Grid => "meter-inverted-grid",
        Role::Solar => "meter-inverted-solar",
        Role::Battery => "meter-inverted-battery",
        Role::Load => "meter-inverted-load",
    });
    html! {
        <form class="card form" data-testid="meter-form" onsubmit={form.onsubmit.clone()} onkeydown={form.onkeydown.clone()} novalidate=true aria-labelledby="meter-form-title">
            <h3 id="meter-form-title">{ app.i18n.ta("meter-edit-named", [("name", m.name.clone().into())]) }</h3>
            <TextField form={FORM} name="name" label={app.t("form-name")} value={form.name.clone()} error={text("name")}
                oninput={form.change(|f, v: String| f.name = v)} />
            <TextField form={FORM} name="room" label={app.t("meter-room")} value={form.room.clone()} error={text("room")} list={AttrValue::from("meter-rooms")}
                oninput={form.change(|f, v: String| f.room = v)} />
            <datalist id="meter-rooms">{ for rooms.into_iter().map(|r| html! { <option value={r} /> }) }</datalist>
            <SelectField form={FORM} name="role" label={app.t("meter-role")} options={roles} value={role_name(form.role)}
                onchange={form.change(|f, v: String| f.role = ROLES.into_iter().find(|r| role_name(*r) == v).unwrap_or(f.role))} />
            <SelectField form={FORM} name="parent" label={app.t("meter-parent")} hint={AttrValue::from(app.t("meter-parent-hint"))}
                options={parents} value={form.parent.map(|p| p.to_string()).unwrap_or_default()}
                onchange={form.change(|f, v: String| f.parent = v.parse().ok())} />
            <CheckField form={FORM} name="inverted" label={app.t("meter-inverted")} hint={AttrValue::from(inverted_hint)} checked={form.inverted}
                onchange={form.change(|f, v: bool| f.inverted = v)} />
            <p class="small muted device">
                { format!("{} · {}", m.key.family, m.key.device_id) }
                if !m.key.group.is_empty() { { format!(" · {}", m.key.group) } }
            </p>
            <div class="actions">
                <button type="submit" class="primary" data-testid="meter-save" disabled={form.busy}>{ app.t("form-save") }</button>
                <button type="button" onclick={form.oncancel.clone()}>{ app.t("form-cancel") }</button>
            </div>
        </form>
    }
}
