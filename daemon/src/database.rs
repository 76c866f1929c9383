//! The OVSDB servers that the daemon speaks to: how, and what to say when one does not answer.

use std::time::Duration;

use ovsdb::client::{Client, Config};
use ovsdb::endpoint::{Endpoint, Endpoints};
use ovsdb::tls::TlsFiles;

/// Where upstream's deployments mount the keys for `ssl:` endpoints.
const TLS: &str = "/var/run/tls";
/// Longest pause between two attempts to connect. An attempt at a unix socket that nobody listens on costs nothing.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Starts a client of one database.
pub fn client(endpoints: &Endpoints, database: &str) -> Client {
    let mut config = Config::new(endpoints.clone(), database);
    config.backoff.longest = LONGEST_PAUSE;
    if endpoints.iter().any(|endpoint| matches!(endpoint, Endpoint::Ssl(_))) {
        let file = |name| std::path::Path::new(TLS).join(name);
        config.tls =
            Some(TlsFiles { private_key: file("key"), certificate: file("cert"), ca_cert: file("cacert") });
    }
    Client::start(config)
}

/// False when a server cannot be there: all endpoints are unix sockets, and none of the files exists.
pub fn may_be_there(endpoints: &Endpoints) -> bool {
    endpoints.iter().any(|endpoint| match endpoint {
        Endpoint::Unix(path) => path.exists(),
        Endpoint::Tcp(_) | Endpoint::Ssl(_) => true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_missing_unix_socket_tells_that_nobody_is_there() {
        let there = |text: &str| may_be_there(&text.parse().unwrap());

        assert!(!there("unix:/nowhere/at/all.sock"));
        assert!(there("unix:/nowhere/at/all.sock,tcp:127.0.0.1:6641") && there("ssl:[::1]:6641"));
    }
}
