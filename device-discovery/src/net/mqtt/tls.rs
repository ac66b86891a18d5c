//! Trust: the system's authorities or one given as PEM, and what a refused certificate was.

use super::Tls;
use rumqttc::{TlsConfiguration, Transport};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring as provider};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use std::sync::{Arc, Mutex, PoisonError};

/// The fingerprint of the last certificate that was shown.
pub(super) type Shown = Arc<Mutex<Option<String>>>;

/// How to connect under `tls`; an error says why there is nothing to trust.
pub(super) fn transport(tls: &Tls, shown: &Shown) -> Result<Transport, String> {
    let mut roots = RootCertStore::empty();
    match tls {
        Tls::Off => return Ok(Transport::Tcp),
        Tls::SystemRoots => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
        Tls::Authority { pem } => {
            for cert in CertificateDer::pem_slice_iter(pem.as_bytes()) {
                let cert = cert.map_err(|e| format!("the authority is not readable PEM: {e}"))?;
                roots.add(cert).map_err(|e| format!("the authority is not a usable certificate: {e}"))?;
            }
        }
    }
    if roots.is_empty() {
        return Err("no certificate authority to trust".into());
    }
    let crypto = Arc::new(provider::default_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), crypto.clone())
        .build()
        .map_err(|e| format!("the authority can't be used: {e}"))?;
    let verifier = Remembering { inner: verifier, shown: shown.clone() };
    let config = client_config(crypto, verifier).map_err(|e| e.to_string())?;
    Ok(Transport::Tls(TlsConfiguration::Rustls(Arc::new(config))))
}

fn client_config(crypto: Arc<CryptoProvider>, verifier: Remembering) -> Result<ClientConfig, Error> {
    Ok(ClientConfig::builder_with_provider(crypto)
        .with_safe_default_protocol_versions()?
        // not a way around verification: the verifier below asks the usual one
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth())
}

/// The usual verification, which also remembers what it was shown so that a person can compare it.
#[derive(Debug)]
struct Remembering {
    inner: Arc<WebPkiServerVerifier>,
    shown: Shown,
}

impl ServerCertVerifier for Remembering {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        *self.shown.lock().unwrap_or_else(PoisonError::into_inner) = Some(fingerprint(end_entity));
        self.inner.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

/// SHA-256 as browsers show it.
fn fingerprint(cert: &[u8]) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, cert);
    let bytes: Vec<String> = digest.as_ref().iter().map(|b| format!("{b:02X}")).collect();
    bytes.join(":")
}
