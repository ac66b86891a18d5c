//! Value templates: what Home Assistant would compute from a state, as far as it is a number.
//!
//! The language is `minijinja`'s (expressions, `set` and `if`; no loops, macros or other templates),
//! the filters and functions are those of Home Assistant that meters use ([`filters`]). A template
//! that uses anything else is refused when its entity is learnt, as far as that shows, so that a
//! half-understood template never yields a number. A template is compiled once; a run has a budget
//! of fuel, which pays for instructions and for every byte made. Plain paths, which most entities
//! have, are looked up without it.
//!
//! A made-up number is no reading: where a template falls back to a number (`float(0)`,
//! `default(0)`) because the state has no value, there is no value here.

mod filters;
mod scan;

use crate::body::{Body, Number, clip, number, number_in};
use minijinja::{Environment, ErrorKind, UndefinedBehavior, Value, context};
use scan::{Path, Token};
use std::cell::OnceCell;
use std::sync::LazyLock;

/// Longest template that is read, in bytes.
const SOURCE_MAX_BYTES: usize = 1024;
/// Deepest nesting of brackets: the compiler recurses.
const NESTING_MAX: usize = 24;
/// Longest list of a state that is handed in, or made by splitting.
const LIST_MAX: usize = 256;
/// Most additions beside a `set`. Adding lists is lazy, and printing or going through what was
/// doubled again and again is work that no fuel pays for. For the same reason a template with a
/// `set` writes down no lists, and there are no loops.
const ADDITIONS_MAX: usize = 8;
/// Instructions, or 64 bytes made each, of one run: some ten are usual.
const FUEL: u64 = 5_000;
/// Longest result, in bytes.
const OUTPUT_MAX_BYTES: usize = 256;
const STATEMENTS: &[&str] = &["set", "endset", "if", "elif", "else", "endif"];
const NAME: &str = "";

static BASE: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut base = Environment::empty();
    base.set_fuel(Some(FUEL));
    base.set_recursion_limit(32);
    // what is not there may be asked about, but neither printed nor reckoned with
    base.set_undefined_behavior(UndefinedBehavior::SemiStrict);
    filters::install(&mut base);
    base
});

/// A compiled template.
#[derive(Debug, Clone)]
pub(super) struct Template {
    run: Run,
    /// What it reads from the state's JSON, as far as its text shows.
    paths: Vec<Path>,
    reads_json: bool,
}

#[derive(Debug, Clone)]
enum Run {
    /// `{{ value }}`
    Text,
    /// `{{ value_json.a.b }}`: the one path
    Path,
    /// Holds the one template; shares filters and functions with all others.
    Program(Box<Environment<'static>>),
}

impl Default for Template {
    /// `{{ value }}`
    fn default() -> Self {
        Self { run: Run::Text, paths: Vec::new(), reads_json: false }
    }
}

/// A state, made ready for templates once however many look at it.
pub(super) struct State<'a> {
    body: &'a Body<'a>,
    variables: OnceCell<Value>,
}

impl<'a> State<'a> {
    pub fn new(body: &'a Body<'a>) -> Self {
        Self { body, variables: OnceCell::new() }
    }

    fn variables(&self) -> Value {
        let make = || {
            let value = self.body.text().unwrap_or_default();
            match self.body.json() {
                Ok(json) => context! { value, value_json => converted(json) },
                Err(_) => context! { value },
            }
        };
        self.variables.get_or_init(make).clone()
    }
}

/// Depth is bounded where JSON is parsed.
fn converted(json: &serde_json::Value) -> Value {
    use serde_json::Value as Json;
    match json {
        Json::Null => Value::from(()),
        Json::Bool(b) => (*b).into(),
        Json::Number(n) => match (n.as_i64(), n.as_f64()) {
            (Some(i), _) => i.into(),
            (None, v) => v.into(),
        },
        Json::String(s) => s.as_str().into(),
        Json::Array(list) if list.len() > LIST_MAX => Value::UNDEFINED,
        Json::Array(list) => list.iter().map(converted).collect(),
        Json::Object(map) => Value::from_pairs(map.iter().map(|(k, v)| (k.as_str(), converted(v)))),
    }
}

impl Template {
    /// `Err`: what is not supported of it.
    pub fn compile(source: &str) -> Result<Self, String> {
        if source.len() > SOURCE_MAX_BYTES {
            return Err(format!("longer than {SOURCE_MAX_BYTES} bytes"));
        }
        if let Some(plain) = plain(source) {
            return Ok(plain);
        }
        let tokens = scan::tokens(source).ok_or("unterminated text")?;
        if scan::nesting(&tokens) > NESTING_MAX {
            return Err(format!("nested deeper than {NESTING_MAX}"));
        }
        if let Some(name) = scan::filters(&tokens).find(|n| !filters::FILTERS.contains(n)) {
            return Err(format!("filter {}", clip(name)));
        }
        if let Some(name) = scan::methods(&tokens).find(|n| !filters::METHODS.contains(n)) {
            return Err(format!("method {}", clip(name)));
        }
        if let Some(name) = scan::statements(&tokens).find(|n| !STATEMENTS.contains(n)) {
            return Err(clip(name));
        }
        if scan::statements(&tokens).any(|n| n == "set") {
            if tokens.iter().filter(|t| **t == Token::Mark('+')).count() > ADDITIONS_MAX {
                return Err(format!("more than {ADDITIONS_MAX} additions"));
            }
            if scan::builds(&tokens) {
                return Err("a list beside a set".into());
            }
        }
        let mut environment = BASE.clone();
        environment
            .add_template_owned(NAME, source.to_string())
            .and_then(|()| environment.get_template(NAME).map(|t| t.undeclared_variables(false)))
            .map_err(|e| clip(&e.to_string()))
            .and_then(|names| {
                let known = |n: &&String| {
                    matches!(n.as_str(), "value" | "value_json") || filters::FUNCTIONS.contains(&n.as_str())
                };
                // the smallest, so that the same template gives the same reason
                match names.iter().filter(|n| !known(n)).min() {
                    Some(unknown) => Err(clip(unknown)),
                    None => Ok(()),
                }
            })?;
        let reads_json = tokens.contains(&Token::Word("value_json"));
        let paths = scan::paths(&tokens);
        Ok(Self { run: Run::Program(Box::new(environment)), paths, reads_json })
    }

    /// The keys it reads from the state's JSON: they tell what is measured.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.paths.iter().flat_map(Path::keys)
    }

    /// The value for a state; `None`: it has none. `Err`: why what it has is no number.
    pub fn number(&self, state: &State) -> Result<Option<f64>, String> {
        let found = match (&self.run, self.paths.first()) {
            (Run::Path, Some(path)) => match state.body.json() {
                // a state without this field has no value for this entity
                Ok(json) => path.find(json).map_or(Number::Missing, number),
                Err(_) => Number::Not,
            },
            (Run::Program(_), _) => number_in(&self.text(state)?.unwrap_or_default()),
            _ => state.body.text().map_or(Number::Not, number_in),
        };
        match found {
            Number::Is(v) if v.is_finite() => Ok(Some(v)),
            Number::Missing => Ok(None),
            _ => Err("not a number".into()),
        }
    }

    /// What it makes of a state; `None`: the state does not have what it asks for.
    pub fn text(&self, state: &State) -> Result<Option<String>, String> {
        let Run::Program(environment) = &self.run else {
            let found = match (&self.run, self.paths.first()) {
                (Run::Path, Some(path)) => state.body.json().ok().and_then(|j| path.find(j)),
                _ => return Ok(state.body.text().map(str::to_string)),
            };
            return Ok(found.map(|v| v.as_str().map_or_else(|| v.to_string(), str::to_string)));
        };
        let rendered = environment.get_template(NAME).and_then(|t| t.render(state.variables()));
        match rendered {
            Ok(text) if text.trim().len() <= OUTPUT_MAX_BYTES => Ok(Some(text.trim().to_string())),
            _ if self.reads_json && state.body.json().is_err() => Err("not JSON".into()),
            _ if self.lacks(state) => Ok(None),
            Ok(text) => Err(format!("a result of {} bytes", text.len())),
            Err(e) if e.kind() == ErrorKind::UndefinedError => Ok(None),
            Err(e) => Err(clip(&e.to_string())),
        }
    }

    /// Whether something that it reads has no value.
    fn lacks(&self, state: &State) -> bool {
        let missing = |json, p: &Path| p.find(json).is_none_or(|v| matches!(number(v), Number::Missing));
        match state.body.json() {
            Ok(json) if !self.paths.is_empty() => self.paths.iter().any(|p| missing(json, p)),
            _ => matches!(state.body.text().map(number_in), Some(Number::Missing)),
        }
    }
}

/// `{{ value }}`, or `{{ value_json… }}` with nothing but a path.
fn plain(source: &str) -> Option<Template> {
    let inner = source.trim().strip_prefix("{{")?.strip_suffix("}}")?;
    let inner = inner.strip_prefix('-').unwrap_or(inner);
    let tokens = scan::tokens(inner.strip_suffix('-').unwrap_or(inner))?;
    if tokens == [Token::Word("value")] {
        return Some(Template::default());
    }
    let (path, end) = scan::path(&tokens)?;
    (end == tokens.len()).then(|| Template { run: Run::Path, paths: vec![path], reads_json: true })
}

#[cfg(test)]
mod tests;
