//! Where a server listens, written as Open vSwitch and OVN write it (ovsdb(7), "Connection Methods").

use std::fmt;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::str::FromStr;

/// The port when none is given (RFC 7047 section 6).
pub const DEFAULT_PORT: u16 = 6640;

/// One place where a server listens.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Endpoint {
    /// `unix:PATH`
    Unix(PathBuf),
    /// `tcp:HOST[:PORT]`
    Tcp(Address),
    /// `ssl:HOST[:PORT]`
    Ssl(Address),
}

/// A host with a port.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Address {
    /// A name, or an address without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
}

/// A text names no place where a server listens.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// The method is none that we know.
    #[error("{0:?} does not begin with unix:, tcp: or ssl:")]
    Method(String),
    /// There is no path or host.
    #[error("{0:?} names no path or host")]
    Empty(String),
    /// The port is no number from 1 to 65535.
    #[error("{0:?} has no port from 1 to 65535")]
    Port(String),
    /// An IPv6 address without brackets, or half of them.
    #[error("{0:?} does not have its IPv6 address in brackets")]
    Brackets(String),
}

impl FromStr for Endpoint {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, EndpointError> {
        let (method, place) = text.split_once(':').ok_or_else(|| EndpointError::Method(text.to_owned()))?;
        match method {
            "unix" if place.is_empty() => Err(EndpointError::Empty(text.to_owned())),
            "unix" => Ok(Self::Unix(place.into())),
            "tcp" => address(text, place).map(Self::Tcp),
            "ssl" => address(text, place).map(Self::Ssl),
            _ => Err(EndpointError::Method(text.to_owned())),
        }
    }
}

fn address(text: &str, place: &str) -> Result<Address, EndpointError> {
    let brackets = || EndpointError::Brackets(text.to_owned());
    let (host, port) = match place.strip_prefix('[') {
        Some(rest) => {
            let (host, rest) = rest.split_once(']').ok_or_else(brackets)?;
            (host, if rest.is_empty() { None } else { Some(rest.strip_prefix(':').ok_or_else(brackets)?) })
        }
        None if place.matches(':').count() > 1 => return Err(brackets()),
        None => place.split_once(':').map_or((place, None), |(host, port)| (host, Some(port))),
    };
    if host.is_empty() {
        return Err(EndpointError::Empty(text.to_owned()));
    }
    let port = match port {
        None => DEFAULT_PORT,
        Some(port) => match port.parse() {
            Ok(port @ 1..) if !port_text_is_signed(place) => port,
            _ => return Err(EndpointError::Port(text.to_owned())),
        },
    };
    Ok(Address { host: host.to_owned(), port })
}

/// Rust reads `+5` as a number, which nobody else does here.
fn port_text_is_signed(place: &str) -> bool {
    place.contains(":+")
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
            Self::Tcp(address) => write!(f, "tcp:{address}"),
            Self::Ssl(address) => write!(f, "ssl:{address}"),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// The servers of one database, at least one, written with commas between them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoints {
    first: Endpoint,
    others: Vec<Endpoint>,
}

impl Endpoints {
    /// How many there are.
    pub fn count(&self) -> NonZeroUsize {
        NonZeroUsize::MIN.saturating_add(self.others.len())
    }

    /// The endpoint of this number, counted from 0 and round and round.
    pub fn get(&self, number: usize) -> &Endpoint {
        match number % self.count() {
            0 => &self.first,
            other => self.others.get(other - 1).unwrap_or(&self.first),
        }
    }

    /// All of them in their order.
    pub fn iter(&self) -> impl Iterator<Item = &Endpoint> {
        std::iter::once(&self.first).chain(&self.others)
    }
}

impl From<Endpoint> for Endpoints {
    fn from(first: Endpoint) -> Self {
        Self { first, others: Vec::new() }
    }
}

impl FromStr for Endpoints {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, EndpointError> {
        let mut endpoints = text.split(',').map(|one| one.trim().parse());
        let first = endpoints.next().unwrap_or_else(|| Err(EndpointError::Empty(text.to_owned())))?;
        Ok(Self { first, others: endpoints.collect::<Result<_, _>>()? })
    }
}

impl fmt::Display for Endpoints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.first)?;
        self.others.iter().try_for_each(|other| write!(f, ",{other}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_are_shown_as_they_are_read() {
        for text in ["unix:/run/ovn/ovnnb_db.sock", "tcp:10.0.0.1:6641", "ssl:[::1]:6643", "ssl:nb.example:1"]
        {
            assert_eq!(text.parse::<Endpoint>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn the_port_is_6640_when_none_is_given() {
        let tcp = |host: &str| Endpoint::Tcp(Address { host: host.to_owned(), port: 6640 });
        assert_eq!("tcp:nb".parse(), Ok(tcp("nb")));
        assert_eq!("tcp:[fd00::1]".parse(), Ok(tcp("fd00::1")));
    }

    #[test]
    fn what_names_no_place_is_refused() {
        use EndpointError::{Brackets, Empty, Method, Port};
        for (text, error) in [
            ("", Method as fn(String) -> EndpointError),
            ("/run/db.sock", Method),
            ("ptcp:1", Method),
            ("unix:", Empty),
            ("tcp::6641", Empty),
            ("tcp:a:0", Port),
            ("tcp:a:65536", Port),
            ("tcp:a:+5", Port),
            ("tcp:a:", Port),
            ("ssl:::1:6643", Brackets),
            ("ssl:[::1", Brackets),
            ("ssl:[::1]6643", Brackets),
        ] {
            assert_eq!(text.parse::<Endpoint>(), Err(error(text.to_owned())), "{text}");
        }
    }

    #[test]
    fn several_endpoints_stand_between_commas_and_are_counted_round() {
        let text = "tcp:10.0.0.1:6641,tcp:10.0.0.2:6641,unix:/x";
        let endpoints: Endpoints = text.parse().unwrap();
        assert_eq!((endpoints.count().get(), endpoints.to_string().as_str()), (3, text));
        assert_eq!(endpoints.get(2), endpoints.get(5));
        assert_eq!(endpoints.iter().count(), 3);
        assert!("unix:/x,".parse::<Endpoints>().is_err());
    }
}
