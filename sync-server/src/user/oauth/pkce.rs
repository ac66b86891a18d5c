//! PKCE, method S256 (RFC 7636): only who began a sign-in can finish it.

use crate::user::token;

/// A challenge: base64url of 32 bytes, without padding.
pub fn is_challenge(text: &str) -> bool {
    text.len() == 43 && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

/// Whether the verifier is well-formed and belongs to the challenge.
pub fn verifies(verifier: &str, challenge: &str) -> bool {
    let formed = (43..=128).contains(&verifier.len())
        && verifier.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~'));
    formed && token::same(&token::sha256_base64url(verifier), challenge)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7636, appendix B.
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    #[test]
    fn the_standards_example() {
        assert!(is_challenge(CHALLENGE) && verifies(VERIFIER, CHALLENGE));
    }

    #[test]
    fn anything_else_is_refused() {
        for wrong in
            ["", "short", CHALLENGE, &VERIFIER.replace('d', "e"), &format!("{VERIFIER}!"), &"a".repeat(129)]
        {
            assert!(!verifies(wrong, CHALLENGE), "{wrong}");
        }
        for wrong in ["", VERIFIER.get(1..).unwrap(), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw+cM"] {
            assert!(!is_challenge(wrong), "{wrong}");
        }
    }
}
