//! HTTPS with a certificate for localhost, made anew at each start.

#[cfg(feature = "tls")]
pub(crate) use enabled::Tls;

#[cfg(not(feature = "tls"))]
pub(crate) use disabled::Tls;

#[cfg(feature = "tls")]
mod enabled {
    use std::{io, path::Path, sync::Arc};

    use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair};
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
        /// Makes a certificate for localhost and 127.0.0.1 and writes it to `cert.pem` in `folder`,
        /// for clients to trust. The key stays in memory.
        pub(crate) fn new(folder: &Path) -> Result<Self, Error> {
            Self::with_certificate_in(folder).map_err(|source| Error::Tls {
                path: folder.to_owned(),
                source,
            })
        }

        fn with_certificate_in(folder: &Path) -> Result<Self, BoxError> {
            let key = KeyPair::generate()?;
            let mut params = CertificateParams::new([
                "localhost".to_owned(),
                "127.0.0.1".to_owned(),
                "::1".to_owned(),
            ])?;
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            let certificate = params.self_signed(&key)?;
            std::fs::create_dir_all(folder)?;
            std::fs::write(folder.join("cert.pem"), certificate.pem())?;
            let key = PrivateKeyDer::try_from(key.serialize_der())?;
            let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
                .with_safe_default_protocol_versions()?
                .with_no_client_auth()
                .with_single_cert(vec![certificate.der().clone()], key)?;
            Ok(Self(TlsAcceptor::from(Arc::new(config))))
        }

        pub(crate) async fn accept(
            &self,
            connection: Connection,
        ) -> io::Result<TlsStream<Connection>> {
            self.0.accept(connection).await
        }
    }
}

#[cfg(not(feature = "tls"))]
mod disabled {
    use std::{io, path::Path};

    use crate::{error::Error, server::connection::Connection};

    /// There is no TLS in this build.
    #[derive(Clone)]
    pub(crate) enum Tls {}

    impl Tls {
        pub(crate) fn new(_folder: &Path) -> Result<Self, Error> {
            Err(Error::NoTls)
        }

        pub(crate) async fn accept(&self, connection: Connection) -> io::Result<Connection> {
            Ok(connection)
        }
    }
}
