//! What every form shares: reading typed numbers, errors that belong to a field, and the fields
//! themselves.

pub mod ask;
pub mod edit;
pub mod fields;
pub mod number;

use crate::i18n::{I18n, Lang};
use hearthwatt_domain::format::Separators;

/// A field of a form (its `name` attribute) and the Fluent key of what is wrong with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FieldError {
    pub field: &'static str,
    pub key: &'static str,
}

/// Everything that is wrong with a form, in the order of its fields. Never empty as an error.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Errors(Vec<FieldError>);

impl Errors {
    pub fn add(&mut self, field: &'static str, key: &'static str) {
        self.0.push(FieldError { field, key });
    }
    /// Takes the value, or notes the error and gives `None`.
    pub fn take<T>(&mut self, field: &'static str, value: Result<T, &'static str>) -> Option<T> {
        value.map_err(|key| self.add(field, key)).ok()
    }
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
    /// Where to put the focus.
    pub fn first(&self) -> Option<&'static str> {
        self.0.first().map(|e| e.field)
    }
    pub fn of(&self, field: &str) -> Option<&'static str> {
        self.0.iter().find(|e| e.field == field).map(|e| e.key)
    }
    /// The words for a field, if something is wrong with it.
    pub fn text(&self, i18n: &I18n, field: &str) -> Option<String> {
        self.of(field).map(|key| i18n.t(key))
    }
}

/// Longest name of anything a person names, in characters.
pub const NAME_MAX_CHARS: usize = 80;

/// A name without blanks at its ends.
pub fn parse_name(text: &str) -> Result<String, &'static str> {
    let name = text.trim();
    match name.chars().count() {
        0 => Err("form-error-empty"),
        n if n > NAME_MAX_CHARS => Err("form-error-name-long"),
        _ => Ok(name.to_owned()),
    }
}

/// How numbers are typed in a language.
pub fn separators(lang: Lang) -> Separators {
    match lang {
        Lang::English => Separators::ENGLISH,
        Lang::German => Separators::GERMAN,
    }
}

/// The Fluent key for a number that can't be taken.
pub fn number_error(error: number::NumberError) -> &'static str {
    match error {
        number::NumberError::Empty => "form-error-empty",
        number::NumberError::NotANumber => "form-error-number",
        number::NumberError::TooLarge => "form-error-large",
    }
}
