//! What is handed out as text: tokens, codes people type, invitations. Random, and stored as a digest
//! only, so that whoever reads the database can't sign in with it.

use crate::World;
use crate::app::NoRandomness;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use uuid::Uuid;

/// What a token is for, seen at its beginning: secret scanners and people can tell them apart.
pub const ACCESS: &str = "hwa_";
pub const REFRESH: &str = "hwr_";
pub const CODE: &str = "hwc_";
pub const DEVICE_CODE: &str = "hwd_";
pub const TICKET: &str = "hwt_";
pub const MAIL: &str = "hwm_";
pub const BROWSER: &str = "hwb_";

/// Without vowels and look-alikes: no words, no misreading (RFC 8628, 6.1).
const USER_CODE_LETTERS: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
/// Crockford's base32: no I, L, O, U.
const INVITATION_SYMBOLS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// 26 symbols are 130 bits.
const INVITATION_LENGTH: usize = 26;

/// A new token of 256 random bits.
pub fn mint(world: &dyn World, prefix: &str) -> Result<String, NoRandomness> {
    let mut bytes = [0; 32];
    world.fill(&mut bytes)?;
    Ok(format!("{prefix}{}", URL_SAFE_NO_PAD.encode(bytes)))
}

/// Whether this could be a token of ours at all.
pub fn is_shaped(token: &str, prefix: &str) -> bool {
    let rest = token.strip_prefix(prefix).unwrap_or_default();
    rest.len() == 43 && rest.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

/// A random (version 4) UUID.
pub fn uuid(world: &dyn World) -> Result<Uuid, NoRandomness> {
    let mut bytes = [0; 16];
    world.fill(&mut bytes)?;
    Ok(uuid::Builder::from_random_bytes(bytes).into_uuid())
}

/// What is stored of a secret that is random enough not to be guessed: SHA-256 in hex.
pub fn digest(secret: &str) -> String {
    hex(&Sha256::digest(secret.as_bytes()))
}

/// The digest of several parts, none of which can lend letters to its neighbour.
pub fn digest_of(parts: &[&str]) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part.as_bytes());
    }
    hex(&hasher.finalize())
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, b| {
        let _ = write!(text, "{b:02x}");
        text
    })
}

/// Base64url without padding of SHA-256: a PKCE challenge, a CSRF token.
pub fn sha256_base64url(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(text.as_bytes()))
}

/// Compares without telling by time where two secrets differ.
pub fn same(a: &str, b: &str) -> bool {
    a.as_bytes().ct_eq(b.as_bytes()).into()
}

/// A code a person copies from one device to another, `WDJB-MJHT`: 34 bits, so it needs a short
/// life and few guesses.
pub fn user_code(world: &dyn World) -> Result<String, NoRandomness> {
    let letters = draw(world, USER_CODE_LETTERS, 8)?;
    Ok(format!("{}-{}", &letters[..4], &letters[4..]))
}

/// As typed, in any case and with any separators, to as it is stored.
pub fn read_user_code(typed: &str) -> Option<String> {
    let letters: String = typed
        .chars()
        .filter(|c| !matches!(c, '-' | ' ' | '.' | '_'))
        .map(|c| c.to_ascii_uppercase())
        .take(9)
        .collect();
    let fits = letters.len() == 8 && letters.bytes().all(|b| USER_CODE_LETTERS.contains(&b));
    fits.then(|| format!("{}-{}", &letters[..4], &letters[4..]))
}

/// The code of an invitation, `7KQ2M-…`: it may lie in a mailbox for a month, so it is as strong as
/// a key.
pub fn invitation_code(world: &dyn World) -> Result<String, NoRandomness> {
    let symbols = draw(world, INVITATION_SYMBOLS, INVITATION_LENGTH)?;
    Ok(grouped(&symbols))
}

/// As typed or from a link, to as it was made.
pub fn read_invitation_code(typed: &str) -> Option<String> {
    let symbols: String = typed
        .chars()
        .filter(|c| !matches!(c, '-' | ' '))
        .map(|c| match c.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            other => other,
        })
        .take(INVITATION_LENGTH + 1)
        .collect();
    let fits = symbols.len() == INVITATION_LENGTH && symbols.bytes().all(|b| INVITATION_SYMBOLS.contains(&b));
    fits.then(|| grouped(&symbols))
}

fn grouped(symbols: &str) -> String {
    let mut text = String::with_capacity(symbols.len() + 6);
    for (i, c) in symbols.chars().enumerate() {
        if i > 0 && i % 5 == 0 {
            text.push('-');
        }
        text.push(c);
    }
    text
}

/// Letters of an alphabet, each as likely as the other.
fn draw(world: &dyn World, alphabet: &[u8], length: usize) -> Result<String, NoRandomness> {
    let fair = 256 - 256 % alphabet.len();
    let mut text = String::with_capacity(length);
    // each byte is kept with a probability of over nine tenths: this ends at once
    for _ in 0..64 {
        let mut bytes = [0; 32];
        world.fill(&mut bytes)?;
        for b in bytes.iter().map(|b| usize::from(*b)).filter(|b| *b < fair) {
            if text.len() == length {
                return Ok(text);
            }
            text.push(char::from(alphabet[b % alphabet.len()]));
        }
    }
    Err(NoRandomness)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::RealWorld;

    #[test]
    fn tokens_are_shaped_and_differ() {
        let (a, b) = (mint(&RealWorld, ACCESS).unwrap(), mint(&RealWorld, ACCESS).unwrap());
        assert_ne!(a, b);
        assert!(is_shaped(&a, ACCESS) && !is_shaped(&a, REFRESH), "{a}");
        for wrong in ["", "hwa_", "hwa_short", &format!("{a}x"), &a.replace("hwa_", "hwa_\u{e9}")] {
            assert!(!is_shaped(wrong, ACCESS), "{wrong}");
        }
        assert_eq!(digest("a"), "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb");
        assert_ne!(digest_of(&["ab", "c"]), digest_of(&["a", "bc"]));
    }

    #[test]
    fn typed_codes_are_forgiven_their_spelling() {
        let code = user_code(&RealWorld).unwrap();
        for typed in [code.clone(), code.to_lowercase(), code.replace('-', " "), code.replace('-', "")] {
            assert_eq!(read_user_code(&typed).as_deref(), Some(code.as_str()), "{typed}");
        }
        let code = invitation_code(&RealWorld).unwrap();
        for typed in [
            code.clone(),
            code.to_lowercase(),
            code.replace('-', ""),
            code.replace('0', "o").replace('1', "l"),
        ] {
            assert_eq!(read_invitation_code(&typed).as_deref(), Some(code.as_str()), "{typed}");
        }
        for wrong in ["", "WDJB-MJH", "WDJB-MJHTT", "ADJB-MJHT", "WDJB-MJH\u{e9}"] {
            assert_eq!(read_user_code(wrong), None, "{wrong}");
            assert_eq!(read_invitation_code(wrong), None, "{wrong}");
        }
    }
}
