//! Refusals of the JSON routes: `application/problem+json`, RFC 9457.

use serde::{Deserialize, Serialize};

/// The media type of a [`Problem`].
pub const PROBLEM_JSON: &str = "application/problem+json";

/// Why a request was refused. `code` is for programs, `title` and `detail` (English) for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = json!({
    "type": "urn:hearthwatt:problem:last_owner", "title": "The home would be without an owner", "status": 409,
    "detail": "Make someone else an owner first.", "code": "last_owner"
})))]
pub struct Problem {
    /// `urn:hearthwatt:problem:{code}`.
    #[serde(rename = "type")]
    pub kind: String,
    pub title: String,
    /// The HTTP status, repeated.
    pub status: u16,
    /// What happened and what to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    pub code: ProblemCode,
    /// With `rate_limited` and `unavailable`: seconds to wait (the `Retry-After` header says the same).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_s: Option<u32>,
    /// With `invalid`: which fields, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FieldError {
    pub field: String,
    pub message: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ProblemCode {
    /// The request can't be read.
    BadRequest,
    /// A field has a value that can't be; `errors` names it.
    Invalid,
    /// No token, or one that is not (or no longer) good: refresh it, else sign in again.
    Unauthorized,
    /// Signed in, but the role does not allow it.
    Forbidden,
    /// Not there, or nothing the caller may know of.
    NotFound,
    MethodNotAllowed,
    /// Somebody else changed it meanwhile, or the id is taken.
    Conflict,
    /// The last owner of a home can't leave it or be demoted.
    LastOwner,
    /// The invitation was used, withdrawn, or is too old.
    InvitationSpent,
    /// More of these than the server keeps (homes, members, invitations, devices).
    LimitReached,
    /// Body or frame over the limit.
    TooLarge,
    UnsupportedMediaType,
    /// Too many requests; wait `retry_after_s`.
    RateLimited,
    /// The store or a provider can't be reached; try again.
    Unavailable,
    Internal,
    /// A code of a newer server.
    #[serde(other)]
    Other,
}

impl ProblemCode {
    /// As in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BadRequest => "bad_request",
            Self::Invalid => "invalid",
            Self::Unauthorized => "unauthorized",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not_found",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::Conflict => "conflict",
            Self::LastOwner => "last_owner",
            Self::InvitationSpent => "invitation_spent",
            Self::LimitReached => "limit_reached",
            Self::TooLarge => "too_large",
            Self::UnsupportedMediaType => "unsupported_media_type",
            Self::RateLimited => "rate_limited",
            Self::Unavailable => "unavailable",
            Self::Internal => "internal",
            Self::Other => "other",
        }
    }
    /// The HTTP status that goes with it.
    pub const fn status(self) -> u16 {
        match self {
            Self::BadRequest | Self::Other => 400,
            Self::Unauthorized => 401,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::Conflict | Self::LastOwner | Self::LimitReached => 409,
            Self::InvitationSpent => 410,
            Self::TooLarge => 413,
            Self::UnsupportedMediaType => 415,
            Self::Invalid => 422,
            Self::RateLimited => 429,
            Self::Unavailable => 503,
            Self::Internal => 500,
        }
    }
    /// A few words for a person.
    pub const fn title(self) -> &'static str {
        match self {
            Self::BadRequest => "The request can't be read",
            Self::Invalid => "A field has a value that can't be",
            Self::Unauthorized => "Sign in first",
            Self::Forbidden => "Your role in this home does not allow that",
            Self::NotFound => "Not found",
            Self::MethodNotAllowed => "Not a method of this address",
            Self::Conflict => "It changed meanwhile",
            Self::LastOwner => "The home would be without an owner",
            Self::InvitationSpent => "The invitation is no longer good",
            Self::LimitReached => "There can't be more of these",
            Self::TooLarge => "Too large",
            Self::UnsupportedMediaType => "Not a media type of this address",
            Self::RateLimited => "Too many requests",
            Self::Unavailable => "Not available right now",
            Self::Internal => "Something went wrong on the server",
            Self::Other => "Refused",
        }
    }
}

impl Problem {
    pub fn new(code: ProblemCode) -> Self {
        Self {
            kind: format!("urn:hearthwatt:problem:{}", code.as_str()),
            title: code.title().to_owned(),
            status: code.status(),
            detail: None,
            code,
            retry_after_s: None,
            errors: Vec::new(),
        }
    }
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }
    /// A refusal because of one field.
    pub fn field(field: &str, message: impl Into<String>) -> Self {
        let mut p = Self::new(ProblemCode::Invalid);
        p.errors.push(FieldError { field: field.to_owned(), message: message.into() });
        p
    }
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after_s = Some(seconds);
        self
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.detail {
            Some(d) => write!(f, "{}: {d}", self.title),
            None => f.write_str(&self.title),
        }
    }
}
impl std::error::Error for Problem {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_spelt_alike_everywhere_and_newer_ones_are_read() {
        let p = Problem::new(ProblemCode::LastOwner).detail("Make someone else an owner first.");
        let text = serde_json::to_string(&p).unwrap();
        assert!(
            text.contains("\"urn:hearthwatt:problem:last_owner\"") && text.contains("\"status\":409"),
            "{text}"
        );
        assert_eq!(serde_json::from_str::<Problem>(&text).unwrap(), p);
        let newer = text.replace("\"code\":\"last_owner\"", "\"code\":\"of_next_year\"");
        assert_eq!(serde_json::from_str::<Problem>(&newer).unwrap().code, ProblemCode::Other);
        for code in
            [ProblemCode::InvitationSpent, ProblemCode::UnsupportedMediaType, ProblemCode::RateLimited]
        {
            assert_eq!(serde_json::to_string(&code).unwrap(), format!("\"{}\"", code.as_str()));
        }
    }
}
