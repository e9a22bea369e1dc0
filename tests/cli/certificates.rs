//! A server whose certificate nobody here trusts.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use crate::environment::Environment;

/// An account without faces, over TLS, for a host of this name.
struct Account {
    port: u16,
    /// Connections that came.
    count: Arc<AtomicUsize>,
    _runtime: Runtime,
}

impl Account {
    /// Writes the authority that issued the certificate to `ca`.
    fn start(host: &str, ca: &Path) -> Self {
        let runtime = Runtime::new().unwrap();
        let mut authority = CertificateParams::new(Vec::new()).unwrap();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority_key = KeyPair::generate().unwrap();
        std::fs::write(ca, authority.self_signed(&authority_key).unwrap().pem()).unwrap();
        let key = KeyPair::generate().unwrap();
        let leaf = CertificateParams::new(vec![host.to_owned()]).unwrap();
        let leaf = leaf.signed_by(&key, &Issuer::new(authority, authority_key)).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![leaf.der().clone()], PrivateKeyDer::try_from(key.serialize_der()).unwrap())
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let (port, count) = (listener.local_addr().unwrap().port(), Arc::new(AtomicUsize::new(0)));
        let counted = Arc::clone(&count);
        runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::Relaxed);
                let Ok(mut stream) = acceptor.accept(stream).await else { continue };
                let _ = stream.read(&mut [0; 4096]).await;
                let body = r#"{"data":[],"total_count":0}"#;
                let head = format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len());
                let _ = stream.write_all((head + body).as_bytes()).await;
                let _ = stream.shutdown().await;
            }
        });
        Self { port, count, _runtime: runtime }
    }

    fn connections(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }
}

#[test]
fn an_unknown_issuer_is_final_and_the_hint_names_the_way_to_trust_it() {
    let environment = Environment::project(&["ana"]).with("TAVUS_API_KEY", "key");
    let account = Account::start("localhost", &environment.path("ca.pem"));
    let plan = format!("plan --api-url https://localhost:{}/v2", account.port);
    let run = environment.run(&plan).exits(1).prints_nothing();
    run.says(&["cannot trust the certificate", "nothing was sent", "--ca-file", "SSL_CERT_FILE"])
        .hides(&["HTTPS_PROXY", "tried"]);
    assert_eq!(account.connections(), 1);
    environment.run(&format!("{plan} --ca-file ca.pem")).exits(0).prints(&["+ ana"]);
    let environment = environment.with("SSL_CERT_FILE", "ca.pem");
    environment.run(&plan).exits(0).prints(&["+ ana"]);
    let comment =
        format!("ci comment --forge github --repository a/b --number 7 --forge-url https://localhost:{}", account.port);
    let environment = environment.without("SSL_CERT_FILE").with("GITHUB_TOKEN", "forge-token-of-some-length");
    let run = environment.run_reading(&comment, "# Plan").exits(1);
    run.says(&["certificate", "--ca-file", "SSL_CERT_FILE"]).hides(&["HTTPS_PROXY", "tried"]);
}

#[test]
fn a_certificate_for_another_name_is_final_and_no_root_helps() {
    let environment = Environment::project(&["ana"]).with("TAVUS_API_KEY", "key");
    let account = Account::start("elsewhere.example.com", &environment.path("ca.pem"));
    let run = environment.run(&format!("plan --ca-file ca.pem --api-url https://localhost:{}/v2", account.port));
    run.exits(1).says(&["cannot trust the certificate", "check --api-url"]).hides(&["SSL_CERT_FILE"]);
    assert_eq!(account.connections(), 1);
}
