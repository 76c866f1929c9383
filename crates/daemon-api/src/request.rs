//! Requests. [`PodRequest`] is upstream's body to the byte; the others are ours.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use thiserror::Error;

use crate::call::CallContext;

/// The body of `/api/v1/add` and `/api/v1/del`: upstream's fourteen keys, all always present, in byte order.
///
/// In a DEL `routes` is `null`, `dns` is `{}`, `vf_driver` and `vhost_user_socket_name` are empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PodRequest {
    /// The outer plugin type: `kube-ovn`, or `macvlan` and so on when we only give the addresses.
    #[serde(deserialize_with = "null_is_default")]
    pub cni_type: String,
    /// The sandbox id.
    #[serde(deserialize_with = "null_is_default")]
    pub container_id: String,
    /// PCI address of a virtual function.
    #[serde(
        rename(serialize = "deviceID", deserialize = "deviceid"),
        alias = "deviceID",
        deserialize_with = "null_is_default"
    )]
    pub device_id: String,
    /// DNS of the network configuration.
    #[serde(deserialize_with = "null_is_default")]
    pub dns: Dns,
    /// The interface name inside the sandbox.
    #[serde(deserialize_with = "null_is_default")]
    pub if_name: String,
    /// The sandbox's network namespace; may be empty in a DEL.
    #[serde(deserialize_with = "null_is_default")]
    pub net_ns: String,
    /// `K8S_POD_NAME`.
    #[serde(deserialize_with = "null_is_default")]
    pub pod_name: String,
    /// `K8S_POD_NAMESPACE`.
    #[serde(deserialize_with = "null_is_default")]
    pub pod_namespace: String,
    /// The provider; empty means `ovn`.
    #[serde(deserialize_with = "null_is_default")]
    pub provider: String,
    /// Extra routes of the network configuration.
    pub routes: Option<Vec<Route>>,
    /// `vfio-pci` for a userspace virtual function.
    #[serde(deserialize_with = "null_is_default")]
    pub vf_driver: String,
    /// vhost-user.
    #[serde(deserialize_with = "null_is_default")]
    pub vhost_user_socket_consumption: String,
    /// vhost-user.
    #[serde(deserialize_with = "null_is_default")]
    pub vhost_user_socket_name: String,
    /// vhost-user.
    #[serde(deserialize_with = "null_is_default")]
    pub vhost_user_socket_volume_name: String,
}

/// A route as text, both in requests and replies. An empty `dst` means the default route of the family of `gw`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Route {
    /// Destination in CIDR form.
    #[serde(skip_serializing_if = "String::is_empty", deserialize_with = "null_is_default")]
    pub dst: String,
    /// Next hop address.
    #[serde(skip_serializing_if = "String::is_empty", deserialize_with = "null_is_default")]
    pub gw: String,
}

/// The CNI `dns` object; in byte order of its keys, as upstream's request has it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Dns {
    /// The local domain.
    #[serde(skip_serializing_if = "String::is_empty", deserialize_with = "null_is_default")]
    pub domain: String,
    /// Name server addresses.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_default")]
    pub nameservers: Vec<String>,
    /// Resolver options.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_default")]
    pub options: Vec<String>,
    /// Search domains.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_default")]
    pub search: Vec<String>,
}

impl Dns {
    /// True when nothing is set.
    pub fn is_empty(&self) -> bool {
        self.nameservers.is_empty()
            && self.domain.is_empty()
            && self.search.is_empty()
            && self.options.is_empty()
    }
}

/// The body of `/api/v1/check`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckRequest {
    /// The attachment, as in its ADD.
    pub pod: PodRequest,
    /// What the ADD's header said.
    pub call: CallContext,
    /// The runtime's `prevResult`, in whatever version it came.
    pub prev_result: Value,
}

/// The body of `/api/v1/status`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusRequest {
    /// The outer plugin type.
    pub cni_type: String,
    /// The provider; empty means `ovn`.
    pub provider: String,
    /// The network.
    pub call: CallContext,
}

/// The body of `/api/v1/gc`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GcRequest {
    /// The network whose attachments are meant; no other network's are touched.
    pub network: String,
    /// `cni.dev/valid-attachments`. Absent is refused.
    pub valid_attachments: Option<Vec<Attachment>>,
}

/// An attachment that the runtime says is alive.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Attachment {
    /// The sandbox id.
    #[serde(rename = "containerID")]
    pub container_id: String,
    /// The interface name.
    pub ifname: String,
}

/// A body that is not a request.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DecodeError {
    /// There is no body. Upstream's word for it is `EOF`.
    #[error("EOF")]
    Empty,
    /// The body ends in the middle. Upstream's word for it is `unexpected EOF`.
    #[error("unexpected EOF")]
    Truncated,
    /// The body is not JSON or not of the right shape.
    #[error("{0}")]
    Malformed(String),
}

impl PodRequest {
    /// Reads a body as Go's `encoding/json` does: unknown keys ignored, keys in any letter case, `null` anywhere.
    ///
    /// # Errors
    /// [`DecodeError`], whose text is upstream's where upstream's is short.
    pub fn decode(body: &[u8]) -> Result<Self, DecodeError> {
        decode(body, true)
    }

    /// The body's bytes, exactly as upstream's plugin would send them.
    pub fn encode(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }
}

/// Reads one of our own bodies.
///
/// # Errors
/// As [`PodRequest::decode`].
pub fn decode_own<T: DeserializeOwned>(body: &[u8]) -> Result<T, DecodeError> {
    decode(body, false)
}

fn decode<T: DeserializeOwned>(body: &[u8], any_letter_case: bool) -> Result<T, DecodeError> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Err(DecodeError::Empty);
    }
    let value: Value = serde_json::from_slice(body).map_err(|e| match e.classify() {
        serde_json::error::Category::Eof => DecodeError::Truncated,
        serde_json::error::Category::Io
        | serde_json::error::Category::Syntax
        | serde_json::error::Category::Data => DecodeError::Malformed(e.to_string()),
    })?;
    if !value.is_object() {
        return Err(DecodeError::Malformed("the body is not a JSON object".into()));
    }
    let value = if any_letter_case { lower_keys(value) } else { value };
    serde_json::from_value(value).map_err(|e| DecodeError::Malformed(e.to_string()))
}

fn lower_keys(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            Value::Object(map.into_iter().map(|(k, v)| (k.to_ascii_lowercase(), lower_keys(v))).collect())
        }
        Value::Array(list) => Value::Array(list.into_iter().map(lower_keys).collect()),
        scalar @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => scalar,
    }
}

/// Reads `null` as the type's default.
pub(crate) fn null_is_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Option::<T>::deserialize(deserializer).map(Option::unwrap_or_default)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADD: &str = r#"{"cni_type":"macvlan","container_id":"7358","deviceID":"","dns":{},"if_name":"net1","net_ns":"/run/netns/ku-mac1","pod_name":"mac1","pod_namespace":"ns1","provider":"mac1.ns1","routes":[{"dst":"203.0.113.0/24","gw":"192.168.77.1"}],"vf_driver":"","vhost_user_socket_consumption":"","vhost_user_socket_name":"","vhost_user_socket_volume_name":""}"#;

    #[test]
    fn upstream_bytes_survive_decoding_and_encoding() {
        let request = PodRequest::decode(ADD.as_bytes()).unwrap();

        assert_eq!(request.provider, "mac1.ns1");
        assert_eq!(String::from_utf8(request.encode()).unwrap(), ADD);
    }

    #[test]
    fn keys_may_have_any_letter_case_be_null_or_unknown() {
        let body = br#"{"Pod_Name":"p","DEVICEID":"d","dns":null,"routes":null,"container_id":null,"x":[1]}"#;

        let request = PodRequest::decode(body).unwrap();

        let wanted = PodRequest { pod_name: "p".into(), device_id: "d".into(), ..PodRequest::default() };
        assert_eq!(request, wanted);
    }

    #[test]
    fn empty_and_cut_bodies_have_upstream_words() {
        assert_eq!(PodRequest::decode(b"").unwrap_err().to_string(), "EOF");
        assert_eq!(PodRequest::decode(b"{\"pod_name\":").unwrap_err().to_string(), "unexpected EOF");
        assert!(matches!(PodRequest::decode(b"not json"), Err(DecodeError::Malformed(_))));
        assert!(matches!(PodRequest::decode(b"[]"), Err(DecodeError::Malformed(_))));
    }
}
