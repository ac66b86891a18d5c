//! The meters as the house is wired: who measures whom.

use hearthwatt_api::MeterView;
use hearthwatt_domain::ids::MeterId;

/// A meter and how many meters measure it too.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Branch<'a> {
    pub view: &'a MeterView,
    pub depth: usize,
}

/// Each meter after its parent and before the parent's next child; a meter whose parent is not
/// among them stands at the top. Nothing is lost, not even in a circle.
pub fn tree(meters: &[MeterView]) -> Vec<Branch<'_>> {
    let mut out = Vec::with_capacity(meters.len());
    let known = |id: MeterId| meters.iter().any(|v| v.meter.id == id);
    for root in meters.iter().filter(|v| v.meter.parent.is_none_or(|p| !known(p))) {
        grow(meters, root, 0, &mut out);
    }
    for view in meters {
        if !placed(&out, view.meter.id) {
            grow(meters, view, 0, &mut out);
        }
    }
    out
}

fn placed(out: &[Branch<'_>], id: MeterId) -> bool {
    out.iter().any(|b| b.view.meter.id == id)
}

fn grow<'a>(meters: &'a [MeterView], view: &'a MeterView, depth: usize, out: &mut Vec<Branch<'a>>) {
    out.push(Branch { view, depth });
    for child in meters.iter().filter(|v| v.meter.parent == Some(view.meter.id)) {
        if !placed(out, child.meter.id) {
            grow(meters, child, depth + 1, out);
        }
    }
}

/// Who may measure `id` too: anyone but itself and what lies behind it.
pub fn possible_parents(meters: &[MeterView], id: MeterId) -> Vec<&MeterView> {
    let behind = |start: &MeterView| {
        let mut up = Some(start.meter.id);
        // no path is longer than there are meters
        for _ in 0..=meters.len() {
            match up {
                Some(m) if m == id => return true,
                Some(m) => up = meters.iter().find(|v| v.meter.id == m).and_then(|v| v.meter.parent),
                None => return false,
            }
        }
        // a circle that does not hold `id`
        false
    };
    meters.iter().filter(|v| !behind(v)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use hearthwatt_api::MeterHealth;
    use hearthwatt_domain::meter::{Adoption, Meter, MeterKey, Role};
    use hearthwatt_domain::units::Energy;

    fn id(name: &str) -> MeterId {
        MeterId::derive(&[name])
    }
    fn meter(name: &str, parent: Option<&str>) -> MeterView {
        MeterView {
            meter: Meter {
                id: id(name),
                key: MeterKey { family: "t".into(), device_id: name.into(), group: String::new() },
                adoption: Adoption::Adopted,
                name: name.into(),
                room: String::new(),
                role: Role::Load,
                parent: parent.map(id),
                inverted: false,
                manufacturer: String::new(),
                model: String::new(),
            },
            power: None,
            last_seen: None,
            health: MeterHealth::Well,
            accepted: 0,
            refused: 0,
            last_refusal: None,
            used_today: Energy::ZERO,
            broker: None,
        }
    }
    fn shown(meters: &[MeterView]) -> Vec<(String, usize)> {
        tree(meters).iter().map(|b| (b.view.meter.name.clone(), b.depth)).collect()
    }

    #[test]
    fn a_child_stands_under_its_parent() {
        let meters = [
            meter("grid", None),
            meter("solar", None),
            meter("kitchen", Some("grid")),
            meter("car", Some("grid")),
            meter("fridge", Some("kitchen")),
            meter("lost", Some("gone")),
        ];
        let expected = [("grid", 0), ("kitchen", 1), ("fridge", 2), ("car", 1), ("solar", 0), ("lost", 0)]
            .map(|(n, d)| (n.to_owned(), d));
        assert_eq!(shown(&meters), expected);
    }

    #[test]
    fn a_circle_loses_nobody() {
        let meters = [meter("a", Some("b")), meter("b", Some("a")), meter("c", None)];
        assert_eq!(shown(&meters).len(), 3);
        assert_eq!(possible_parents(&meters, id("c")).len(), 2);
    }

    #[test]
    fn nobody_is_measured_by_what_lies_behind_it() {
        let meters = [meter("grid", None), meter("kitchen", Some("grid")), meter("fridge", Some("kitchen"))];
        let names =
            |of| possible_parents(&meters, id(of)).iter().map(|v| v.meter.name.clone()).collect::<Vec<_>>();
        assert_eq!(names("grid"), Vec::<String>::new());
        assert_eq!(names("kitchen"), ["grid"]);
        assert_eq!(names("fridge"), ["grid", "kitchen"]);
    }
}
