//! `CNI_ARGS` → the pod and what is asked for it (CNI conventions, "CNI_ARGS").

use daemon_api::{ContainerId, InvalidId, PodRef};
use thiserror::Error;

/// What `CNI_ARGS` says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PodArgs {
    /// `K8S_POD_NAMESPACE`.
    pub namespace: String,
    /// `K8S_POD_NAME`.
    pub name: String,
    /// `K8S_POD_UID`; empty when the runtime gives none.
    pub uid: String,
    /// `IP`.
    pub ips: Vec<String>,
    /// `MAC`.
    pub macs: Vec<String>,
}

/// Why `CNI_ARGS` cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ArgsError {
    /// A part without `=`.
    #[error("CNI_ARGS: {0:?} is not KEY=VALUE")]
    NotAPair(String),
    /// Keys we do not know, and no `IgnoreUnknown`.
    #[error("CNI_ARGS: unknown keys [{}]", .0.join(","))]
    UnknownKeys(Vec<String>),
    /// A value that could be taken for a path or for more than one value.
    #[error("CNI_ARGS: {key}={value:?} holds '/', a NUL or a line end")]
    UnsafeValue {
        /// The key.
        key: &'static str,
        /// The value.
        value: String,
    },
    /// The pod's name or namespace is none.
    #[error("CNI_ARGS: {0}")]
    Pod(#[from] InvalidId),
}

const IGNORE_UNKNOWN: &str = "IgnoreUnknown";
const KNOWN: [&str; 7] = [
    IGNORE_UNKNOWN,
    "K8S_POD_NAMESPACE",
    "K8S_POD_NAME",
    "K8S_POD_UID",
    "K8S_POD_INFRA_CONTAINER_ID",
    "IP",
    "MAC",
];

/// Reads the arguments of an ADD or CHECK. Runtimes outside Kubernetes give no pod: the container's id then stands for
/// its name, and `default` for its namespace.
///
/// # Errors
/// [`ArgsError`]; all of them are CNI code 4.
pub fn for_add(text: &str, container_id: &ContainerId) -> Result<PodArgs, ArgsError> {
    let mut args = parse(text)?;
    if args.name.is_empty() {
        container_id.as_str().clone_into(&mut args.name);
    }
    if args.namespace.is_empty() {
        "default".clone_into(&mut args.namespace);
    }
    PodRef::new(&args.namespace, &args.name)?;
    Ok(args)
}

/// Reads the arguments of a DEL, which needs none: what cannot be read is left empty.
pub fn for_del(text: &str) -> PodArgs {
    parse(text).unwrap_or_default()
}

fn parse(text: &str) -> Result<PodArgs, ArgsError> {
    let mut pairs = Vec::new();
    for part in text.split(';').filter(|part| !part.is_empty()) {
        pairs.push(part.split_once('=').ok_or_else(|| ArgsError::NotAPair(part.to_owned()))?);
    }
    let ignores_unknown = pairs
        .iter()
        .any(|(key, value)| *key == IGNORE_UNKNOWN && (*value == "1" || value.eq_ignore_ascii_case("true")));
    let unknown: Vec<String> =
        pairs.iter().filter(|(key, _)| !KNOWN.contains(key)).map(|(key, _)| (*key).to_owned()).collect();
    if !unknown.is_empty() && !ignores_unknown {
        return Err(ArgsError::UnknownKeys(unknown));
    }
    for key in KNOWN {
        for (_, value) in pairs.iter().filter(|(k, _)| *k == key) {
            check_value(key, value)?;
        }
    }
    // Multus writes every key twice.
    let first = |key: &str| pairs.iter().find(|(k, v)| *k == key && !v.is_empty()).map_or("", |(_, v)| *v);
    Ok(PodArgs {
        namespace: first("K8S_POD_NAMESPACE").to_owned(),
        name: first("K8S_POD_NAME").to_owned(),
        uid: first("K8S_POD_UID").to_owned(),
        ips: split_list(first("IP")),
        macs: split_list(first("MAC")),
    })
}

/// `IP` may carry a prefix length; nothing else may look like a path.
fn check_value(key: &'static str, value: &str) -> Result<(), ArgsError> {
    let is_unsafe = |c: char| matches!(c, '\0' | '\n' | '\r') || (c == '/' && key != "IP");
    if value.contains(is_unsafe) {
        return Err(ArgsError::UnsafeValue { key, value: value.to_owned() });
    }
    Ok(())
}

fn split_list(value: &str) -> Vec<String> {
    value.split(',').map(str::trim).filter(|v| !v.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests;
