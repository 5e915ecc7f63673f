//! TLS to a mail server, from the first byte and after STARTTLS: whoever does not prove by his certificate who
//! he is learns neither the password nor anything of a mail. And a connection is used for more than one mail.

use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use mailin::{Action, AuthMechanism, Handler, Response, Session, SessionBuilder, response};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd,
};
use rustls::crypto::ring;
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use tempfile::TempDir;

use super::{alarms, dispatched, settings};
use crate::tests::kit::{Service, shipped_copy};

type Issuer = CertifiedIssuer<'static, KeyPair>;

/// Whoever signs certificates.
fn issuer(name: &str) -> Issuer {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    Issuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A certificate for this name, good until that year.
fn certified(issuer: &Issuer, name: &str, until: i32) -> Arc<ServerConfig> {
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    params.not_after = date_time_ymd(until, 1, 1);
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, issuer).unwrap();
    let chain = vec![certificate.der().clone()];
    let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let config = config.with_safe_default_protocol_versions().unwrap();
    let config = config.with_no_client_auth().with_single_cert(chain, key);
    Arc::new(config.unwrap())
}

/// How the server speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Tls,
    StartTls,
    /// After STARTTLS somebody between answers what will be asked under TLS.
    Injected,
}

/// What came, a line each.
#[derive(Debug, Default)]
struct Heard {
    connections: usize,
    clear: Vec<String>,
    secret: Vec<String>,
}

struct Office {
    port: u16,
    heard: Arc<Mutex<Heard>>,
}

/// Takes everything.
struct Clerk;

impl Handler for Clerk {
    fn data_end(&mut self) -> Response {
        response::OK
    }

    fn auth_plain(&mut self, _: &str, user: &str, password: &str) -> Response {
        match (user, password) {
            ("upline", "sesame") => response::AUTH_OK,
            _ => response::INVALID_CREDENTIALS,
        }
    }
}

impl Office {
    fn open(way: Way, config: Arc<ServerConfig>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let heard = Arc::new(Mutex::new(Heard::default()));
        let own = Arc::clone(&heard);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (config, heard) = (Arc::clone(&config), Arc::clone(&own));
                heard.lock().unwrap().connections += 1;
                std::thread::spawn(move || converse(stream.unwrap(), way, config, &heard));
            }
        });
        Self { port, heard }
    }

    fn heard(&self, of: impl Fn(&Heard) -> Vec<String>) -> Vec<String> {
        of(&self.heard.lock().unwrap())
    }

    /// How many mails it was given under TLS.
    fn mails(&self) -> usize {
        let lines = self.heard(|heard| heard.secret.clone());
        lines.iter().filter(|line| *line == "DATA").count()
    }
}

fn converse(mut stream: TcpStream, way: Way, config: Arc<ServerConfig>, heard: &Mutex<Heard>) {
    let mut builder = SessionBuilder::new("post.example.com");
    builder.enable_auth(AuthMechanism::Plain);
    match way {
        Way::Tls => builder.insecure_enable_plaintext_auth(),
        Way::StartTls | Way::Injected => builder.enable_start_tls(),
    };
    let mut session = builder.build(stream.peer_addr().unwrap().ip(), Clerk);
    let mut greeting = Some(session.greeting());
    if way != Way::Tls {
        let more: &[u8] = match way {
            Way::Injected => b"250-post.example.com\r\n250 AUTH PLAIN\r\n",
            _ => b"",
        };
        let note = |line: String| heard.lock().unwrap().clear.push(line);
        if !talk(&mut stream, &mut session, greeting.take(), more, &note) {
            return;
        }
        session.tls_active();
    }
    let connection = ServerConnection::new(config).unwrap();
    let mut stream = StreamOwned::new(connection, stream);
    let note = |line: String| heard.lock().unwrap().secret.push(line);
    talk(&mut stream, &mut session, greeting, b"", &note);
}

/// Talks until TLS is asked for (`true`), behind whose answer comes `more`, or the other end has gone.
fn talk(
    stream: &mut (impl Read + Write),
    session: &mut Session<Clerk>,
    greeting: Option<Response>,
    more: &[u8],
    note: &dyn Fn(String),
) -> bool {
    let mut lines = BufReader::new(stream);
    let mut said = greeting;
    loop {
        if let Some(answer) = said.take() {
            let mut bytes = Vec::new();
            answer.write_to(&mut bytes).unwrap();
            let is_upgrade = answer.action == Action::UpgradeTls;
            if is_upgrade {
                bytes.extend_from_slice(more);
            }
            let sent = lines.get_mut().write_all(&bytes);
            if sent.is_err() || lines.get_mut().flush().is_err() || answer.action == Action::Close {
                return false;
            }
            if is_upgrade {
                return true;
            }
        }
        let mut line = Vec::new();
        if lines.read_until(b'\n', &mut line).unwrap_or(0) == 0 {
            return false;
        }
        note(String::from_utf8_lossy(&line).trim_end().to_owned());
        said = Some(session.process(&line)).filter(|answer| answer.action != Action::NoReply);
    }
}

/// A service that logs in to this server, and trusts this issuer.
fn service(folder: &TempDir, way: Way, port: u16, trusted: &Issuer) -> Service {
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("ca.pem"), trusted.pem()).unwrap();
    std::fs::write(path("password"), "sesame").unwrap();
    let more = format!(
        "user = \"upline\"\npassword = {{ file = \"{}\" }}\nca = \"{}\"\ntimeout = \"10 s\"",
        path("password").display(),
        path("ca.pem").display()
    );
    let security = match way {
        Way::Tls => "\"tls\"",
        Way::StartTls | Way::Injected => "\"starttls\"",
    };
    let settings = settings(port, &more).replace("\"none\"", security);
    let settings = settings.replace("\"127.0.0.1\"", "\"localhost\"");
    Service::with_mail(shipped_copy(), &settings).unwrap()
}

#[test]
fn a_mail_server_that_does_not_prove_who_it_is_learns_nothing() {
    let (folder, trusted, other) = (tempfile::tempdir().unwrap(), issuer("one"), issuer("other"));
    let says = "can't be reached: ";
    for way in [Way::Tls, Way::StartTls] {
        for (issuer, name, until, why) in [
            (&other, "localhost", 2100, "UnknownIssuer"),
            (&trusted, "mail.example.com", 2100, "not valid for name"),
            (&trusted, "localhost", 2000, "expired"),
        ] {
            let office = Office::open(way, certified(issuer, name, until));
            let service = service(&folder, way, office.port, &trusted);
            let id = dispatched(&service);
            let told = alarms(&service)[0]["detail"].as_str().unwrap().to_owned();
            assert!(told.contains(says) && told.contains(why), "{way:?}: {told}");
            assert_eq!(service.standing(&id).1, "ann");
            assert_eq!(
                office.heard(|heard| heard.secret.clone()),
                [""; 0],
                "{way:?}"
            );
            let clear = office.heard(|heard| heard.clear.clone());
            let is_hello = |line: &String| line.starts_with("EHLO ") || line == "STARTTLS";
            assert!(clear.iter().all(is_hello), "{way:?}: {clear:?}");
            assert_eq!(clear.is_empty(), way == Way::Tls, "{way:?}: {clear:?}");
        }
    }
}

#[test]
fn with_tls_all_is_said_under_it_and_mails_share_a_connection() {
    let (folder, trusted) = (tempfile::tempdir().unwrap(), issuer("one"));
    for way in [Way::Tls, Way::StartTls] {
        let office = Office::open(way, certified(&trusted, "localhost", 2100));
        let service = service(&folder, way, office.port, &trusted);
        for key in ["one", "two", "three"] {
            let id = service.call("tom", key);
            service
                .act("tom", &id, "open", &serde_json::json!({}))
                .is(200);
            service.settle();
        }
        assert!(
            alarms(&service).is_empty(),
            "{way:?}: {:?}",
            alarms(&service)
        );
        assert_eq!(office.mails(), 3, "{way:?}");
        let heard = office.heard.lock().unwrap();
        assert_eq!(heard.connections, 1, "{way:?}");
        let logins = heard
            .secret
            .iter()
            .filter(|line| line.starts_with("AUTH PLAIN "));
        assert_eq!(logins.count(), 1, "{way:?}");
        assert_eq!(heard.clear.is_empty(), way == Way::Tls, "{:?}", heard.clear);
        assert!(heard.clear.len() <= 2, "{:?}", heard.clear);
    }
}

#[test]
fn what_was_said_in_the_clear_does_not_count_under_tls() {
    let (folder, trusted) = (tempfile::tempdir().unwrap(), issuer("one"));
    let office = Office::open(Way::Injected, certified(&trusted, "localhost", 2100));
    let service = service(&folder, Way::Injected, office.port, &trusted);
    dispatched(&service);
    let told = alarms(&service)[0]["detail"].as_str().unwrap().to_owned();
    assert!(told.contains("can't be reached"), "{told}");
    assert_eq!(office.heard(|heard| heard.secret.clone()), [""; 0]);
}
