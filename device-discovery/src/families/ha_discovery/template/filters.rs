//! The filters, functions and methods of Home Assistant's templates that meters use.
//!
//! Differences that are meant: a default never stands in for a value that is missing (see the
//! parent), and text grows only so far.

use super::LIST_MAX;
use crate::body::{Number, number_in};
use minijinja::value::{Kwargs, Rest, ValueKind};
use minijinja::{Environment, Error, ErrorKind, State, Value, filters, tests};

/// What [`install`] adds.
pub(super) const FILTERS: &[&str] = &[
    "float",
    "int",
    "round",
    "multiply",
    "add",
    "is_number",
    "is_defined",
    "default",
    "d",
    "abs",
    "min",
    "max",
    "sum",
    "first",
    "last",
    "length",
    "count",
    "lower",
    "upper",
    "trim",
    "string",
    "split",
    "replace",
];
pub(super) const FUNCTIONS: &[&str] = &["float", "int", "round", "is_number", "min", "max"];
pub(super) const METHODS: &[&str] =
    &["split", "replace", "strip", "lstrip", "rstrip", "lower", "upper", "get", "startswith", "endswith"];

/// Longest text that is made by replacing, in bytes.
const REPLACED_MAX_BYTES: usize = 64 * 1024;

pub(super) fn install(e: &mut Environment<'static>) {
    e.add_filter("float", float);
    e.add_filter("int", int);
    e.add_filter("round", round);
    e.add_filter("multiply", |v: &Value, by: &Value| Ok::<_, Error>(known(v)? * known(by)?));
    e.add_filter("add", |v: &Value, more: &Value| Ok::<_, Error>(known(v)? + known(more)?));
    e.add_filter("is_number", is_number);
    e.add_filter("is_defined", |v: Value| if v.is_undefined() { Err(missing()) } else { Ok(v) });
    e.add_filter("default", default);
    e.add_filter("d", default);
    e.add_filter("abs", |v: &Value| known(v).map(f64::abs));
    e.add_filter("min", filters::min);
    e.add_filter("max", filters::max);
    // of numbers only: the library's adds lists too, unpaid (see the parent)
    e.add_filter("sum", |all: Vec<Value>| all.iter().map(known).sum::<Result<f64, Error>>());
    e.add_filter("first", filters::first);
    e.add_filter("last", filters::last);
    e.add_filter("length", filters::length);
    e.add_filter("count", filters::length);
    e.add_filter("lower", filters::lower);
    e.add_filter("upper", filters::upper);
    e.add_filter("trim", filters::trim);
    e.add_filter("string", filters::string);
    e.add_filter("split", |v: &str, by: Option<&str>| split(v, by));
    e.add_filter("replace", replace);
    e.add_function("float", float);
    e.add_function("int", int);
    e.add_function("round", round);
    e.add_function("is_number", is_number);
    e.add_function("min", |state: &State, all: Rest<Value>| filters::min(state, listed(all), no_options()));
    e.add_function("max", |state: &State, all: Rest<Value>| filters::max(state, listed(all), no_options()));
    e.add_test("defined", tests::is_defined);
    e.add_test("undefined", tests::is_undefined);
    e.add_test("none", tests::is_none);
    e.add_test("number", tests::is_number);
    e.add_test("string", tests::is_string);
    e.add_test("boolean", tests::is_boolean);
    e.add_test("mapping", tests::is_mapping);
    e.add_test("sequence", tests::is_sequence);
    e.add_test("iterable", tests::is_iterable);
    e.add_test("is_number", is_number);
    e.set_unknown_method_callback(|_, value, method, args| call(value, method, args));
}

fn missing() -> Error {
    Error::new(ErrorKind::UndefinedError, "no value")
}

fn invalid(why: &'static str) -> Error {
    Error::new(ErrorKind::InvalidOperation, why)
}

fn number(v: &Value) -> Number {
    match v.kind() {
        ValueKind::Number => f64::try_from(v.clone()).map_or(Number::Not, Number::Is),
        ValueKind::String => v.as_str().map_or(Number::Not, number_in),
        ValueKind::Undefined | ValueKind::None => Number::Missing,
        _ => Number::Not,
    }
}

fn known(v: &Value) -> Result<f64, Error> {
    match number(v) {
        Number::Is(v) => Ok(v),
        Number::Missing => Err(missing()),
        Number::Not => Err(invalid("not a number")),
    }
}

fn is_number(v: &Value) -> bool {
    matches!(number(v), Number::Is(v) if v.is_finite())
}

/// The default is read so that it is allowed, and never used.
fn float(v: &Value, _default: Option<Value>, options: Kwargs) -> Result<f64, Error> {
    let _: Option<Value> = options.get("default")?;
    options.assert_all_used()?;
    known(v)
}

fn int(v: &Value, default: Option<Value>, options: Kwargs) -> Result<Value, Error> {
    let v = float(v, default, options)?.trunc();
    // beyond that a float has no digits after the point anyway
    Ok(if v.abs() < 9e15 { Value::from(v as i64) } else { Value::from(v) })
}

fn round(
    v: &Value,
    precision: Option<i32>,
    method: Option<String>,
    _default: Option<Value>,
    options: Kwargs,
) -> Result<f64, Error> {
    let precision = match precision {
        None => options.get::<Option<i32>>("precision")?.unwrap_or(0),
        Some(p) => p,
    };
    let method = match method {
        None => options.get::<Option<String>>("method")?,
        some => some,
    };
    let _: Option<Value> = options.get("default")?;
    options.assert_all_used()?;
    if !(-12..=12).contains(&precision) {
        return Err(invalid("rounded to more than 12 digits"));
    }
    let (v, scale) = (known(v)?, 10f64.powi(precision));
    Ok(match method.as_deref() {
        None | Some("common") => (v * scale).round() / scale,
        Some("floor") => (v * scale).floor() / scale,
        Some("ceil") => (v * scale).ceil() / scale,
        Some("half") => (v * 2.0).round() / 2.0,
        Some(_) => return Err(invalid("unknown way of rounding")),
    })
}

fn default(v: Value, instead: Option<Value>, boolean: Option<bool>) -> Result<Value, Error> {
    if !v.is_undefined() && (boolean != Some(true) || v.is_true()) {
        return Ok(v);
    }
    match instead {
        Some(other) if !is_number(&other) => Ok(other),
        _ => Err(missing()),
    }
}

fn listed(mut all: Rest<Value>) -> Value {
    if all.len() == 1 { all.remove(0) } else { Value::from(std::mem::take(&mut *all)) }
}

fn no_options() -> Kwargs {
    Kwargs::from_iter(std::iter::empty::<(String, Value)>())
}

fn split(v: &str, by: Option<&str>) -> Result<Value, Error> {
    let parts: Vec<Value> = match by {
        None => v.split_whitespace().take(LIST_MAX + 1).map(Value::from).collect(),
        Some("") => return Err(invalid("split by nothing")),
        Some(by) => v.split(by).take(LIST_MAX + 1).map(Value::from).collect(),
    };
    if parts.len() > LIST_MAX { Err(invalid("split into too many parts")) } else { Ok(parts.into()) }
}

fn replace(v: &Value, from: &str, to: &str) -> Result<String, Error> {
    let v = text(v)?;
    let most = v.len().saturating_add(1).saturating_mul(to.len().saturating_add(1));
    // by how much it grows depends on how often it matches: at most at every byte
    if most > REPLACED_MAX_BYTES
        && v.len().saturating_add(v.matches(from).count().saturating_mul(to.len())) > REPLACED_MAX_BYTES
    {
        return Err(invalid("replaced by too long a text"));
    }
    Ok(v.replace(from, to))
}

fn text(v: &Value) -> Result<String, Error> {
    match v.kind() {
        ValueKind::Undefined | ValueKind::None => Err(missing()),
        ValueKind::String | ValueKind::Number => Ok(v.to_string()),
        _ => Err(invalid("not a text")),
    }
}

/// The methods of Python's text and mappings.
fn call(value: &Value, method: &str, args: &[Value]) -> Result<Value, Error> {
    if value.kind() == ValueKind::Map && method == "get" {
        let [key, ..] = args else { return Err(invalid("get what?")) };
        return match value.get_item(key)? {
            found if !found.is_undefined() => Ok(found),
            _ => default(found_nothing(), args.get(1).cloned(), None),
        };
    }
    let Some(v) = value.as_str() else { return Err(Error::from(ErrorKind::UnknownMethod)) };
    let word = |i: usize| args.get(i).and_then(Value::as_str);
    if args.iter().any(|a| a.as_str().is_none()) {
        return Err(invalid("a method of a text takes texts"));
    }
    let drop: Vec<char> = word(0).map_or_else(Vec::new, |w| w.chars().collect());
    let dropped = |c: char| if word(0).is_some() { drop.contains(&c) } else { c.is_whitespace() };
    Ok(match (method, args.len()) {
        ("split", 0 | 1) => split(v, word(0))?,
        ("replace", 2) => replace(value, word(0).unwrap_or_default(), word(1).unwrap_or_default())?.into(),
        ("strip", 0 | 1) => v.trim_matches(dropped).into(),
        ("lstrip", 0 | 1) => v.trim_start_matches(dropped).into(),
        ("rstrip", 0 | 1) => v.trim_end_matches(dropped).into(),
        ("lower", 0) => v.to_lowercase().into(),
        ("upper", 0) => v.to_uppercase().into(),
        ("startswith", 1) => v.starts_with(word(0).unwrap_or_default()).into(),
        ("endswith", 1) => v.ends_with(word(0).unwrap_or_default()).into(),
        _ => return Err(Error::from(ErrorKind::UnknownMethod)),
    })
}

fn found_nothing() -> Value {
    Value::UNDEFINED
}
