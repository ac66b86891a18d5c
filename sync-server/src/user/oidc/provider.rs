//! An OpenID Connect provider: discovery, the address of its sign-in, and who came back from there.

use super::http;
use crate::World;
use crate::app::NoRandomness;
use crate::user::Options;
use crate::user::redirect::{host_of, is_loopback_host};
use crate::user::token;
use hearthwatt_domain::time::UnixMillis;
use openidconnect::core::{
    CoreAuthenticationFlow, CoreClient, CoreJwsSigningAlgorithm, CoreProviderMetadata, CoreUserInfoClaims,
};
use openidconnect::{
    AuthorizationCode, ClientId, ClientSecret, CsrfToken, IssuerUrl, Nonce, OAuth2TokenResponse,
    PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope, TokenResponse,
};
use std::sync::Mutex;

/// Milliseconds after which a provider is asked again who it is and which keys it uses.
const FRESH: i64 = 60 * 60 * 1000;

/// Only signatures by keys the provider publishes: no shared secrets, no `none`.
const ALGORITHMS: &[CoreJwsSigningAlgorithm] = &[
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];

/// One that this server is configured for.
pub struct Provider {
    name: String,
    slug: String,
    issuer: String,
    client_id: ClientId,
    secret: Option<ClientSecret>,
    known: Mutex<Option<(UnixMillis, CoreProviderMetadata)>>,
}

/// What has to be remembered while the person is at the provider.
#[derive(Clone, Debug)]
pub struct Begun {
    pub url: String,
    pub state: String,
    pub nonce: String,
    pub verifier: String,
}

/// Who came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    pub subject: String,
    /// Only if the provider says that it has verified it.
    pub email: Option<String>,
    pub name: Option<String>,
}

/// Why nobody came back. The text is for the log.
#[derive(Debug, thiserror::Error)]
pub enum Failed {
    #[error("the provider can't be reached: {0}")]
    Away(String),
    #[error("the provider's answer is not good: {0}")]
    Wrong(String),
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
}

fn wrong(error: impl std::fmt::Display) -> Failed {
    Failed::Wrong(error.to_string())
}

/// The providers that the options name.
///
/// # Errors
/// The options don't fit together, in words.
pub fn configured(options: &Options) -> Result<Vec<Provider>, String> {
    let count = options.oidc_issuers.len();
    if options.oidc_client_ids.len() != count {
        return Err("each --oidc-issuer needs an --oidc-client-id".into());
    }
    if options.oidc_secret_files.len() > count || options.oidc_names.len() > count {
        return Err("there are more --oidc-client-secret-file or --oidc-name than --oidc-issuer".into());
    }
    if !matches!(options.oidc_secret_files.len(), 0) && options.oidc_secret_files.len() != count {
        return Err("with several providers, either all or none have an --oidc-client-secret-file".into());
    }
    let mut providers: Vec<Provider> = Vec::new();
    for (i, (issuer, client_id)) in options.oidc_issuers.iter().zip(&options.oidc_client_ids).enumerate() {
        let host = host_of(issuer);
        let safe =
            issuer.starts_with("https://") || (issuer.starts_with("http://") && is_loopback_host(host));
        if !safe || IssuerUrl::new(issuer.clone()).is_err() {
            return Err(format!("--oidc-issuer {issuer:?} is not an https:// address"));
        }
        let name = options.oidc_names.get(i).map_or_else(|| host.to_owned(), Clone::clone);
        let slug: String = name
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' })
            .collect();
        let slug = slug.trim_matches('-').to_owned();
        if slug.is_empty() || providers.iter().any(|p| p.slug == slug) {
            return Err(format!("--oidc-name {name:?} is empty or given twice"));
        }
        let secret =
            options.oidc_secret_files.get(i).map(|path| crate::config::read_secret(path)).transpose()?;
        providers.push(Provider {
            name,
            slug,
            issuer: issuer.clone(),
            client_id: ClientId::new(client_id.clone()),
            secret: secret.map(ClientSecret::new),
            known: Mutex::new(None),
        });
    }
    Ok(providers)
}

impl Provider {
    /// What people call it.
    pub fn name(&self) -> &str {
        &self.name
    }
    /// In addresses.
    pub fn slug(&self) -> &str {
        &self.slug
    }
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    async fn discover(&self, now: UnixMillis, again: bool) -> Result<CoreProviderMetadata, Failed> {
        if !again
            && let Ok(known) = self.known.lock()
            && let Some((at, metadata)) = known.as_ref()
            && now.since(*at) < FRESH
        {
            return Ok(metadata.clone());
        }
        let issuer = IssuerUrl::new(self.issuer.clone()).map_err(wrong)?;
        let found = CoreProviderMetadata::discover_async(issuer, &http::send).await;
        let metadata = found.map_err(|e| Failed::Away(chain(&e)))?;
        if let Ok(mut known) = self.known.lock() {
            *known = Some((now, metadata.clone()));
        }
        Ok(metadata)
    }

    /// Where the person signs in.
    ///
    /// # Errors
    /// The provider can't be reached.
    pub async fn begin(&self, world: &dyn World, redirect: &str) -> Result<Begun, Failed> {
        let metadata = self.discover(world.now(), false).await?;
        let [state, nonce, verifier] =
            [token::mint(world, "")?, token::mint(world, "")?, token::mint(world, "")?];
        let challenge =
            PkceCodeChallenge::from_code_verifier_sha256(&PkceCodeVerifier::new(verifier.clone()));
        let client =
            CoreClient::from_provider_metadata(metadata, self.client_id.clone(), self.secret.clone())
                .set_redirect_uri(RedirectUrl::new(redirect.to_owned()).map_err(wrong)?);
        let (own_state, own_nonce) = (state.clone(), nonce.clone());
        let (url, _, _) = client
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                move || CsrfToken::new(own_state.clone()),
                move || Nonce::new(own_nonce.clone()),
            )
            .add_scope(Scope::new("email".into()))
            .add_scope(Scope::new("profile".into()))
            .set_pkce_challenge(challenge)
            .url();
        Ok(Begun { url: url.to_string(), state, nonce, verifier })
    }

    /// Who signed in there.
    ///
    /// # Errors
    /// The provider can't be reached, or what it says doesn't hold.
    pub async fn finish(
        &self,
        world: &dyn World,
        redirect: &str,
        code: &str,
        begun: (&str, &str),
    ) -> Result<Person, Failed> {
        let (nonce, verifier) = begun;
        let metadata = self.discover(world.now(), false).await?;
        let redirect = RedirectUrl::new(redirect.to_owned()).map_err(wrong)?;
        let make = |metadata| {
            CoreClient::from_provider_metadata(metadata, self.client_id.clone(), self.secret.clone())
                .set_redirect_uri(redirect.clone())
        };
        let client = make(metadata);
        let request = client.exchange_code(AuthorizationCode::new(code.to_owned())).map_err(wrong)?;
        let tokens = request
            .set_pkce_verifier(PkceCodeVerifier::new(verifier.to_owned()))
            .request_async(&http::send)
            .await;
        let tokens = tokens.map_err(|e| Failed::Wrong(chain(&e)))?;
        let id_token = tokens.id_token().ok_or_else(|| wrong("no ID token"))?;
        let nonce = Nonce::new(nonce.to_owned());
        let allowed = || ALGORITHMS.iter().cloned();
        let claims = match id_token.claims(&client.id_token_verifier().set_allowed_algs(allowed()), &nonce) {
            Ok(claims) => claims.clone(),
            // its keys may have changed within the hour
            Err(openidconnect::ClaimsVerificationError::SignatureVerification(_)) => {
                let client = make(self.discover(world.now(), true).await?);
                let verifier = client.id_token_verifier().set_allowed_algs(allowed());
                id_token.claims(&verifier, &nonce).map_err(wrong)?.clone()
            }
            Err(e) => return Err(wrong(e)),
        };
        let subject = claims.subject().to_string();
        let (mut email, mut verified) = (claims.email().map(|e| e.to_string()), claims.email_verified());
        let mut name = claims.name().and_then(|n| n.get(None)).map(|n| n.to_string());
        if (email.is_none() || name.is_none())
            && let Ok(request) =
                client.user_info(tokens.access_token().clone(), Some(claims.subject().clone()))
        {
            // that the subject is the same is checked there
            let info: CoreUserInfoClaims =
                request.request_async(&http::send).await.map_err(|e| Failed::Wrong(chain(&e)))?;
            if email.is_none() {
                (email, verified) = (info.email().map(|e| e.to_string()), info.email_verified());
            }
            name = name.or_else(|| info.name().and_then(|n| n.get(None)).map(|n| n.to_string()));
        }
        Ok(Person { subject, email: email.filter(|_| verified == Some(true)), name })
    }
}

/// An error with its causes, which say what happened.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(issuers: &[&str], ids: &[&str], names: &[&str]) -> Options {
        let list = |texts: &[&str]| texts.iter().map(|t| (*t).to_owned()).collect();
        Options {
            oidc_issuers: list(issuers),
            oidc_client_ids: list(ids),
            oidc_names: list(names),
            ..Options::default()
        }
    }

    #[test]
    fn options_that_fit_together() {
        let found = configured(&options(
            &["https://login.example", "http://127.0.0.1:3000"],
            &["a", "b"],
            &["My Login"],
        ))
        .unwrap();
        let slugs: Vec<&str> = found.iter().map(Provider::slug).collect();
        assert_eq!(slugs, ["my-login", "127-0-0-1-3000"]);
        for (issuers, ids, names) in [
            (&["https://a.example"][..], &[][..], &[][..]),
            (&["http://login.example"], &["a"], &[]),
            (&["login.example"], &["a"], &[]),
            (&["https://a.example"], &["a"], &["x", "y"]),
            (&["https://a.example", "https://b.example"], &["a", "b"], &["x", "X"]),
            (&["https://a.example"], &["a"], &["!"]),
        ] {
            assert!(configured(&options(issuers, ids, names)).is_err(), "{issuers:?} {names:?}");
        }
    }
}
