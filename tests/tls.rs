//! A webhook's peer proves by its certificate who it is, before it learns anything.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::{fs, thread};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd,
};
use rustls::crypto::ring;
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::repository::root;

type Issuer = CertifiedIssuer<'static, KeyPair>;

/// Whoever signs certificates.
fn issuer(name: &str) -> Issuer {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    Issuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A peer with a certificate for this name, good until that year, that answers one request: its port, and what it
/// has heard, if anybody has spoken with it.
fn peer(issuer: &Issuer, name: &str, until: i32) -> (u16, thread::JoinHandle<Option<String>>) {
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    params.not_after = date_time_ymd(until, 1, 1);
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, issuer).unwrap();
    let chain = vec![certificate.der().clone()];
    let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
    let provider = Arc::new(ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider);
    let config = config.with_safe_default_protocol_versions().unwrap();
    let config = config.with_no_client_auth().with_single_cert(chain, key);
    let config = Arc::new(config.unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let heard = thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        hear(config, stream)
    });
    (port, heard)
}

/// The body of one request. `None`: the other end went away before it.
fn hear(config: Arc<ServerConfig>, stream: TcpStream) -> Option<String> {
    let connection = ServerConnection::new(config).unwrap();
    let mut lines = BufReader::new(StreamOwned::new(connection, stream));
    let mut length = 0;
    loop {
        let mut line = String::new();
        if lines.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if let Some(text) = line.to_ascii_lowercase().strip_prefix("content-length: ") {
            length = text.trim().parse().unwrap();
        }
        if line.trim().is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    lines.read_exact(&mut body).ok()?;
    let answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";
    lines.get_mut().write_all(answer.as_bytes()).ok()?;
    lines.get_mut().flush().ok()?;
    String::from_utf8(body).ok()
}

/// Sends a message to `https://localhost` at this port; only what the issuer has signed is believed.
fn send(folder: &Path, trusted: &Issuer, port: u16) -> (String, i32) {
    let roots = folder.join("roots.pem");
    fs::write(&roots, trusted.pem()).unwrap();
    let config = folder.join("upline.toml");
    let text = format!(
        "data = \"d\"\nworkflows = \"w\"\n[webhook.room]\nurl = \"https://localhost:{port}/x\"\n\
         shape = \"slack\"\nallow-private = true\n"
    );
    fs::write(&config, text).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_upline"))
        .args(["notify", "test", "webhook:room", "--config"])
        .arg(&config)
        .current_dir(root())
        .env("SSL_CERT_FILE", &roots)
        .env_remove("SSL_CERT_DIR")
        .output()
        .unwrap();
    let both = [output.stdout, output.stderr].concat();
    let told = String::from_utf8_lossy(&both).into_owned();
    (told, output.status.code().unwrap_or(-1))
}

fn folder() -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("tls");
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).unwrap();
    path
}

#[test]
fn a_peer_that_does_not_prove_who_it_is_learns_nothing() {
    let (folder, trusted, other) = (folder(), issuer("one"), issuer("other"));
    let (port, heard) = peer(&trusted, "localhost", 2100);
    let (told, exit) = send(&folder, &trusted, port);
    assert_eq!(exit, 0, "{told}");
    assert!(told.contains("`localhost` has taken a message"), "{told}");
    assert!(heard.join().unwrap().unwrap().contains("webhook room"));
    for (issuer, name, until, says) in [
        (&other, "localhost", 2100, "UnknownIssuer"),
        (&trusted, "hooks.example.com", 2100, "not valid for name"),
        (&trusted, "localhost", 2000, "expired"),
    ] {
        let (port, heard) = peer(issuer, name, until);
        let (told, exit) = send(&folder, &trusted, port);
        assert_eq!(exit, 1, "{name} {until}: {told}");
        assert!(told.contains(says), "{told}");
        assert_eq!(heard.join().unwrap(), None, "{name} {until}");
    }
}
