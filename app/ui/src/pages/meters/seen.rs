//! Devices that announced themselves but send nothing usable yet, and what to do about it.

use crate::effects::use_ctx;
use hearthwatt_api::{SeenDevice, SeenHint};
use yew::prelude::*;

/// Brands whose way to MQTT is described, in the order of the guide.
pub const BRANDS: [&str; 4] = ["shelly", "tasmota", "zigbee2mqtt", "homeassistant"];

/// The brand whose description fits a family of the decoder.
pub fn brand_of(family: &str) -> Option<&'static str> {
    match family {
        "ha_discovery" | "home_assistant" => Some("homeassistant"),
        f => BRANDS.into_iter().find(|b| f.starts_with(b)),
    }
}

#[derive(PartialEq, Properties)]
pub struct BrandStepsProps {
    pub brand: AttrValue,
}

/// How to switch on MQTT in the devices of a brand, step by step.
#[component]
pub fn BrandSteps(props: &BrandStepsProps) -> Html {
    let app = use_ctx();
    let steps = app.t(&format!("guide-{}", props.brand));
    html! {
        <ol class="steps">{ for steps.lines().map(str::trim).filter(|l| !l.is_empty()).map(|l| html! { <li>{ l }</li> }) }</ol>
    }
}

#[derive(PartialEq, Properties)]
pub struct SeenListProps {
    pub seen: Vec<SeenDevice>,
}

#[component]
pub fn SeenList(props: &SeenListProps) -> Html {
    let app = use_ctx();
    if props.seen.is_empty() {
        return html! {};
    }
    html! {
        <section aria-labelledby="meters-seen">
            <h2 id="meters-seen">{ app.t("meter-seen") }</h2>
            <ul class="lines seen">
                { for props.seen.iter().map(|d| {
                    let hint = match d.hint {
                        SeenHint::EnableMqtt => "meter-seen-enable",
                        SeenHint::Waiting => "meter-seen-waiting",
                        SeenHint::NotSupported => "meter-seen-unsupported",
                    };
                    let brand = brand_of(&d.family).filter(|_| d.hint == SeenHint::EnableMqtt);
                    html! {
                        <li key={format!("{}-{}", d.name, d.address)} data-testid="seen-device">
                            <div class="grow">
                                <strong>{ &d.name }</strong>{ " " }<span class="muted small">{ &d.address }</span>
                                <p class="small">{ app.t(hint) }</p>
                                if let Some(brand) = brand {
                                    <details class="more">
                                        <summary>{ app.t("meter-seen-how") }</summary>
                                        <BrandSteps {brand} />
                                    </details>
                                }
                            </div>
                        </li>
                    }
                }) }
            </ul>
        </section>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::i18n::{I18n, Lang};

    #[test]
    fn every_brand_has_its_steps_in_every_language() {
        for lang in Lang::ALL {
            let i18n = I18n::new(lang);
            for brand in BRANDS {
                let steps = i18n.t(&format!("guide-{brand}"));
                assert!(steps.lines().count() >= 2, "{lang:?} {brand}: {steps}");
                assert!(i18n.has(&format!("guide-brand-{brand}")));
            }
        }
    }

    #[test]
    fn a_family_leads_to_its_brand() {
        for (family, brand) in [
            ("shelly_gen1", Some("shelly")),
            ("shelly_gen2", Some("shelly")),
            ("tasmota", Some("tasmota")),
            ("ha_discovery", Some("homeassistant")),
            ("homewizard", None),
        ] {
            assert_eq!(brand_of(family), brand);
        }
    }
}
