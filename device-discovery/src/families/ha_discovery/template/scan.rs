//! What the text of a template shows before it runs: the filters and methods that it uses, the
//! fields that it reads.

use serde_json::Value;

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Token<'a> {
    /// Letters, digits and `_`.
    Word(&'a str),
    /// What is between quotes, as written.
    Text(&'a str),
    Mark(char),
}

/// A path into the state's JSON.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Path(Vec<Step>);

#[derive(Debug, Clone, PartialEq)]
enum Step {
    Key(String),
    Index(usize),
}

impl Path {
    pub fn find<'a>(&self, json: &'a Value) -> Option<&'a Value> {
        self.0.iter().try_fold(json, |v, step| match step {
            Step::Key(k) => v.get(k),
            Step::Index(i) => v.get(i),
        })
    }

    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|s| match s {
            Step::Key(k) => Some(k.as_str()),
            Step::Index(_) => None,
        })
    }
}

/// Without white space and comments. `None`: a text or a comment does not end.
pub(super) fn tokens(source: &str) -> Option<Vec<Token<'_>>> {
    let mut tokens = Vec::new();
    let mut rest = source.trim_start();
    while let Some(c) = rest.chars().next() {
        if let Some(comment) = rest.strip_prefix("{#") {
            rest = comment.split_once("#}")?.1;
        } else if c == '\'' || c == '"' {
            let inside = &rest[1..];
            let end = end_of_text(inside, c)?;
            tokens.push(Token::Text(&inside[..end]));
            rest = &inside[end + 1..];
        } else if is_word(c) {
            let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
            tokens.push(Token::Word(&rest[..end]));
            rest = &rest[end..];
        } else {
            tokens.push(Token::Mark(c));
            rest = &rest[c.len_utf8()..];
        }
        rest = rest.trim_start();
    }
    Some(tokens)
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn end_of_text(inside: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in inside.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return Some(at),
            _ => {}
        }
    }
    None
}

/// How deep brackets nest.
pub(super) fn nesting(tokens: &[Token]) -> usize {
    let (mut now, mut most) = (0usize, 0);
    for t in tokens {
        match t {
            Token::Mark('(' | '[' | '{') => now += 1,
            Token::Mark(')' | ']' | '}') => now = now.saturating_sub(1),
            _ => {}
        }
        most = most.max(now);
    }
    most
}

/// Whether lists, tuples or mappings are written down (and not only indexed, or passed to calls).
pub(super) fn builds(tokens: &[Token]) -> bool {
    const OPERATORS: [&str; 9] = ["if", "elif", "else", "in", "and", "or", "not", "is", "set"];
    // what each open bracket is: of a call, or anything else
    let mut open: Vec<bool> = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let near = |at: Option<usize>| at.and_then(|at| tokens.get(at));
        let before = near(at.checked_sub(1));
        let follows_value = match before {
            Some(Token::Word(w)) => !OPERATORS.contains(w),
            Some(Token::Text(_) | Token::Mark(')' | ']')) => true,
            _ => false,
        };
        match token {
            Token::Mark('[') if !follows_value => return true,
            Token::Mark('(') => open.push(follows_value),
            Token::Mark('[') => open.push(false),
            Token::Mark(')' | ']') => drop(open.pop()),
            Token::Mark(',') if open.last() != Some(&true) => return true,
            // what is not a delimiter of the template
            Token::Mark('{')
                if before != Some(&Token::Mark('{'))
                    && !matches!(near(Some(at + 1)), Some(Token::Mark('{' | '%'))) =>
            {
                return true;
            }
            Token::Mark('{')
                if before == Some(&Token::Mark('{')) && near(Some(at + 1)) == Some(&Token::Mark('{')) =>
            {
                return true;
            }
            _ => {}
        }
    }
    false
}

/// The names of the statements.
pub(super) fn statements<'a>(tokens: &[Token<'a>]) -> impl Iterator<Item = &'a str> {
    tokens.windows(4).filter_map(|t| match t {
        [Token::Mark('{'), Token::Mark('%'), Token::Word(name), ..]
        | [Token::Mark('{'), Token::Mark('%'), Token::Mark('-' | '+'), Token::Word(name)] => Some(*name),
        _ => None,
    })
}

/// The names of the filters used.
pub(super) fn filters<'a>(tokens: &[Token<'a>]) -> impl Iterator<Item = &'a str> {
    tokens.windows(2).filter_map(|t| match t {
        [Token::Mark('|'), Token::Word(name)] => Some(*name),
        _ => None,
    })
}

/// The names of the methods called.
pub(super) fn methods<'a>(tokens: &[Token<'a>]) -> impl Iterator<Item = &'a str> {
    tokens.windows(3).filter_map(|t| match t {
        [Token::Mark('.'), Token::Word(name), Token::Mark('(')] => Some(*name),
        _ => None,
    })
}

/// All paths that begin with `value_json`.
pub(super) fn paths(tokens: &[Token]) -> Vec<Path> {
    (0..tokens.len())
        .filter_map(|at| path(&tokens[at..]))
        .map(|(p, _)| p)
        .filter(|p| !p.0.is_empty())
        .collect()
}

/// The path that the tokens begin with, and how many of them it takes.
pub(super) fn path(tokens: &[Token]) -> Option<(Path, usize)> {
    if tokens.first() != Some(&Token::Word("value_json")) {
        return None;
    }
    let (mut steps, mut end) = (Vec::new(), 1);
    loop {
        let (step, len) = match &tokens[end..] {
            [
                Token::Mark('.'),
                Token::Word("get"),
                Token::Mark('('),
                Token::Text(key),
                Token::Mark(')'),
                ..,
            ] => (key_step(key), 5),
            // with something to fall back to: the path goes no further
            [Token::Mark('.'), Token::Word("get"), Token::Mark('('), Token::Text(key), ..] => {
                steps.extend(key_step(key));
                break;
            }
            [Token::Mark('.'), Token::Word(_), Token::Mark('('), ..] => break,
            [Token::Mark('.'), Token::Word(key), ..] => (key_step(key), 2),
            [Token::Mark('['), Token::Text(key), Token::Mark(']'), ..] => (key_step(key), 3),
            [Token::Mark('['), Token::Word(digits), Token::Mark(']'), ..] => {
                (digits.parse().ok().map(Step::Index), 3)
            }
            _ => break,
        };
        let Some(step) = step else { break };
        steps.push(step);
        end += len;
    }
    Some((Path(steps), end))
}

/// `None`: with escapes, which are not undone here.
fn key_step(key: &str) -> Option<Step> {
    (!key.contains('\\')).then(|| Step::Key(key.to_string()))
}
