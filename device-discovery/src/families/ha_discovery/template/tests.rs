use super::*;
use proptest::prelude::*;

fn run(template: &str, state: &str) -> Result<Option<f64>, String> {
    let body = Body::new(state.as_bytes());
    Template::compile(template).and_then(|t| t.number(&State::new(&body)))
}

#[track_caller]
fn value(template: &str, state: &str) -> Option<f64> {
    run(template, state).unwrap_or_else(|e| panic!("{template} of {state}: {e}"))
}

#[test]
fn arithmetic_on_the_state() {
    assert_eq!(value("{{ value }}", "12.5"), Some(12.5));
    assert_eq!(value("{{(value|float/60)|round(2)}}", "100"), Some(1.67));
    assert_eq!(value("{{ value_json.A.Power }}", r#"{"A":{"Power":5}}"#), Some(5.0));
    assert_eq!(value("{{value_json['a b'][1] | float(0) * 1000}}", r#"{"a b":[1,"2.5"]}"#), Some(2500.0));
    assert_eq!(value("{{ -value_json.p + 2 * (3 - 1) }}", r#"{"p":1}"#), Some(3.0));
    assert_eq!(value("{{ -value_json.p }}", r#"{"p":1}"#), Some(-1.0));
    assert_eq!(value("{{-value_json.p-}}", r#"{"p":1}"#), Some(1.0), "dashes that trim are no signs");
    assert_eq!(value("{{ value | int // 2 }}", "5.9"), Some(2.0));
    assert_eq!(value("{{ value_json }}", "7"), Some(7.0));
    assert_eq!(value("{{ value_json.e | multiply(0.001) | round(3) }}", r#"{"e":1234.5678}"#), Some(1.235));
    assert_eq!(
        value("{{ value_json.energy | int }}", r#"{"energy":98765432101234}"#),
        Some(98_765_432_101_234.0)
    );
}

#[test]
fn what_the_field_writes() {
    assert_eq!(value("{{value.split(';')[0]}}", "1.5;2;3"), Some(1.5));
    assert_eq!(value("{{ value_json.p.replace(',', '.') | float }}", r#"{"p":"1,5"}"#), Some(1.5));
    assert_eq!(value("{{ value | replace(' kWh', '') }}", "17.25 kWh"), Some(17.25));
    assert_eq!(value("{{ value.strip('W ').lower() }}", "12 W"), Some(12.0));
    assert_eq!(value("{{ value_json.p | is_defined }}", r#"{"p":3}"#), Some(3.0));
    assert_eq!(value("{{ value_json.get('p', 0) }}", r#"{"p":3}"#), Some(3.0));
    assert_eq!(value("{{ value_json['p'] | default(value_json.q | string) }}", r#"{"q":3}"#), None);
    assert_eq!(
        value("{% if value_json.p is defined %}{{ value_json.p }}{% endif %}", r#"{"p":3}"#),
        Some(3.0)
    );
    assert_eq!(
        value("{{ value_json.p if value_json.p is defined else value_json.q }}", r#"{"q":4}"#),
        Some(4.0)
    );
    assert_eq!(
        value("{% set p = value_json.p | float %}\n{{ p if p > 0 else 0 }}", r#"{"p":-3}"#),
        Some(0.0)
    );
    assert_eq!(value("{{ max(0, value | float) }}", "-3"), Some(0.0));
    assert_eq!(value("{{ [value_json.p, 0] | max }}", r#"{"p":-3}"#), Some(0.0));
    assert_eq!(
        value("{{ value_json.a | float(0) + value_json.b | float(default=0) }}", r#"{"a":1,"b":"2"}"#),
        Some(3.0)
    );
    assert_eq!(value("{# the first #}{{ float(value_json.l[0]) }}", r#"{"l":[9]}"#), Some(9.0));
    assert_eq!(value("{% if is_number(value) %}{{ value }}{% else %}unknown{% endif %}", "x"), None);
}

#[test]
fn what_has_no_value_is_no_reading() {
    for (template, state) in [
        ("{{ value_json.missing | float(0) }}", "{}"),
        ("{{ value_json.missing | default(0) }}", "{}"),
        ("{{ value_json.missing * 2 }}", "{}"),
        ("{{ value_json.a.b }}", "{}"),
        ("{{ value_json.a.b | float }}", "{}"),
        ("{{ value_json.get('p', 0) }}", "{}"),
        ("{{ value_json.p | is_defined }}", "{}"),
        ("{{ value_json.p | float(0) * 1000 }}", r#"{"p":null}"#),
        ("{{ value_json.p * 1000 }}", r#"{"p":"unavailable"}"#),
        ("{{ value_json.a | float(0) + value_json.b | float(0) }}", r#"{"a":1}"#),
        ("{{ value | float(0) }}", "unavailable"),
        ("{{ value | float }}", "None"),
        ("{{ none }}", "1"),
        ("{% if false %}1{% endif %}", "1"),
    ] {
        assert_eq!(run(template, state), Ok(None), "{template} of {state}");
    }
}

#[test]
fn what_is_no_number_is_refused() {
    for (template, state) in [
        ("{{ value_json.p }}", r#"{"p":true}"#),
        ("{{ value_json.p | float(0) }}", r#"{"p":"on"}"#),
        ("{{ value_json.p }}", "not JSON"),
        ("{{ value_json.p | float }}", "not JSON"),
        ("{{ value }} W", "1"),
        ("{{ value | int / 0 }}", "1"),
        ("{{ value_json }}", r#"{"p":1}"#),
        ("{{ value is unheard_of }}", "1"),
    ] {
        assert!(run(template, state).is_err(), "{template} of {state}: {:?}", run(template, state));
    }
}

#[test]
fn what_is_not_supported_shows_when_it_is_compiled() {
    for t in [
        "{{ states('sensor.x') }}",
        "{{ value | regex_replace('a', 'b') }}",
        "{{ value.encode('x') }}",
        "{{ value_json.p + trigger.x }}",
        "{% macro m(x) %}{{ m(x) }}{% endmacro %}{{ m(1) }}",
        "{% include 'x' %}",
        "{% for x in [1] %}{{ x }}{% endfor %}",
        "{%- with x = 1 %}{{ x }}{% endwith %}",
        "{{ range(9) }}",
        "{{ }}",
        "{{ 'open }}",
    ] {
        assert!(Template::compile(t).is_err(), "{t}");
    }
    assert!(Template::compile(&format!("{{{{ {}value{} }}}}", "(".repeat(50), ")".repeat(50))).is_err());
    assert!(Template::compile(&"x".repeat(SOURCE_MAX_BYTES + 1)).is_err());
}

#[test]
fn every_name_that_is_said_to_be_supported_is() {
    let unknown = |template: String| {
        let environment = Template::compile(&template).unwrap();
        let Run::Program(e) = environment.run else { panic!("{template}") };
        let e = e.get_template(NAME).unwrap().render(context! { value => "1" }).err();
        e.is_some_and(|e| {
            matches!(
                e.kind(),
                ErrorKind::UnknownFilter | ErrorKind::UnknownFunction | ErrorKind::UnknownMethod
            )
        })
    };
    for f in filters::FILTERS {
        assert!(!unknown(format!("{{{{ value | {f} }}}}")), "{f}");
    }
    for f in filters::FUNCTIONS {
        assert!(!unknown(format!("{{{{ {f}(1) }}}}")), "{f}");
    }
    for m in filters::METHODS {
        let on = if *m == "get" { "{'1': 1}" } else { "value" };
        let args = ["", "'1'", "'1', '1'"];
        assert!(args.iter().any(|a| !unknown(format!("{{{{ {on}.{m}({a}) }}}}"))), "{m}");
    }
}

/// Templates whose only purpose is to cost.
fn hostile() -> Vec<String> {
    let mut all: Vec<String> = [
        "{{ 'a' * 10**9 }}",
        "{{ 'a' * 99999999999999999999999999 }}",
        "{{ [1] * 10**9 }}",
        "{{ 9 ** 9 ** 9 ** 9 }}",
        "{{ 2 ** 100000 }}",
        "{% set a=[1] %}{% set a=a+a %}{% set a=a+a %}{% set a=a+a %}{% set a=a+a %}{% set a=a+a %}{% set a=a+a %}{% set a=a+a %}{% set a=a+a %}{{ a | max }}{{ a == a }}",
        "{% set a=value_json.l*40 %}{% set a=a+a %}{% set a=a+a %}{% set a=a+a %}{% set a=a+a %}{% set a=a+a %}{% set a=a+a %}{% set a=a+a %}{% set a=a+a %}{{ a | max }}{{ a == a }}{{ 2 in a }}{{ a | string }}",
        "{% for x in range(100000) %}{% for y in range(100000) %}{{ x }}{% endfor %}{% endfor %}",
        "{{ range(1000000000) | sum }}",
        "{{ range(0, 9223372036854775807, 1) | list }}",
        "{{ range(-9223372036854775807, 9223372036854775807) | max }}",
        "{{ range(5, -9223372036854775807, -9223372036854775807) | max }}",
        "{{ range(99999) | max }}",
        "{% for x in range(99999) recursive %}{{ loop([x]) }}{% endfor %}",
        "{% for x in [1] recursive %}{{ loop([x]) }}{% endfor %}",
        "{% set ns = namespace(s='aaaaaaaaaaaaaaaa') %}{% for x in range(99) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}{{ ns.s }}",
        "{% set ns = namespace(s=[1]) %}{% for x in range(99) %}{% set ns.s = ns.s + ns.s %}{% endfor %}{{ ns.s | length }}",
        "{% set ns = namespace(s=[1]) %}{% for x in range(999) %}{% set ns.s = [ns.s] %}{% endfor %}{{ ns.s }}",
        "{% set ns = namespace() %}{% set ns.x = ns %}{{ ns }}{{ [ns] | max }}",
        "{{ ('a' * 9999).replace('', 'b' * 9999) }}",
        "{{ ('a' * 9999) | replace('a', 'b' * 9999) }}",
        "{{ ('a;' * 9999).split(';') | length }}",
        "{{ range(5, 0, -9223372036854775807 - 1) | max }}",
        "{{ range(0, 5, 0) | max }}",
        "{{ 1 | round(999999999) }}",
        "{{ 1 | round(-999999999) }}",
        "{{ (10 ** 38) | int }}",
        "{{ 170141183460469231731687303715884105727 + 1 }}",
        "{{ (-170141183460469231731687303715884105727 - 1) | abs }}",
        "{{ (-9223372036854775807 - 1) // -1 }}",
        "{{ (-9223372036854775807 - 1) % -1 }}",
        "{{ 1 % 0 }}",
        "{{ 1e308 * 1e308 }}",
        "{{ 'abc'[9223372036854775807:-9223372036854775807:-9223372036854775807] }}",
        "{{ [1,2,3][::0] }}",
        "{{ value_json.a.b.c.d.e }}",
        "{{ {}.get({}) }}{{ {}[[]] }}",
        "{{ dict(a=dict) }}{{ float }}{{ range }}",
        "{{ float(float) }}{{ [float] | max }}",
        "{{ self }}{{ loop }}{{ super() }}{{ caller() }}",
    ]
    .map(String::from)
    .into();
    for (open, close) in [
        ("(", ")"),
        ("[", "]"),
        ("-", ""),
        ("not ", ""),
        ("", " if 1 else 1"),
        ("", "|int"),
        ("", ".a"),
        ("", "[0]"),
        ("", "()"),
        ("1+", ""),
        ("1**", ""),
        ("1 and ", ""),
        ("{0:", "}"),
        ("", "~1"),
    ] {
        for n in [10, 20, 100, SOURCE_MAX_BYTES] {
            let n = n.min((SOURCE_MAX_BYTES - 8) / (open.len() + close.len()));
            all.push(format!("{{{{ {}1{} }}}}", open.repeat(n), close.repeat(n)));
            all.push(format!("{{{{ {}value{} }}}}", open.repeat(n), close.repeat(n)));
        }
    }
    for (open, close) in
        [("{%if 1%}", "{%endif%}"), ("{%for x in[1,2]%}", "{%endfor%}"), ("{%set x%}", "{%endset%}")]
    {
        let n = SOURCE_MAX_BYTES / (open.len() + close.len());
        all.push(format!("{}1{}", open.repeat(n), close.repeat(n)));
        all.push(open.repeat(SOURCE_MAX_BYTES / open.len()));
    }
    for doubling in [
        "{%set a=a+a%}",
        "{%set a=[a,a]%}",
        "{%set a=a~a%}",
        "{%set a=[a,a]|sum%}",
        "{%set a={0:a,1:a}%}",
        "{%set a=(a,a)%}",
        "{%set a=a,a%}",
        "{%set a={0:a}%}",
        "{%set a=[a]%}",
        "{%set a=a.split()+a.split()%}",
    ] {
        for seen in
            ["{{a}}", "{{a|max}}", "{{a==a}}", "{{a|length}}", "{{1 in a}}", "{{a|string}}", "{{[a,a]|max}}"]
        {
            let sets = doubling.repeat((SOURCE_MAX_BYTES - 40) / doubling.len());
            all.push(format!("{{%set a=[1]%}}{sets}{seen}"));
        }
    }
    all
}

#[test]
fn hostile_templates_cost_little_stack_and_time() {
    // a quarter of the stack that a thread of the runtime has
    let small = std::thread::Builder::new().stack_size(512 * 1024);
    let run_all = || {
        for template in hostile() {
            for state in ["1", r#"{"a":{"b":[1]}}"#, &format!(r#"{{"l":[{}1]}}"#, "1,".repeat(LIST_MAX - 1))]
            {
                let started = std::time::Instant::now();
                let found = run(&template, state);
                assert!(started.elapsed().as_millis() < 500, "{template}: {:?}", started.elapsed());
                assert!(!matches!(found, Ok(Some(v)) if !v.is_finite()), "{template}");
            }
        }
    };
    small.spawn(run_all).unwrap().join().unwrap();
}

#[test]
fn lists_are_seen() {
    for (template, want) in [
        ("{% set a = max(value_json.l[0], float(1, default=2)) %}{{ a }}", false),
        ("{%set a=value.split(';')[0]|float(0)%}{%if a%}{{(a+1)*2}}{%endif%}", false),
        ("{{ [1] }}", true),
        ("{{ 1 if [1] }}", true),
        ("{{ (1, 2) }}", true),
        ("{{ 1 if (1, 2) }}", true),
        ("{% set a = 1, 2 %}", true),
        ("{{ {0: 1} }}", true),
        ("{{{0: 1}}}", true),
        ("{{ max({0: 1}) }}", true),
        ("{% set a = {} %}", true),
        ("{{ x[1, 2] }}", true),
    ] {
        assert_eq!(scan::builds(&scan::tokens(template).unwrap()), want, "{template}");
    }
}

#[test]
fn a_plain_path_costs_no_run() {
    for (template, plain) in [
        ("{{ value }}", true),
        ("{{ value_json.a['b c'][0].d }}", true),
        ("{{value_json}}", true),
        ("{{ value_json.a.get('b') }}", true),
        ("{{ value_json.a | float }}", false),
        ("{{ value_json.a }}{{ value_json.b }}", false),
        ("{{ - value_json.a }}", false),
        ("{{ value_json.a.split(';') }}", false),
    ] {
        let compiled = Template::compile(template).unwrap();
        assert_eq!(!matches!(compiled.run, Run::Program(_)), plain, "{template}");
    }
}

fn piece() -> impl Strategy<Value = String> {
    let words: Vec<&str> = [
        "{{",
        "}}",
        "{%",
        "%}",
        "{#",
        "#}",
        "value",
        "value_json",
        ".p",
        ".l",
        "[0]",
        "['p']",
        "|",
        "(",
        ")",
        ",",
        "float",
        "int",
        "round",
        "default",
        "max",
        "range",
        "split",
        ".replace('1','22')",
        "'1'",
        "\"",
        "'",
        "\\",
        "1",
        "0",
        "1e308",
        "99999999999999999999",
        "+",
        "-",
        "*",
        "/",
        "//",
        "%",
        "**",
        "~",
        "if",
        "else",
        "elif",
        "endif",
        "for",
        "in",
        "endfor",
        "set",
        "x",
        "=",
        "==",
        "<",
        "is",
        "defined",
        "not",
        "and",
        "none",
        "true",
        "loop",
        "recursive",
        "raw",
        "endraw",
        "namespace",
        ":",
        "é",
        "\n",
        "-%}",
        "{%-",
    ]
    .into();
    prop_oneof![8 => prop::sample::select(words).prop_map(String::from), 1 => "\\PC{0,4}"]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2048, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_template_gets_a_finite_number_or_a_reason(
        pieces in prop::collection::vec(piece(), 0..24),
        wrapped in any::<bool>(),
        tight in any::<bool>(),
        state in prop_oneof![
            Just(r#"{"p":"1.5","l":[1,null,{"p":2}],"n":null}"#.to_string()), Just("42".into()), Just("NaN".into()), "\\PC{0,12}"
        ],
    ) {
        let joined = pieces.join(if tight { "" } else { " " });
        let template = if wrapped { format!("{{{{ {joined} }}}}") } else { joined };
        match run(&template, &state) {
            Ok(Some(v)) => prop_assert!(v.is_finite()),
            Ok(None) => {}
            Err(why) => prop_assert!(!why.is_empty()),
        }
    }

    #[test]
    fn a_plain_path_gives_what_the_language_gives(p in prop::option::of(-1e9f64..1e9), text in any::<bool>()) {
        let state = match p {
            Some(p) if text => format!(r#"{{"a":{{"p":"{p}"}}}}"#),
            p => serde_json::json!({"a": {"p": p}}).to_string(),
        };
        prop_assert_eq!(run("{{ value_json.a['p'] }}", &state), run("{{ (value_json.a.p) }}", &state));
    }
}
