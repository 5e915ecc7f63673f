//! A real IMAP server. Where `UPLINE_TEST_DOVECOT` names the program, these tests start it; the checks that
//! run before a change lands install it and set the variable.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::kit::{OPENS, Post, mail, names};

/// The variable that names the program.
const PROGRAM: &str = "UPLINE_TEST_DOVECOT";
/// How long anything may take here.
const PATIENCE: Duration = Duration::from_secs(60);
/// Whose mail it is where the tests are run by somebody who may have none.
const NOBODY: u32 = 65534;

/// A running server with one user.
struct Dovecot {
    program: String,
    folder: TempDir,
    plain: u16,
    tls: u16,
    child: Option<Child>,
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < end, "{what}: not within {PATIENCE:?}");
        std::thread::park_timeout(Duration::from_millis(20));
    }
}

impl Dovecot {
    /// `None`: nobody asked for it.
    fn start() -> Option<Self> {
        let program = std::env::var(PROGRAM).ok()?;
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let mut server = Self {
            program,
            folder,
            plain: free_port(),
            tls: free_port(),
            child: None,
        };
        server.prepare();
        server.run();
        Some(server)
    }

    fn prepare(&self) {
        let folder = self.folder.path();
        let at = folder.display();
        let (cert, key) = (folder.join("cert.pem"), folder.join("key.pem"));
        let made = Command::new("openssl")
            .args([
                "req",
                "-x509",
                "-newkey",
                "rsa:2048",
                "-nodes",
                "-days",
                "30",
                "-subj",
                "/CN=localhost",
            ])
            .args([
                "-addext",
                "subjectAltName=DNS:localhost",
                "-addext",
                "basicConstraints=critical,CA:FALSE",
            ])
            .arg("-keyout")
            .arg(&key)
            .arg("-out")
            .arg(&cert)
            .stderr(Stdio::null())
            .status();
        assert!(made.unwrap().success(), "openssl makes no certificate");
        for part in ["new", "cur", "tmp"] {
            fs::create_dir_all(self.maildir().join(part)).unwrap();
        }
        let metadata = fs::metadata(folder).unwrap();
        let (uid, gid) = {
            use std::os::unix::fs::MetadataExt as _;
            match metadata.uid() {
                0 => (NOBODY, NOBODY),
                uid => (uid, metadata.gid()),
            }
        };
        let mail = self.maildir();
        let all = ["", "new", "cur", "tmp", ".."].map(|part| mail.join(part));
        for path in all {
            chown(path, Some(uid), Some(gid)).unwrap();
        }
        let config = format!(
            "protocols = imap\nlisten = 127.0.0.1\nbase_dir = {at}/run\nstate_dir = {at}/state\n\
             log_path = {at}/log\nssl = yes\nssl_cert = <{at}/cert.pem\nssl_key = <{at}/key.pem\n\
             disable_plaintext_auth = no\nfirst_valid_uid = 1\nfirst_valid_gid = 0\n\
             mail_location = maildir:{at}/mail/desk\n\
             passdb {{\n driver = static\n args = password=secret\n}}\n\
             userdb {{\n driver = static\n args = uid={uid} gid={gid} home={at}/mail/desk\n}}\n\
             service imap-login {{\n inet_listener imap {{\n  port = {}\n }}\n\
             inet_listener imaps {{\n  port = {}\n  ssl = yes\n }}\n}}\n",
            self.plain, self.tls
        );
        fs::write(folder.join("dovecot.conf"), config).unwrap();
    }

    fn run(&mut self) {
        let child = Command::new(&self.program)
            .args(["-F", "-c"])
            .arg(self.folder.path().join("dovecot.conf"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        self.child = Some(child.unwrap());
        let port = self.tls;
        wait_until("a server", || {
            TcpStream::connect(("127.0.0.1", port)).is_ok()
        });
    }

    fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // It has children of its own, which end when it is asked to, not when it is killed.
            let asked = Command::new("kill").arg(child.id().to_string()).status();
            assert!(asked.unwrap().success());
            child.wait().unwrap();
        }
    }

    fn maildir(&self) -> PathBuf {
        self.folder.path().join("mail/desk")
    }

    /// A mail arrives.
    fn deliver(&self, name: &str, mail: &str) {
        let (tmp, new) = (
            self.maildir().join("tmp").join(name),
            self.maildir().join("new").join(name),
        );
        fs::write(&tmp, mail).unwrap();
        fs::set_permissions(&tmp, fs::Permissions::from_mode(0o666)).unwrap();
        fs::rename(tmp, new).unwrap();
    }

    /// The section of a mailbox.
    fn section(&self, more: &str, port: u16, password: &str) -> String {
        let folder = self.folder.path();
        let secret = folder.join(format!("password-{password}"));
        fs::write(&secret, password).unwrap();
        format!(
            "[mailbox.desk]\nserver = \"localhost\"\nport = {port}\nca = \"{}\"\nuser = \"desk\"\n\
             password = {{ file = \"{}\" }}\n{more}",
            folder.join("cert.pem").display(),
            secret.display()
        )
    }

    /// A daemon that takes its mail.
    fn post(&self, more: &str) -> Post {
        let section = self.section(&format!("{OPENS}{more}"), self.tls, "secret");
        Post::with(tempfile::tempdir().unwrap(), &section)
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Dovecot {
    fn drop(&mut self) {
        self.stop();
    }
}

fn low(text: &str) -> String {
    mail("Mr Low <low@example.com>", "Subject: fault\r\n", text)
}

#[test]
fn a_server_gives_each_mail_once_over_restarts_and_new_numbers() {
    let Some(mut server) = Dovecot::start() else {
        return;
    };
    server.deliver("1.a", &low("one"));
    let mut post = server.post("every = 3600\n");
    post.look();
    assert!(
        post.ticket("1").is_some(),
        "{}\n{}",
        post.get("/readyz"),
        server.log()
    );
    let taken = names(&server.maildir().join("cur"));
    assert!(
        taken.len() == 1 && taken[0].contains(":2,S"),
        "it is seen: {taken:?}"
    );

    // The server says by itself that something has come.
    server.deliver("2.b", &low("two"));
    wait_until("the second mail", || post.ticket("2").is_some());

    // Somebody reads one before it was taken.
    post.stop();
    let read = server.maildir().join("cur/3.c:2,S");
    fs::write(&read, low("three")).unwrap();
    fs::set_permissions(&read, fs::Permissions::from_mode(0o666)).unwrap();
    post.restart_after_stop();
    post.look();
    assert!(post.ticket("3").is_some());

    // The server numbers its mails anew.
    post.stop();
    server.stop();
    for name in names(&server.maildir()) {
        if name.starts_with("dovecot-uid") || name.starts_with("dovecot.index") {
            fs::remove_file(server.maildir().join(name)).unwrap();
        }
    }
    server.run();
    post.restart_after_stop();
    server.deliver("4.d", &low("four"));
    post.look();
    assert!(post.ticket("4").is_some() && post.ticket("5").is_none());
    // A server that goes away and comes back.
    server.stop();
    wait_until("a warning", || {
        post.get("/readyz").contains("mail waits in `desk`")
    });
    server.run();
    server.deliver("5.e", &low("five"));
    post.look();
    assert!(post.ticket("5").is_some() && post.ticket("6").is_none());
    assert!(!post.get("/readyz").contains("mailbox"));
}

#[test]
fn what_is_put_aside_has_a_folder_on_the_server() {
    let Some(server) = Dovecot::start() else {
        return;
    };
    let post = server.post("");
    server.deliver("1.a", "Subject: from nobody\r\n\r\ntext\r\n");
    server.deliver("2.b", &low("fine"));
    post.look();
    assert!(
        post.ticket("1").is_some() && post.ticket("2").is_none(),
        "{}",
        server.log()
    );
    let aside = server.maildir().join(".upline-refused");
    let copies = names(&aside.join("cur")).len() + names(&aside.join("new")).len();
    assert_eq!(copies, 1, "{}", server.log());
    post.look();
    let copies = names(&aside.join("cur")).len() + names(&aside.join("new")).len();
    assert_eq!((copies, names(&server.maildir().join("cur")).len()), (1, 2));
}

#[test]
fn every_way_to_a_server_and_what_is_wrong_with_it_is_told() {
    let Some(server) = Dovecot::start() else {
        return;
    };
    server.deliver("1.a", &low("one"));
    for (security, port) in [("starttls", server.plain), ("none", server.plain)] {
        let section = server.section(
            &format!("{OPENS}security = \"{security}\"\n"),
            port,
            "secret",
        );
        let post = Post::with(tempfile::tempdir().unwrap(), &section);
        post.look();
        assert!(
            !post.get("/readyz").contains("mail waits"),
            "{}",
            post.get("/readyz")
        );
        server.deliver(security, &low(security));
        post.look();
        assert!(post.ticket("1").is_some(), "{security}: {}", server.log());
    }
    let cases = [
        (
            server.section(OPENS, server.tls, "wrong-password"),
            "it refuses the login",
        ),
        (server.section(OPENS, server.plain, "secret"), "no TLS"),
        (
            server.section(OPENS, free_port(), "secret"),
            "no connection",
        ),
        (
            server
                .section(OPENS, server.tls, "secret")
                .replace("localhost", "127.0.0.1"),
            "no TLS",
        ),
        (
            format!(
                "{}mailbox = \"Nowhere\"\n",
                server.section(OPENS, server.tls, "secret")
            ),
            "Nowhere",
        ),
    ];
    for (section, expected) in cases {
        let post = Post::with(tempfile::tempdir().unwrap(), &section);
        post.look();
        let ready = post.get("/readyz");
        assert!(
            ready.contains(expected) && ready.contains("\"ready\":true"),
            "{expected}: {ready}"
        );
        assert!(!ready.contains("wrong-password"));
    }
}
