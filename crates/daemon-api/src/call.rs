//! What the plugin knows and upstream's body has no key for.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use crate::request::DecodeError;

/// The content of the header [`crate::route::CALL_HEADER`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CallContext {
    /// `name` of the network configuration; empty when the configuration is lost.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub network: String,
    /// `K8S_POD_UID`; empty when the runtime gives none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub pod_uid: String,
    /// Pod annotations handed over through the capability `io.kubernetes.cri.pod-annotations`: only those whose
    /// domain ends in `kubernetes.io`, and never `kubectl.kubernetes.io/*`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// Addresses that the caller asks for, by source.
    #[serde(skip_serializing_if = "Asked::is_empty")]
    pub ips: Asked,
    /// MAC addresses that the caller asks for, by source.
    #[serde(skip_serializing_if = "Asked::is_empty")]
    pub macs: Asked,
    /// TCP ports of the pod that the caller maps to the node, `runtimeConfig.portMappings[].containerPort`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tcp_ports: Vec<u16>,
    /// The macvlan keys of the configuration, whoever makes the interface.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub macvlan: Option<MacvlanConf>,
    /// `CNI_NETNS_OVERRIDE`: the sandbox may be the node's own network namespace.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub netns_override: bool,
    /// How long the plugin waits for the answer, in milliseconds; 0 when it does not say.
    pub deadline_ms: u64,
}

/// Texts that the caller asks for, kept apart by where they were written. `runtime_config` wins over `args`, which
/// wins over `cni_args` (CNI conventions, "ips").
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Asked {
    /// `runtimeConfig.ips` or `runtimeConfig.mac`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub runtime_config: Vec<String>,
    /// `args.cni.ips` or `args.cni.mac`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub args: Vec<String>,
    /// `IP=` or `MAC=` of `CNI_ARGS`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cni_args: Vec<String>,
}

impl Asked {
    /// True when nobody asks for anything.
    pub fn is_empty(&self) -> bool {
        self.runtime_config.is_empty() && self.args.is_empty() && self.cni_args.is_empty()
    }
}

/// The macvlan keys of a network configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MacvlanConf {
    /// The node's interface on the physical network.
    pub master: String,
    /// `bridge`, `private`, `vepa` or `passthru`; empty means `bridge`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub mode: String,
    /// MTU in bytes; 0 means the master's.
    #[serde(default)]
    pub mtu: u32,
}

impl CallContext {
    /// One line of printable ASCII, fit for a header.
    pub fn encode(&self) -> String {
        let json = serde_json::to_string(self).unwrap_or_default();
        let mut line = String::with_capacity(json.len());
        for c in json.chars() {
            if c.is_ascii() && !c.is_ascii_control() {
                line.push(c);
                continue;
            }
            let mut units = [0u16; 2];
            for unit in c.encode_utf16(&mut units) {
                let _ = write!(line, "\\u{unit:04x}");
            }
        }
        line
    }

    /// Reads a header's value.
    ///
    /// # Errors
    /// [`DecodeError::Malformed`] with the reason.
    pub fn decode(header: &[u8]) -> Result<Self, DecodeError> {
        serde_json::from_slice(header).map_err(|e| DecodeError::Malformed(e.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_travels_as_printable_ascii() {
        let call = CallContext {
            network: "n".into(),
            annotations: BTreeMap::from([(
                "ovn.kubernetes.io/x".into(),
                "tab\t line\n 地址 😀 \u{7f}\"".into(),
            )]),
            ..CallContext::default()
        };

        let line = call.encode();

        assert!(line.bytes().all(|b| (0x20..0x7f).contains(&b)), "{line}");
        assert_eq!(CallContext::decode(line.as_bytes()).unwrap(), call);
    }
}
