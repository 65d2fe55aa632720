//! HTTPS with the certificate that the simulator writes.

use std::sync::Arc;

use simulator::{Config, Simulator};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_rustls::{
    TlsConnector,
    rustls::{
        ClientConfig, RootCertStore,
        crypto::ring,
        pki_types::{CertificateDer, ServerName, pem::PemObject},
    },
};

use crate::wire::basic;

#[tokio::test]
async fn clients_that_trust_the_certificate_are_served() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = Config {
        tls_dir: Some(folder.path().join("tls")),
        ..Config::default()
    };
    let simulator = Simulator::start(config).await.expect("it starts");
    let certificate =
        CertificateDer::from_pem_file(folder.path().join("tls/cert.pem")).expect("a certificate");
    let mut roots = RootCertStore::empty();
    roots.add(certificate).expect("a root");
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let url = simulator.url();
    let address = url.strip_prefix("https://").expect("HTTPS");
    let port = address.rsplit(':').next().expect("a port");
    let tcp = TcpStream::connect(format!("127.0.0.1:{port}"))
        .await
        .expect("it listens");
    let name = ServerName::try_from("localhost").expect("a name");
    let connector = TlsConnector::from(Arc::new(config));
    let mut stream = connector.connect(name, tcp).await.expect("it is trusted");
    let head = format!(
        "GET /v0/metadata.list_datasets HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\
         Authorization: {}\r\n\r\n",
        basic(simulator::DEMO_KEY)
    );
    stream.write_all(head.as_bytes()).await.expect("it reads");
    let mut answer = String::new();
    stream
        .read_to_string(&mut answer)
        .await
        .expect("it answers");
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.contains("GLBX.MDP3"),
        "{answer}"
    );
}
