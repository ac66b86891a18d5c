//! Own messages, good and corrupt, and what they yield.

use crate::families::Fixture;

pub(super) const FIXTURES: &[Fixture] = &[
    Fixture::mqtt(
        "homeassistant/sensor/heatpump/power/config",
        r#"{"~":"hp/","stat_t":"~state","val_tpl":"{{ value_json.p | float * 2 }}","unit_of_meas":"kW","uniq_id":"hp_power","dev":{"ids":["hp-1"],"name":"Heat pump","mf":"Ours"}}"#,
        "ok",
    ),
    Fixture::mqtt("hp/state", r#"{"p":"1.5"}"#, "ok total/power=3000"),
    Fixture::mqtt("hp/state", r#"{"q":1}"#, "none"),
    Fixture::mqtt("hp/state", r#"{"p":true}"#, "reject"),
    Fixture::mqtt(
        "homeassistant/device/wall/config",
        r#"{"dev":{"ids":"wall"},"o":{"name":"x"},"state_topic":"wall/s","avty_t":"wall/up","cmps":{
            "e":{"p":"sensor","unit_of_measurement":"kWh","device_class":"energy","val_tpl":"{{value_json.e}}","uniq_id":"wall_energy"},
            "r":{"p":"sensor","unit_of_measurement":"MWh","val_tpl":"{{value_json.r}}","uniq_id":"wall_energy_export"},
            "v":{"p":"sensor","unit_of_measurement":"V","val_tpl":"{{value_json.v[1]}}","uniq_id":"wall_voltage_l2"},
            "gone":{"p":"sensor"}}}"#,
        "ok",
    ),
    Fixture::mqtt(
        "wall/s",
        r#"{"e":2,"r":0.5,"v":[1,229]}"#,
        "ok total/energy_import=2000 total/energy_export=500000 l2/voltage=229",
    ),
    Fixture::mqtt("wall/up", "offline", "none"),
    Fixture::mqtt("homeassistant/device/wall/config", "", "gone"),
    Fixture::mqtt("homeassistant/sensor/odd/config", r#"{"stat_t":"odd/p","dev_cla":"power"}"#, "ok"),
    Fixture::mqtt("homeassistant/sensor/odd/config", r#"{"stat_t":"odd/#","unit_of_meas":"W"}"#, "reject"),
    Fixture::mqtt("homeassistant/sensor/odd/config", r#"{"unit_of_meas":"W"}"#, "reject"),
    Fixture::mqtt(
        "homeassistant/sensor/an odd one/config",
        r#"{"stat_t":"odd/p","unit_of_meas":"W"}"#,
        "reject",
    ),
    Fixture::mqtt("homeassistant/sensor/odd/config", r#"{"stat_t":"odd/p","#, "reject"),
    Fixture::mqtt(
        "homeassistant/sensor/odd/config",
        r#"{"stat_t":"odd/p","unit_of_meas":"W","val_tpl":"{{ value.split(',')[1] }}"}"#,
        "ok",
    ),
    Fixture::mqtt("odd/p", "1,20.5,3", "ok total/power=20.5"),
    Fixture::mqtt("odd/p", "1", "none"),
    Fixture::mqtt(
        "homeassistant/sensor/pv/config",
        r#"{"stat_t":"pv/s","unit_of_meas":"W","val_tpl":"{% set w = value_json.a | float(0) + value_json.b | float(0) %}{{ max(w, 0) | round(1) if w < 9000 else 'unknown' }}"}"#,
        "ok",
    ),
    Fixture::mqtt("pv/s", r#"{"a":"100.04","b":20}"#, "ok total/power=120"),
    Fixture::mqtt("pv/s", r#"{"a":100}"#, "none"),
    Fixture::mqtt("pv/s", r#"{"a":9000,"b":20}"#, "none"),
    Fixture::mqtt("pv/s", r#"{"a":"on","b":20}"#, "reject"),
    Fixture::mqtt(
        "homeassistant/sensor/pv/config",
        r#"{"stat_t":"pv/s","unit_of_meas":"W","val_tpl":"{{ state_attr('sensor.pv', 'w') }}"}"#,
        "ok",
    ),
    Fixture::mqtt("homeassistant/light/lamp/config", r#"{"cmd_t":"lamp/set"}"#, "none"),
    Fixture::mqtt(
        "homeassistant/sensor/meter/config",
        r#"{"stat_t":"my/w","unit_of_meas":"W","dev":{"cns":[["mac","a1:b2:c3:d4:e5:f6"]]}}"#,
        "ok",
    ),
    Fixture::mqtt("my/w", "42.5", "ok total/power=42.5"),
    Fixture::mqtt("my/w", "unavailable", "none"),
    Fixture::mqtt("my/w", "on", "reject"),
    Fixture::mqtt(
        "homeassistant/sensor/z/config",
        r#"{"stat_t":"zigbee2mqtt/plug","unit_of_meas":"W","val_tpl":"{{value_json.power}}"}"#,
        "ok",
    ),
];
