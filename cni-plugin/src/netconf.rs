//! stdin → the network configuration, be it our own or that of a plugin which delegates its addresses to us.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

use daemon_api::call::MacvlanConf;
use daemon_api::request::{Attachment, Dns, Route};
use daemon_api::{InvalidId, NetworkName, Provider, route};
use serde_json::{Map, Value};
use thiserror::Error;

use crate::env::Verb;
use crate::keys::{Keys, Strictness, WrongType};
use crate::version::{SpecVersion, Unsupported};

/// Most bytes of a configuration.
pub const MAX_BYTES: usize = 1 << 20;

/// Our CNI type.
pub const OWN_TYPE: &str = "kube-ovn";

const POD_ANNOTATIONS: &str = "io.kubernetes.cri.pod-annotations";

/// Why the configuration cannot be used.
#[derive(Debug, Error)]
pub enum ConfError {
    /// stdin cannot be read.
    #[error("read the network configuration from stdin")]
    Unreadable(#[source] io::Error),
    /// More than [`MAX_BYTES`].
    #[error("the network configuration is larger than 1 MiB")]
    TooLong,
    /// Not JSON.
    #[error("the network configuration is not JSON")]
    NotJson(#[source] serde_json::Error),
    /// JSON, but no object.
    #[error("the network configuration is not a JSON object")]
    NotAnObject,
    /// A key with a value of the wrong type.
    #[error(transparent)]
    WrongType(#[from] WrongType),
    /// A `cniVersion` we do not speak.
    #[error(transparent)]
    Version(#[from] Unsupported),
    /// The verb does not exist in this `cniVersion`.
    #[error("config version does not allow {0}")]
    TooOldFor(Verb),
    /// `name` is missing or breaks the specification's rule.
    #[error(transparent)]
    Name(#[from] InvalidId),
    /// No `server_socket`.
    #[error("server_socket is required: set \"server_socket\": \"{}\" {place}", route::DEFAULT_SOCKET)]
    NoSocket {
        /// Where it belongs.
        place: &'static str,
    },
    /// A `server_socket` that is no absolute, straight path.
    #[error("server_socket {0:?} is not an absolute path without \"..\"")]
    BadSocket(String),
    /// A provider that breaks its rule.
    #[error("provider: {0}")]
    Provider(#[source] InvalidId),
    /// CHECK without a `prevResult`.
    #[error("CHECK needs prevResult, the result of the ADD")]
    NoPrevResult,
    /// GC without its list: it would release everything.
    #[error("GC needs the key \"cni.dev/valid-attachments\"; without it every attachment would be released")]
    NoAttachmentList,
}

/// A configuration that is JSON and whose version we speak.
#[derive(Debug)]
pub struct Document {
    keys: Map<String, Value>,
}

/// Everything of the configuration that the plugin uses.
#[derive(Debug, Clone)]
pub struct NetConf {
    /// The version that the result is to have.
    pub version: SpecVersion,
    /// `name`.
    pub name: NetworkName,
    /// `type`, of the outer plugin when we are delegated to.
    pub cni_type: String,
    /// True when another plugin makes the interface and asks us for addresses only.
    pub is_delegated: bool,
    /// The daemon's socket.
    pub socket: PathBuf,
    /// The provider.
    pub provider: Provider,
    /// Extra routes.
    pub routes: Option<Vec<Route>>,
    /// `dns`.
    pub dns: Dns,
    /// `deviceID`: PCI address of a virtual function.
    pub device_id: String,
    /// `vf_driver`.
    pub vf_driver: String,
    /// The three vhost-user keys.
    pub vhost: VhostUser,
    /// `runtimeConfig.ips`, `runtimeConfig.mac`.
    pub runtime_config: Asked,
    /// The TCP ports of `runtimeConfig.portMappings`.
    pub tcp_ports: Vec<u16>,
    /// `args.cni.ips`, `args.cni.mac`.
    pub args: Asked,
    /// `runtimeConfig`'s pod annotations, all of them.
    pub annotations: BTreeMap<String, String>,
    /// `master`, `mode`, `mtu`, when there is a master.
    pub macvlan: Option<MacvlanConf>,
    /// The result of the plugins before us, or of our own ADD.
    pub prev_result: Option<Map<String, Value>>,
    /// `cni.dev/valid-attachments`.
    pub valid_attachments: Option<Vec<Attachment>>,
}

/// The vhost-user keys.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VhostUser {
    /// `vhost_user_socket_volume_name`.
    pub volume_name: String,
    /// `vhost_user_socket_name`.
    pub socket_name: String,
    /// `vhost_user_socket_consumption`.
    pub consumption: String,
}

/// Addresses and MACs asked for in one place of the configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    /// Addresses.
    pub ips: Vec<String>,
    /// MAC addresses.
    pub macs: Vec<String>,
}

impl Document {
    /// Reads stdin to its end.
    ///
    /// # Errors
    /// [`ConfError`] of the reading and the decoding.
    pub fn read(stdin: &mut dyn Read) -> Result<Self, ConfError> {
        let mut bytes = Vec::new();
        let limit = MAX_BYTES as u64 + 1;
        stdin.take(limit).read_to_end(&mut bytes).map_err(ConfError::Unreadable)?;
        if bytes.len() > MAX_BYTES {
            return Err(ConfError::TooLong);
        }
        Self::parse(&bytes)
    }

    /// Decodes. Repeated keys are fine: the last one counts.
    ///
    /// # Errors
    /// [`ConfError`] of the decoding.
    pub fn parse(bytes: &[u8]) -> Result<Self, ConfError> {
        match serde_json::from_slice(bytes).map_err(ConfError::NotJson)? {
            Value::Object(keys) => Ok(Self { keys }),
            Value::Null => Ok(Self { keys: Map::new() }),
            Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                Err(ConfError::NotAnObject)
            }
        }
    }

    /// The text of `cniVersion`, when it is one.
    pub fn version_text(&self) -> Option<&str> {
        self.keys.get("cniVersion")?.as_str().filter(|text| !text.is_empty())
    }

    /// The version to answer in.
    ///
    /// # Errors
    /// A version that we do not speak, or no text.
    pub fn version(&self) -> Result<SpecVersion, ConfError> {
        let keys = Keys::new(&self.keys, Strictness::Strict);
        let given: String = keys.read("cniVersion")?;
        let offered: Vec<String> = keys.read("cniVersions")?;
        if given.is_empty() && !offered.is_empty() {
            return Ok(SpecVersion::newest_of(&offered)?);
        }
        Ok(SpecVersion::parse(&given)?)
    }
}

/// CHECK came with 0.4.0, GC and STATUS with 1.1.0.
fn check_allowed(verb: Verb, version: SpecVersion) -> Result<(), ConfError> {
    let since = match verb {
        Verb::Check => SpecVersion::V0_4_0,
        Verb::Gc | Verb::Status => SpecVersion::V1_1_0,
        Verb::Add | Verb::Del | Verb::Version => SpecVersion::V0_1_0,
    };
    if version < since { Err(ConfError::TooOldFor(verb)) } else { Ok(()) }
}

impl NetConf {
    /// Reads what `verb` needs.
    ///
    /// A DEL gets along with hardly anything: a runtime or Multus may have lost our keys, and the DEL of an ADD which
    /// failed for its configuration must not fail for it again.
    ///
    /// # Errors
    /// [`ConfError`].
    pub fn new(document: &Document, verb: Verb) -> Result<Self, ConfError> {
        let version = document.version()?;
        check_allowed(verb, version)?;
        let strictness = if verb == Verb::Del { Strictness::Lenient } else { Strictness::Strict };
        let keys = Keys::new(&document.keys, strictness);
        let name: String = keys.read("name")?;
        let cni_type: String = keys.read("type")?;
        let ipam = keys.inner("ipam", "ipam.")?;
        let is_delegated = cni_type != OWN_TYPE && keys.has("ipam");
        let source = if is_delegated { ipam } else { keys };
        let server_socket: String = source.read("server_socket")?;
        let wanted_provider: String = source.read("provider")?;
        let runtime_config = keys.inner("runtimeConfig", "runtimeConfig.")?;
        let args = keys.inner("args", "args.")?.inner("cni", "args.cni.")?;
        let conf = Self {
            version,
            cni_type,
            is_delegated,
            routes: source.read("routes")?,
            dns: keys.read("dns")?,
            device_id: keys.read("deviceID")?,
            vf_driver: keys.read("vf_driver")?,
            vhost: vhost(keys)?,
            runtime_config: asked(runtime_config)?,
            tcp_ports: tcp_ports(runtime_config)?,
            args: asked(args)?,
            annotations: runtime_config.read(POD_ANNOTATIONS)?,
            macvlan: macvlan(keys, is_delegated)?,
            prev_result: keys.read("prevResult")?,
            valid_attachments: valid_attachments(keys)?,
            // Last: what cannot be decoded is told before what cannot be meant.
            name: NetworkName::new(&name)?,
            socket: socket(&server_socket, verb, is_delegated)?,
            provider: provider(&wanted_provider, verb)?,
        };
        match verb {
            Verb::Check if conf.prev_result.is_none() => Err(ConfError::NoPrevResult),
            Verb::Gc if conf.valid_attachments.is_none() => Err(ConfError::NoAttachmentList),
            Verb::Add | Verb::Check | Verb::Del | Verb::Gc | Verb::Status | Verb::Version => Ok(conf),
        }
    }
}

fn socket(text: &str, verb: Verb, is_delegated: bool) -> Result<PathBuf, ConfError> {
    let path = Path::new(text);
    let is_straight = path.is_absolute()
        && !text.contains('\0')
        && path.components().all(|part| part != Component::ParentDir);
    match verb {
        _ if is_straight => Ok(path.to_owned()),
        Verb::Del => Ok(route::DEFAULT_SOCKET.into()),
        Verb::Gc if text.is_empty() => Ok(route::DEFAULT_SOCKET.into()),
        Verb::Add | Verb::Check | Verb::Gc | Verb::Status | Verb::Version if text.is_empty() => {
            let place = if is_delegated { "in the \"ipam\" block" } else { "beside \"type\": \"kube-ovn\"" };
            Err(ConfError::NoSocket { place })
        }
        Verb::Add | Verb::Check | Verb::Gc | Verb::Status | Verb::Version => {
            Err(ConfError::BadSocket(text.to_owned()))
        }
    }
}

fn provider(text: &str, verb: Verb) -> Result<Provider, ConfError> {
    match Provider::new(text) {
        Err(_) if verb == Verb::Del => Provider::new("").map_err(ConfError::Provider),
        checked @ (Ok(_) | Err(_)) => checked.map_err(ConfError::Provider),
    }
}

fn vhost(keys: Keys<'_>) -> Result<VhostUser, WrongType> {
    Ok(VhostUser {
        volume_name: keys.read("vhost_user_socket_volume_name")?,
        socket_name: keys.read("vhost_user_socket_name")?,
        consumption: keys.read("vhost_user_socket_consumption")?,
    })
}

/// A port that the runtime maps to the node (CNI conventions, "port mappings").
#[derive(serde::Deserialize)]
struct PortMapping {
    #[serde(rename = "containerPort")]
    container_port: u16,
    #[serde(default)]
    protocol: String,
}

fn tcp_ports(keys: Keys<'_>) -> Result<Vec<u16>, WrongType> {
    let mappings: Vec<PortMapping> = keys.read("portMappings")?;
    let is_tcp =
        |mapping: &PortMapping| mapping.protocol.is_empty() || mapping.protocol.eq_ignore_ascii_case("tcp");
    Ok(mappings.into_iter().filter(is_tcp).map(|mapping| mapping.container_port).collect())
}

fn asked(keys: Keys<'_>) -> Result<Asked, WrongType> {
    let mac: String = keys.read("mac")?;
    let macs = if mac.is_empty() { Vec::new() } else { vec![mac] };
    Ok(Asked { ips: keys.read("ips")?, macs })
}

/// The keys are ours only when we make the interface; another plugin may mean something else by them.
fn macvlan(keys: Keys<'_>, is_delegated: bool) -> Result<Option<MacvlanConf>, WrongType> {
    let keys = if is_delegated { keys.with(Strictness::Lenient) } else { keys };
    let conf = MacvlanConf { master: keys.read("master")?, mode: keys.read("mode")?, mtu: keys.read("mtu")? };
    Ok((!conf.master.is_empty()).then_some(conf))
}

/// The key of the specification, else the one that libcni 1.3 writes beside it.
fn valid_attachments(keys: Keys<'_>) -> Result<Option<Vec<Attachment>>, WrongType> {
    match keys.read("cni.dev/valid-attachments")? {
        Some(list) => Ok(Some(list)),
        None => keys.read("cni.dev/attachments"),
    }
}

#[cfg(test)]
mod tests;
