//! English and German, and which of them somebody reads.

use super::account::Account;
use axum::http::HeaderValue;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lang {
    En,
    De,
}

impl Lang {
    pub const fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::De => "de",
        }
    }

    pub fn from_tag(tag: &str) -> Option<Self> {
        match tag.split('-').next().unwrap_or_default().to_ascii_lowercase().as_str() {
            "en" => Some(Self::En),
            "de" => Some(Self::De),
            _ => None,
        }
    }

    pub fn of_account(account: &Account) -> Option<Self> {
        account.language.as_deref().and_then(Self::from_tag)
    }

    /// The better of the two by `Accept-Language` (RFC 9110, 12.5.4); English if neither is asked for.
    pub fn asked(header: Option<&HeaderValue>) -> Self {
        let text = header.and_then(|h| h.to_str().ok()).unwrap_or_default();
        let mut best = (Self::En, 0);
        for range in text.split(',').take(20) {
            let mut parts = range.split(';');
            let tag = parts.next().unwrap_or_default().trim();
            let quality = parts.find_map(|p| p.trim().strip_prefix("q=")).map_or(1000, thousandths);
            if let Some(lang) = Self::from_tag(tag)
                && quality > best.1
            {
                best = (lang, quality);
            }
        }
        best.0
    }
}

/// `0.8` as 800.
fn thousandths(quality: &str) -> u32 {
    let value = quality.trim().parse::<f32>().unwrap_or(0.0).clamp(0.0, 1.0);
    (value * 1000.0) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_better_language_is_chosen() {
        for (asked, lang) in [
            ("", Lang::En),
            ("de", Lang::De),
            ("de-AT,en;q=0.5", Lang::De),
            ("fr,en;q=0.3,de;q=0.7", Lang::De),
            ("en-GB,de;q=0.9", Lang::En),
            ("fr", Lang::En),
            ("de;q=0", Lang::En),
            ("de;q=nonsense,en;q=0.1", Lang::En),
        ] {
            let header = HeaderValue::from_str(asked).unwrap();
            assert_eq!(Lang::asked(Some(&header)), lang, "{asked}");
        }
    }
}
