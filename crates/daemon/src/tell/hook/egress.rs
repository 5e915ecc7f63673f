//! Where a message may go: the address of a webhook, looked at when it is read, and every address that its
//! name has, looked at each time before one is dialled.

use std::error::Error as StdError;
use std::fmt;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;
use url::{Host, Url};

use super::address::{Zone, is_own, zone};

/// How long a connection may take to come about, TLS included.
pub const CONNECT_TIME: Duration = Duration::from_secs(10);

/// How long a connection is kept for the next message.
const IDLE_TIME: Duration = Duration::from_secs(30);

/// Longest address of a webhook, in bytes.
pub const MAX_URL_BYTES: usize = 2048;

/// The addresses of a name.
pub(super) type Looking = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;

/// Asks for the addresses of a name.
pub(crate) trait Lookup: Send + Sync {
    fn look(&self, host: String) -> Looking;
}

/// As the system does.
#[derive(Debug, Clone, Copy)]
pub(crate) struct System;

impl Lookup for System {
    fn look(&self, host: String) -> Looking {
        Box::pin(async move {
            let found = tokio::net::lookup_host((host, 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    }
}

/// Which addresses may be dialled.
#[derive(Debug, Clone, Copy)]
struct Rule {
    /// Those of the own network, too.
    private: bool,
    /// Those of the internet; not without TLS.
    public: bool,
    port: u16,
    /// Where this process listens itself.
    own: Option<SocketAddr>,
}

impl Rule {
    fn admits(&self, address: IpAddr) -> Result<(), String> {
        if self.own.is_some_and(|own| is_own(address, self.port, own)) {
            return Err(format!("`{address}` is Upline itself"));
        }
        match zone(address) {
            Zone::Public if self.public => Ok(()),
            Zone::Public => Err(format!(
                "`{address}` is of the internet, and this is not https"
            )),
            Zone::Private if self.private => Ok(()),
            Zone::Private => Err(format!(
                "`{address}` is of a private network; `allow-private = true` lets messages go there"
            )),
            Zone::Never(whose) => Err(format!("`{address}` is {whose}: no message goes there")),
        }
    }
}

/// Why nothing was dialled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refused(String);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl StdError for Refused {}

/// The refusal in what a client says of a failure, if that was the reason.
pub(super) fn refusal<'e>(error: &'e (dyn StdError + 'static)) -> Option<&'e Refused> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(refused) = error.downcast_ref::<Refused>() {
            return Some(refused);
        }
        next = error.source();
    }
    None
}

/// An address that messages may go to.
pub(crate) struct Target {
    url: Url,
    rule: Rule,
}

impl fmt::Debug for Target {
    /// Robots have their secret in the path or in the query.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Target")
            .field("host", &self.host())
            .finish_non_exhaustive()
    }
}

impl Target {
    /// Reads an address. A host in digits, in whatever spelling, is looked at now; what a name stands for
    /// is looked at each time.
    ///
    /// # Errors
    /// A line for the operator, which never shows the address: there may be a secret in it.
    pub(crate) fn new(text: &str, private: bool, own: Option<SocketAddr>) -> Result<Self, String> {
        let wrong = |what: &str| Err(format!("`url` {what}"));
        if text.len() > MAX_URL_BYTES {
            return wrong(&format!("has more than {MAX_URL_BYTES} bytes"));
        }
        let url = match Url::parse(text) {
            Ok(url) => url,
            Err(error) => return wrong(&format!("is no address: {error}")),
        };
        let public = match url.scheme() {
            "https" => true,
            "http" if private => false,
            "http" => {
                return wrong("must begin with https://; http:// needs `allow-private = true`");
            }
            _ => return wrong("must begin with https://"),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return wrong("must have no user in it");
        }
        if url.fragment().is_some() {
            return wrong("must have no `#` in it");
        }
        let port = url.port_or_known_default().filter(|port| *port != 0);
        let Some(port) = port else {
            return wrong("has the port 0");
        };
        let rule = Rule {
            private,
            public,
            port,
            own,
        };
        let literal = match url.host() {
            Some(Host::Ipv4(address)) => Some(IpAddr::from(address)),
            Some(Host::Ipv6(address)) => Some(IpAddr::from(address)),
            Some(Host::Domain(name)) if !name.is_empty() => None,
            _ => return wrong("has no host"),
        };
        if let Some(address) = literal {
            rule.admits(address)
                .map_err(|why| format!("`url`: {why}"))?;
        }
        Ok(Self { url, rule })
    }

    pub(crate) fn url(&self) -> &Url {
        &self.url
    }

    /// Its host: what a log may say of it.
    pub(crate) fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    /// A client for this address alone: it follows nothing, goes through no proxy, and dials what the rule
    /// admits.
    ///
    /// # Errors
    /// If the system's certificates can't be read.
    pub(crate) fn client(
        &self,
        lookup: Arc<dyn Lookup>,
        timeout: Duration,
    ) -> Result<reqwest::Client, String> {
        // Whoever embeds the daemon may have chosen one before.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let rule = self.rule;
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("upline/", env!("CARGO_PKG_VERSION")))
            .no_proxy()
            .redirect(Policy::none())
            .referer(false)
            .retry(reqwest::retry::never())
            .dns_resolver(Guard { rule, lookup })
            .https_only(self.rule.public)
            .connect_timeout(CONNECT_TIME.min(timeout))
            .timeout(timeout)
            .pool_idle_timeout(IDLE_TIME)
            .pool_max_idle_per_host(1);
        if !self.rule.public {
            // Without TLS no certificates are needed, and a machine may have none.
            builder = builder.tls_certs_only([]);
        }
        builder.build().map_err(|error| chain(&error))
    }
}

/// The name service of a client: what the rule does not admit does not exist.
struct Guard {
    rule: Rule,
    lookup: Arc<dyn Lookup>,
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let rule = self.rule;
        let looking = self.lookup.look(name.as_str().to_owned());
        Box::pin(async move {
            let found = looking.await?;
            let mut refused = None;
            let mut admitted = Vec::new();
            for address in found {
                match rule.admits(address) {
                    // These are dialled and no others: nobody asks a second time, when the answer might be
                    // another.
                    Ok(()) => admitted.push(SocketAddr::new(address, rule.port)),
                    Err(why) => refused = Some(Refused(why)),
                }
            }
            match (admitted.is_empty(), refused) {
                (true, Some(refused)) => Err(refused.into()),
                (true, None) => Err(io::Error::other("the name has no address").into()),
                (false, _) => Ok(Box::new(admitted.into_iter()) as Addrs),
            }
        })
    }
}

/// What went wrong, down to the cause, without the address that was asked.
pub(crate) fn chain(error: &(dyn StdError + 'static)) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut next = Some(error);
    while let Some(error) = next {
        let text = error.to_string();
        // Some causes repeat what they were caused by.
        if !parts.iter().any(|part| part.contains(&text)) {
            parts.push(text);
        }
        next = error.source();
    }
    parts.join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(url: &str, private: bool) -> String {
        let own = "127.0.0.1:8080".parse().ok();
        Target::new(url, private, own).map_or_else(|fault| fault, |_| String::new())
    }

    #[test]
    fn a_host_in_digits_is_recognised_in_every_spelling() {
        let loopback = "127.0.0.1 127.1 127.0.1 2130706433 0x7f000001 0x7f.1 0177.0.0.1 017700000001 \
            0x7f.0x0.0x0.0x1 127.0.0.1. [::1] [::ffff:127.0.0.1] [::ffff:7f00:1] [0:0:0:0:0:0:0:1] \
            %31%32%37.0.0.1 １２７.0.0.1 ①②⑦.0.0.1 127。0。0。1";
        for host in loopback.split_whitespace() {
            let said = fault(&format!("https://{host}/hook"), false);
            assert!(said.contains("private network"), "{host}: {said}");
            let own = fault(&format!("https://{host}:8080/hook"), true);
            assert!(own.contains("Upline itself"), "{host}: {own}");
            assert_eq!(fault(&format!("https://{host}:9090/hook"), true), "");
        }
        let never = "169.254.169.254 0xa9fea9fe 2852039166 0251.0376.0251.0376 [::ffff:a9fe:a9fe] \
            [64:ff9b::a9fe:a9fe] [2002:a9fe:a9fe::] [fe80::1] 0.0.0.0 0 [::] 255.255.255.255 224.0.0.1 \
            100.100.100.200 [fd00:ec2::254] [64:ff9b::10.0.0.1]";
        for host in never.split_whitespace() {
            for private in [false, true] {
                let said = fault(&format!("https://{host}/hook"), private);
                assert!(said.contains("no message goes there"), "{host}: {said}");
            }
        }
        for host in
            "10.0.0.1 172.16.0.1 192.168.0.1 100.64.0.1 [fd12::1] [::ffff:10.0.0.1]".split(' ')
        {
            let said = fault(&format!("https://{host}/hook"), false);
            assert!(said.contains("private network"), "{host}: {said}");
        }
        assert_eq!(fault("https://1.1.1.1/hook", false), "");
        assert_eq!(fault("https://[2606:4700::1111]/hook", false), "");
    }

    #[test]
    fn an_address_must_be_one_that_messages_go_to() {
        let cases = [
            (
                "http://hooks.example.com/x",
                false,
                "must begin with https://",
            ),
            (
                "ftp://hooks.example.com/x",
                true,
                "must begin with https://",
            ),
            ("file:///etc/passwd", true, "must begin with https://"),
            ("unix:/run/docker.sock", true, "must begin with https://"),
            ("hooks.example.com", false, "is no address"),
            ("https://", false, "is no address"),
            ("https://ann@hooks.example.com/x", false, "no user"),
            ("https://ann:pw@hooks.example.com/x", false, "no user"),
            ("https://:pw@hooks.example.com/x", false, "no user"),
            ("https://1.1.1.1@127.0.0.1/x", false, "no user"),
            ("https://hooks.example.com/x#y", false, "no `#`"),
            ("https://hooks.example.com:0/x", false, "port 0"),
            ("http://1.1.1.1/x", true, "not https"),
        ];
        for (url, private, expected) in cases {
            let said = fault(url, private);
            assert!(said.contains(expected), "{url}: {said}");
        }
        let long = fault(
            &format!("https://a.example/{}", "x".repeat(MAX_URL_BYTES)),
            false,
        );
        assert!(long.contains("more than 2048"), "{long}");
        assert_eq!(fault("http://hooks.intern/x?key=1", true), "");
        assert_eq!(fault("https://hooks.example.com:8443/x", false), "");
        let shown = Target::new("https://robot.example/send?key=s3cret", false, None);
        assert!(!format!("{shown:?}").contains("s3cret"));
        let said = fault("https://robot.example:99999/send?key=s3cret", false);
        assert!(!said.contains("s3cret"), "{said}");
    }

    /// A name service that has these answers, one after the other.
    struct Answers(std::sync::Mutex<Vec<Vec<IpAddr>>>);

    impl Lookup for Answers {
        fn look(&self, _host: String) -> Looking {
            let mut answers = self.0.lock().unwrap();
            let answer = match answers.len() {
                1 => answers[0].clone(),
                _ => answers.remove(0),
            };
            Box::pin(async move { Ok(answer) })
        }
    }

    async fn resolved(private: bool, addresses: &str) -> Result<Vec<String>, String> {
        let target = Target::new("https://peer.example/x", private, None).unwrap();
        let answer = addresses.split_whitespace().map(|one| one.parse().unwrap());
        let lookup = Arc::new(Answers(vec![answer.collect()].into()));
        let guard = Guard {
            rule: target.rule,
            lookup,
        };
        match guard.resolve("peer.example".parse().unwrap()).await {
            Ok(found) => Ok(found.map(|one| one.to_string()).collect()),
            Err(error) => {
                Err(refusal(error.as_ref()).map_or("no address".into(), Refused::to_string))
            }
        }
    }

    #[tokio::test]
    async fn every_answer_of_the_name_service_is_looked_at() {
        assert_eq!(
            resolved(false, "127.0.0.1 1.1.1.1 169.254.169.254 ::1 10.0.0.1").await,
            Ok(vec!["1.1.1.1:443".to_owned()])
        );
        let all_private = resolved(false, "10.0.0.1 ::ffff:192.168.0.1 fd00::1")
            .await
            .unwrap_err();
        assert!(all_private.contains("private network"), "{all_private}");
        assert_eq!(
            resolved(true, "10.0.0.1 169.254.169.254").await,
            Ok(vec!["10.0.0.1:443".to_owned()])
        );
        let metadata = resolved(true, "169.254.169.254").await.unwrap_err();
        assert!(
            metadata.contains("tells a machine its secrets"),
            "{metadata}"
        );
        assert_eq!(resolved(false, "").await, Err("no address".to_owned()));
    }

    #[tokio::test]
    async fn a_client_says_that_it_was_refused_and_nothing_was_dialled() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        let url = format!("https://rebound.example:{port}/x");
        let target = Target::new(&url, false, None).unwrap();
        let inside = vec!["127.0.0.1".parse().unwrap()];
        let client = target
            .client(
                Arc::new(Answers(vec![inside].into())),
                Duration::from_secs(5),
            )
            .unwrap();
        let error = client.post(url).send().await.unwrap_err();
        let refused = refusal(&error).unwrap_or_else(|| panic!("{error:?}"));
        assert!(refused.0.contains("private network"), "{refused}");
        let dialled = listener.accept().unwrap_err();
        assert_eq!(dialled.kind(), io::ErrorKind::WouldBlock);
    }

    #[tokio::test]
    async fn what_was_looked_at_is_what_is_dialled() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let url = format!("http://peer.example:{port}/x");
        let target = Target::new(&url, true, None).unwrap();
        let answers = [["127.0.0.1"], ["169.254.169.254"]];
        let answers = answers.map(|answer| answer.map(|one| one.parse().unwrap()).to_vec());
        let client = target
            .client(
                Arc::new(Answers(answers.to_vec().into())),
                Duration::from_secs(5),
            )
            .unwrap();
        let sending = tokio::spawn(client.post(url.clone()).send());
        let (stream, _) = listener.accept().await.unwrap();
        drop(stream);
        assert!(sending.await.unwrap().is_err());
        // The name has moved inside: it is refused now.
        let error = client.post(url).send().await.unwrap_err();
        assert!(refusal(&error).is_some(), "{error:?}");
    }
}
