//! Value templates, as far as they are arithmetic on the state.
//!
//! One `{{ … }}` around: `value`, `value_json` with `.key`, `['key']`, `[0]`; numbers; `+ - * /`;
//! parentheses; filters `float`, `int`, `round`, `abs`. That is what meters use, it is compiled
//! once, and evaluating it is bounded by its length. Everything else (methods, `if`, loops,
//! Home Assistant's own functions) is refused when the entity is learnt, so that a half-understood
//! template never yields a number.

use crate::body::{Body, Number, number, number_in};

/// Longest template that is read, in bytes.
const MAX_LEN: usize = 512;
/// Deepest nesting.
const MAX_DEPTH: u8 = 12;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Expr {
    Value,
    Json(Vec<Step>),
    Constant(f64),
    Binary(Box<Expr>, char, Box<Expr>),
    Negative(Box<Expr>),
    Float(Box<Expr>, Option<f64>),
    Int(Box<Expr>),
    Round(Box<Expr>, i32),
    Abs(Box<Expr>),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Step {
    Key(String),
    Index(usize),
}

/// `None`: not within what is supported.
pub(super) fn compile(template: &str) -> Option<Expr> {
    if template.len() > MAX_LEN {
        return None;
    }
    let inner = template.trim().strip_prefix("{{")?.strip_suffix("}}")?;
    let inner = inner.strip_prefix('-').unwrap_or(inner).trim_end_matches('-');
    let mut p = Parser { rest: inner, depth: 0 };
    let e = p.sum()?;
    p.space();
    p.rest.is_empty().then_some(e)
}

struct Parser<'a> {
    rest: &'a str,
    depth: u8,
}

impl<'a> Parser<'a> {
    fn space(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn eat(&mut self, token: &str) -> bool {
        self.space();
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn sum(&mut self) -> Option<Expr> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return None;
        }
        let mut left = self.product()?;
        loop {
            let op = if self.eat("+") {
                '+'
            } else if self.eat("-") {
                '-'
            } else {
                break;
            };
            left = Expr::Binary(Box::new(left), op, Box::new(self.product()?));
        }
        self.depth -= 1;
        Some(left)
    }

    fn product(&mut self) -> Option<Expr> {
        let mut left = self.unary()?;
        loop {
            let op = if self.eat("*") {
                '*'
            } else if self.rest.trim_start().starts_with("//") {
                return None;
            } else if self.eat("/") {
                '/'
            } else {
                break;
            };
            left = Expr::Binary(Box::new(left), op, Box::new(self.unary()?));
        }
        Some(left)
    }

    fn unary(&mut self) -> Option<Expr> {
        if self.eat("-") {
            return Some(Expr::Negative(Box::new(self.filtered()?)));
        }
        self.filtered()
    }

    fn filtered(&mut self) -> Option<Expr> {
        let mut e = self.primary()?;
        while self.eat("|") {
            self.space();
            let name = self.word();
            let argument = if self.eat("(") { self.argument()? } else { None };
            e = match (name, argument) {
                ("float", default) => Expr::Float(Box::new(e), default),
                ("int", None) => Expr::Int(Box::new(e)),
                ("abs", None) => Expr::Abs(Box::new(e)),
                ("round", digits) => {
                    let d = digits.unwrap_or(0.0);
                    Expr::Round(
                        Box::new(e),
                        (d.fract() == 0.0 && (0.0..=12.0).contains(&d)).then_some(d as i32)?,
                    )
                }
                _ => return None,
            };
        }
        Some(e)
    }

    /// After `(`: nothing or one number, then `)`.
    fn argument(&mut self) -> Option<Option<f64>> {
        if self.eat(")") {
            return Some(None);
        }
        self.space();
        let negative = self.eat("-");
        let n = self.constant()?;
        self.eat(")").then_some(Some(if negative { -n } else { n }))
    }

    fn primary(&mut self) -> Option<Expr> {
        if self.eat("(") {
            let e = self.sum()?;
            return self.eat(")").then_some(e);
        }
        self.space();
        if self.rest.starts_with(|c: char| c.is_ascii_digit()) {
            return self.constant().map(Expr::Constant);
        }
        match self.word() {
            "value" if !self.rest.starts_with(['.', '[', '(']) => Some(Expr::Value),
            "value_json" => self.path(),
            _ => None,
        }
    }

    fn path(&mut self) -> Option<Expr> {
        let mut steps = Vec::new();
        loop {
            if let Some(rest) = self.rest.strip_prefix('.') {
                self.rest = rest;
                let key = self.word();
                if key.is_empty() {
                    return None;
                }
                steps.push(Step::Key(key.into()));
            } else if let Some(rest) = self.rest.strip_prefix('[') {
                self.rest = rest.trim_start();
                if let Some(quote) = self.rest.chars().next().filter(|c| matches!(c, '\'' | '"')) {
                    let (key, rest) = self.rest.get(1..)?.split_once(quote)?;
                    steps.push(Step::Key(key.into()));
                    self.rest = rest;
                } else {
                    let digits =
                        self.rest.len() - self.rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
                    steps.push(Step::Index(self.rest.get(..digits)?.parse().ok()?));
                    self.rest = self.rest.get(digits..)?;
                }
                if !self.eat("]") {
                    return None;
                }
            } else {
                break;
            }
        }
        // a call of a method
        (!self.rest.starts_with('(') && !steps.is_empty()).then_some(Expr::Json(steps))
    }

    fn word(&mut self) -> &'a str {
        let end = self.rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        word
    }

    fn constant(&mut self) -> Option<f64> {
        let end = self.rest.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(self.rest.len());
        let (digits, rest) = self.rest.split_at(end);
        self.rest = rest;
        digits.parse().ok()
    }
}

impl Expr {
    /// The value for a state.
    pub fn evaluate(&self, body: &Body) -> Number {
        let with = |e: &Expr, f: &dyn Fn(f64) -> f64| match e.evaluate(body) {
            Number::Is(v) => Number::Is(f(v)),
            other => other,
        };
        match self {
            Self::Value => body.text().map_or(Number::Not, number_in),
            Self::Json(steps) => json(body, steps),
            Self::Constant(v) => Number::Is(*v),
            Self::Binary(a, op, b) => match (a.evaluate(body), b.evaluate(body)) {
                (Number::Is(a), Number::Is(b)) => Number::Is(match op {
                    '+' => a + b,
                    '-' => a - b,
                    '*' => a * b,
                    _ => a / b,
                }),
                (Number::Not, _) | (_, Number::Not) => Number::Not,
                _ => Number::Missing,
            },
            Self::Negative(e) => with(e, &|v| -v),
            // a default stands in for a missing value; a made-up number is no reading
            Self::Float(e, _) => e.evaluate(body),
            Self::Int(e) => with(e, &f64::trunc),
            Self::Abs(e) => with(e, &f64::abs),
            Self::Round(e, digits) => {
                let scale = 10f64.powi(*digits);
                with(e, &|v| (v * scale).round() / scale)
            }
        }
    }
}

fn json(body: &Body, steps: &[Step]) -> Number {
    let Ok(mut v) = body.json() else { return Number::Not };
    for step in steps {
        let next = match step {
            Step::Key(k) => v.get(k),
            Step::Index(i) => v.get(i),
        };
        match next {
            Some(n) => v = n,
            // a state without this field has no value for this entity
            None => return Number::Missing,
        }
    }
    number(v)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(template: &str, state: &str) -> Option<f64> {
        match compile(template).unwrap_or_else(|| panic!("{template}")).evaluate(&Body::new(state.as_bytes()))
        {
            Number::Is(v) => Some(v),
            _ => None,
        }
    }

    #[test]
    fn arithmetic_on_the_state() {
        assert_eq!(value("{{ value }}", "12.5"), Some(12.5));
        assert_eq!(value("{{(value|float/60)|round(2)}}", "100"), Some(1.67));
        assert_eq!(value("{{ value_json.A.Power }}", r#"{"A":{"Power":5}}"#), Some(5.0));
        assert_eq!(value("{{value_json['a b'][1] | float(0) * 1000}}", r#"{"a b":[1,"2.5"]}"#), Some(2500.0));
        assert_eq!(value("{{ -value_json.p + 2 * (3 - 1) }}", r#"{"p":1}"#), Some(3.0));
        assert_eq!(value("{{ value_json.missing | float(0) }}", "{}"), None);
        assert_eq!(value("{{ value_json.p }}", r#"{"p":true}"#), None);
    }

    #[test]
    fn everything_else_is_refused() {
        for t in [
            "{{ value.split(';')[0] }}",
            "{% if value %}1{% endif %}",
            "{{ value_json.p if value_json.p is defined else 0 }}",
            "{{ states('sensor.x') }}",
            "{{ value_json }}",
            "{{ value | regex_replace('a', 'b') }}",
            "{{ value }} W",
            "{{ value ** 2 }}",
            "{{ value // 2 }}",
            "{{ value_json.p.replace(',', '.') }}",
            "",
            "{{ }}",
        ] {
            assert_eq!(compile(t), None, "{t}");
        }
        assert_eq!(compile(&format!("{{{{ {}value{} }}}}", "(".repeat(50), ")".repeat(50))), None);
    }
}
