//! The daemon's reply → what was made, as checked values that know nothing of CNI versions.

use std::fmt;
use std::net::IpAddr;

use daemon_api::PodReply;
use daemon_api::reply::PodIp;
use daemon_api::request::{Dns, Route};
use thiserror::Error;

use crate::env::Sandbox;
use crate::netconf::NetConf;

/// What an ADD made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// The interface; absent when another plugin makes it.
    pub interface: Option<Interface>,
    /// The addresses.
    pub ips: Vec<Ip>,
    /// The routes.
    pub routes: Vec<Hop>,
    /// The DNS to use.
    pub dns: Dns,
}

/// An interface inside the sandbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interface {
    /// Its name.
    pub name: String,
    /// Its MAC address; may be empty.
    pub mac: String,
    /// Its MTU in bytes; 0 when unknown.
    pub mtu: u32,
    /// The network namespace's path.
    pub sandbox: String,
}

/// One address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ip {
    /// The address with the subnet's prefix length.
    pub address: Prefix,
    /// The gateway.
    pub gateway: Option<IpAddr>,
}

/// One route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hop {
    /// The destination.
    pub dst: Prefix,
    /// The next hop.
    pub gw: Option<IpAddr>,
}

/// An address with a prefix length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prefix {
    /// The address.
    pub ip: IpAddr,
    /// The prefix length in bits.
    pub length: u8,
}

/// A reply of success that cannot be one.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ReplyError {
    /// The body is not upstream's object.
    #[error("the daemon's reply cannot be read: {0}")]
    Unreadable(String),
    /// The body is empty (upstream's daemon does so on two failures).
    #[error("the daemon answered success without a reply; its log says what failed")]
    Empty,
    /// No interface, though we are to make one (upstream's daemon does so when it finds no address in time).
    #[error("the daemon answered success but made no interface; its log says what failed")]
    NoInterface,
    /// No address, though another plugin waits for one.
    #[error("the daemon answered success but gave no address; its log says what failed")]
    NoAddress,
    /// An unusable value.
    #[error("the daemon's reply has an unusable {what}: {value:?}")]
    Value {
        /// What the value was meant to be.
        what: &'static str,
        /// The value.
        value: String,
    },
}

impl Prefix {
    fn parse(what: &'static str, text: &str) -> Result<Self, ReplyError> {
        let parsed = text.split_once('/').and_then(|(ip, length)| {
            let ip: IpAddr = ip.parse().ok()?;
            let length: u8 = length.parse().ok()?;
            (length <= if ip.is_ipv4() { 32 } else { 128 }).then_some(Self { ip, length })
        });
        parsed.ok_or_else(|| unusable(what, text))
    }

    /// All addresses of the family of `gateway`.
    fn default_route(gateway: IpAddr) -> Self {
        let ip = match gateway {
            IpAddr::V4(_) => IpAddr::from([0; 4]),
            IpAddr::V6(_) => IpAddr::from([0; 16]),
        };
        Self { ip, length: 0 }
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.ip, self.length)
    }
}

fn unusable(what: &'static str, value: &str) -> ReplyError {
    ReplyError::Value { what, value: value.to_owned() }
}

/// Reads the reply of an ADD.
///
/// # Errors
/// [`ReplyError`].
pub fn made(reply: &PodReply, sandbox: &Sandbox, conf: &NetConf) -> Result<Made, ReplyError> {
    let interface = interface(reply, sandbox, conf)?;
    let ips = reply.ips.iter().flatten().map(ip).collect::<Result<Vec<_>, _>>()?;
    if interface.is_none() && ips.is_empty() {
        return Err(ReplyError::NoAddress);
    }
    let mut routes = reply.routes.iter().flatten().map(hop).collect::<Result<Vec<_>, _>>()?;
    if routes.is_empty() {
        let default = |gw| Hop { dst: Prefix::default_route(gw), gw: Some(gw) };
        routes = ips.iter().filter_map(|ip| ip.gateway).map(default).collect();
    }
    let dns = if reply.dns.is_empty() { conf.dns.clone() } else { reply.dns.clone() };
    Ok(Made { interface, ips, routes, dns })
}

/// An IPAM plugin's result has no interfaces (CNI specification, section 5, "ADD Success": IPAM).
fn interface(reply: &PodReply, sandbox: &Sandbox, conf: &NetConf) -> Result<Option<Interface>, ReplyError> {
    if conf.is_delegated {
        return Ok(None);
    }
    if reply.nicname.is_empty() {
        return Err(ReplyError::NoInterface);
    }
    Ok(Some(Interface {
        name: reply.nicname.clone(),
        mac: reply.mac_address.clone(),
        mtu: reply.mtu,
        sandbox: sandbox.netns_text().to_owned(),
    }))
}

fn ip(given: &PodIp) -> Result<Ip, ReplyError> {
    let subnet = Prefix::parse("subnet", &given.cidr)?;
    let ip = address("address", &given.ip)?;
    if ip.is_ipv4() != subnet.ip.is_ipv4() {
        return Err(unusable("address", &given.ip));
    }
    Ok(Ip { address: Prefix { ip, length: subnet.length }, gateway: gateway(&given.gateway)? })
}

fn hop(given: &Route) -> Result<Hop, ReplyError> {
    let gw = gateway(&given.gw)?;
    let dst = match gw {
        Some(gw) if given.dst.is_empty() => Prefix::default_route(gw),
        Some(_) | None => Prefix::parse("route destination", &given.dst)?,
    };
    Ok(Hop { dst, gw })
}

fn gateway(text: &str) -> Result<Option<IpAddr>, ReplyError> {
    if text.is_empty() { Ok(None) } else { address("gateway", text).map(Some) }
}

fn address(what: &'static str, text: &str) -> Result<IpAddr, ReplyError> {
    text.parse().map_err(|_| unusable(what, text))
}

#[cfg(test)]
mod tests;
