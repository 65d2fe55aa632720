//! TLS with a certificate from an authority that lives as long as the process.

use std::{io, path::Path, sync::Arc};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, crypto::ring, pki_types::PrivateKeyDer},
    server::TlsStream,
};

use crate::{error::Error, server::connection::Connection};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Takes connections over TLS.
#[derive(Clone)]
pub(crate) struct Tls(TlsAcceptor);

impl Tls {
    /// Makes a certificate for localhost and 127.0.0.1, and writes that of its authority to
    /// `cert.pem` in `folder`, for clients to trust. The keys stay in memory.
    pub(crate) fn new(folder: &Path) -> Result<Self, Error> {
        let config = authority(folder).and_then(|issuer| server_config(&issuer));
        let failed = |source| Error::Tls {
            path: folder.to_owned(),
            source,
        };
        Ok(Self(TlsAcceptor::from(Arc::new(config.map_err(failed)?))))
    }

    pub(crate) async fn accept(&self, connection: Connection) -> io::Result<TlsStream<Connection>> {
        self.0.accept(connection).await
    }
}

/// Clients that look closely don't take an authority's certificate for a server's, so there are
/// two.
fn authority(folder: &Path) -> Result<Issuer<'static, KeyPair>, BoxError> {
    let mut params = CertificateParams::default();
    params
        .distinguished_name
        .push(DnType::CommonName, "simulator authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let key = KeyPair::generate()?;
    let trusted = params.self_signed(&key)?;
    std::fs::create_dir_all(folder)?;
    std::fs::write(folder.join("cert.pem"), trusted.pem())?;
    Ok(Issuer::new(params, key))
}

fn server_config(issuer: &Issuer<'static, KeyPair>) -> Result<ServerConfig, BoxError> {
    let mut params = CertificateParams::new(["localhost", "127.0.0.1", "::1"].map(str::to_owned))?;
    params
        .distinguished_name
        .push(DnType::CommonName, "localhost");
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    let key = KeyPair::generate()?;
    let certificate = params.signed_by(&key, issuer)?;
    let key = PrivateKeyDer::try_from(key.serialize_der())?;
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)?;
    Ok(config)
}
