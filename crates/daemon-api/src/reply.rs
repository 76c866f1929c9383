//! The body of an answer to ADD, and of every refusal: upstream's object, to the byte.

use serde::{Deserialize, Serialize};

use crate::fault::Fault;
use crate::request::{Dns, Route, null_is_default};

/// Upstream's reply. `fault` is ours and only sent to a request that carried our header.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PodReply {
    /// Addresses, IPv4 first.
    pub ips: Option<Vec<PodIp>>,
    /// MAC of the interface that we made; empty when somebody else makes it.
    #[serde(deserialize_with = "null_is_default")]
    pub mac_address: String,
    /// Routes of the interface that we made, else those that the caller should make.
    pub routes: Option<Vec<Route>>,
    /// MTU of the interface that we made, in bytes; 0 when somebody else makes it.
    #[serde(deserialize_with = "null_is_default")]
    pub mtu: u32,
    /// Name of the interface that we made; empty when somebody else makes it.
    #[serde(deserialize_with = "null_is_default")]
    pub nicname: String,
    /// DNS to use.
    #[serde(deserialize_with = "null_is_default")]
    pub dns: Dns,
    /// Empty on success.
    #[serde(deserialize_with = "null_is_default")]
    pub error: String,
    /// The same failure as `error`, for our own plugin.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<Fault>,
}

/// One address of a reply.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PodIp {
    /// `IPv4` or `IPv6`.
    pub protocol: String,
    /// The bare address.
    pub ip: String,
    /// The subnet in CIDR form.
    pub cidr: String,
    /// The gateway; left out when the attachment is not to have a default route.
    #[serde(skip_serializing_if = "String::is_empty", deserialize_with = "null_is_default")]
    pub gateway: String,
}

impl PodReply {
    /// A refusal. `to_our_plugin` adds the structured fault.
    pub fn refusal(fault: &Fault, to_our_plugin: bool) -> Self {
        Self { error: fault.message.clone(), fault: to_our_plugin.then(|| fault.clone()), ..Self::default() }
    }

    /// The body's bytes: Go's indented JSON with one space per level and no newline at the end.
    pub fn encode(&self) -> Vec<u8> {
        indented(self)
    }

    /// Reads a reply leniently: unknown keys and `null` are fine.
    ///
    /// # Errors
    /// The reason, when the body is not a reply.
    pub fn decode(body: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(body)
    }
}

/// JSON with one space per level, as every body of the daemon is written.
pub fn indented<T: Serialize>(value: &T) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(256);
    let formatter = serde_json::ser::PrettyFormatter::with_indent(b" ");
    let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, formatter);
    match value.serialize(&mut serializer) {
        Ok(()) => bytes,
        Err(_) => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::FaultKind;

    const REFUSAL: &str = "{\n \"ips\": null,\n \"mac_address\": \"\",\n \"routes\": null,\n \"mtu\": 0,\n \"nicname\": \"\",\n \"dns\": {},\n \"error\": \"parse add request failed EOF\"\n}";

    #[test]
    fn a_refusal_has_upstream_bytes() {
        let fault = Fault::new(FaultKind::BadRequest, "parse add request failed EOF");

        assert_eq!(String::from_utf8(PodReply::refusal(&fault, false).encode()).unwrap(), REFUSAL);
    }

    #[test]
    fn our_plugin_gets_the_fault_beside_the_text() {
        let fault = Fault::new(FaultKind::SubnetExhausted, "no address").hint("add some");

        let reply = PodReply::decode(&PodReply::refusal(&fault, true).encode()).unwrap();

        assert_eq!((reply.error.as_str(), reply.fault), ("no address", Some(fault)));
    }
}
