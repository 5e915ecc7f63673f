//! Commands against a running service: its HTTP API, from the command line.

pub(crate) mod client;
pub(crate) mod events;
pub(crate) mod login;
pub(crate) mod status;
pub(crate) mod ticket;

/// Which service, and who asks.
#[derive(Debug, clap::Args)]
pub(crate) struct At {
    /// The service; or UPLINE_SERVER [default: http://127.0.0.1:8080]
    #[arg(long, global = true, value_name = "URL")]
    server: Option<String>,
    /// The token; better UPLINE_TOKEN, which other users of the machine don't see
    #[arg(long, global = true, value_name = "TOKEN")]
    token: Option<String>,
}

impl At {
    /// Whether a service was named, by the option or the variable.
    pub(crate) fn is_named(&self) -> bool {
        let variable = std::env::var_os("UPLINE_SERVER");
        self.server.is_some() || variable.is_some_and(|value| !value.is_empty())
    }
}
