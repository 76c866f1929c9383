//! Checked names: a value of these types has been looked at once and can be used without fear.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A text that does not fit the grammar of the id it was given for.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{what} {value:?} {why}")]
pub struct InvalidId {
    /// What the text was meant to be, e.g. `container id`.
    pub what: &'static str,
    /// The text, cut to 80 characters.
    pub value: String,
    /// Which rule it breaks.
    pub why: &'static str,
}

impl InvalidId {
    fn new(what: &'static str, value: &str, why: &'static str) -> Self {
        Self { what, value: value.chars().take(80).collect(), why }
    }
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;
            fn try_from(value: String) -> Result<Self, InvalidId> {
                Self::new(&value)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }
    };
}

/// `[A-Za-z0-9][A-Za-z0-9_.-]*`, the CNI specification's rule for container ids and network names.
fn check_cni_word(what: &'static str, value: &str) -> Result<(), InvalidId> {
    let first = value.bytes().next();
    match first {
        None => return Err(InvalidId::new(what, value, "is empty")),
        Some(b) if !b.is_ascii_alphanumeric() => {
            return Err(InvalidId::new(what, value, "does not start with a letter or a digit"));
        }
        Some(_) => {}
    }
    if !value.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-')) {
        return Err(InvalidId::new(
            what,
            value,
            "holds characters other than letters, digits, '_', '.', '-'",
        ));
    }
    if value.len() > 253 {
        return Err(InvalidId::new(what, value, "is longer than 253 bytes"));
    }
    Ok(())
}

text_id! {
    /// The runtime's sandbox id (CNI specification, section 2: `CNI_CONTAINERID`). Any length from one byte on.
    ContainerId
}

impl ContainerId {
    /// Checks `value`.
    ///
    /// # Errors
    /// The rule that `value` breaks.
    pub fn new(value: &str) -> Result<Self, InvalidId> {
        check_cni_word("container id", value)?;
        Ok(Self(value.to_owned()))
    }
}

text_id! {
    /// The `name` of a network configuration. Never used as a path component.
    NetworkName
}

impl NetworkName {
    /// Checks `value`.
    ///
    /// # Errors
    /// The rule that `value` breaks.
    pub fn new(value: &str) -> Result<Self, InvalidId> {
        check_cni_word("network name", value)?;
        Ok(Self(value.to_owned()))
    }
}

text_id! {
    /// A Linux interface name of 1 to 15 bytes (`dev_valid_name` in the kernel, and the CNI specification).
    IfName
}

impl IfName {
    /// Checks `value`.
    ///
    /// # Errors
    /// The rule that `value` breaks.
    pub fn new(value: &str) -> Result<Self, InvalidId> {
        let why = if value.is_empty() {
            "is empty"
        } else if value.len() > 15 {
            "is longer than 15 bytes"
        } else if value == "." || value == ".." {
            "is a relative path"
        } else if value
            .bytes()
            .any(|b| matches!(b, b'/' | b':') || b.is_ascii_whitespace() || b.is_ascii_control())
        {
            "holds '/', ':', white space or a control character"
        } else if value.contains('%') {
            // `dev_alloc_name` in the kernel: the interface would get another name, or none.
            "holds '%', which the kernel replaces by a number"
        } else {
            return Ok(Self(value.to_owned()));
        };
        Err(InvalidId::new("interface name", value, why))
    }
}

text_id! {
    /// The absolute path of a network namespace file. Only its shape is checked here; what stands there is checked
    /// by the one who opens it.
    NetnsPath
}

impl NetnsPath {
    /// Checks `value`.
    ///
    /// # Errors
    /// The rule that `value` breaks.
    pub fn new(value: &str) -> Result<Self, InvalidId> {
        let why = if !value.starts_with('/') {
            "is not an absolute path"
        } else if value.len() > 4095 {
            "is longer than 4095 bytes"
        } else if value.bytes().any(|b| b.is_ascii_control()) {
            "holds a control character"
        } else if value.split('/').any(|part| part == "..") {
            "holds '..'"
        } else if value.ends_with('/') {
            "is a folder"
        } else {
            return Ok(Self(value.to_owned()));
        };
        Err(InvalidId::new("network namespace path", value, why))
    }
}

text_id! {
    /// Who provides a network: `ovn`, `<nad>.<namespace>.ovn` (an OVN attachment) or `<nad>.<namespace>`
    /// (addresses only).
    Provider
}

impl Provider {
    /// The default network's provider, meant by an empty text too.
    pub const OVN: &'static str = "ovn";

    /// Checks `value`; an empty one is `ovn`.
    ///
    /// # Errors
    /// The rule that `value` breaks.
    pub fn new(value: &str) -> Result<Self, InvalidId> {
        if value.is_empty() {
            return Ok(Self(Self::OVN.to_owned()));
        }
        check_cni_word("provider", value)?;
        Ok(Self(value.to_owned()))
    }

    /// True for `ovn` and for exactly three dot-separated fields that end in `ovn`.
    pub fn is_ovn(&self) -> bool {
        self.0 == Self::OVN || {
            let fields: Vec<&str> = self.0.split('.').collect();
            fields.len() == 3 && fields[2] == Self::OVN
        }
    }
}

/// A pod by namespace and name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PodRef {
    /// The namespace.
    pub namespace: String,
    /// The name.
    pub name: String,
}

impl PodRef {
    /// Checks both parts with the rule for Kubernetes names, which podman's container names fit too.
    ///
    /// # Errors
    /// The part that breaks the rule, and which rule.
    pub fn new(namespace: &str, name: &str) -> Result<Self, InvalidId> {
        check_pod_word("pod namespace", namespace)?;
        check_pod_word("pod name", name)?;
        Ok(Self { namespace: namespace.to_owned(), name: name.to_owned() })
    }
}

fn check_pod_word(what: &'static str, value: &str) -> Result<(), InvalidId> {
    check_cni_word(what, value)
}

impl fmt::Display for PodRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn container_ids_follow_the_specification() {
        for good in ["a", "abc", "0_x.y-z", &"f".repeat(64)] {
            assert!(ContainerId::new(good).is_ok(), "{good}");
        }
        for bad in ["", "-a", ".a", "a/b", "a b", "a\n", "ä", &"f".repeat(254)] {
            assert!(ContainerId::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn interface_names_follow_the_kernel() {
        for good in ["eth0", "net1", "a23456789012345"] {
            assert!(IfName::new(good).is_ok(), "{good}");
        }
        for bad in ["", ".", "..", "a/b", "a:b", "a b", "a\tb", "net%d", "a234567890123456"] {
            assert!(IfName::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn netns_paths_are_absolute_and_straight() {
        for good in ["/run/netns/x", "/var/run/netns/cni-1", "/proc/12/ns/net"] {
            assert!(NetnsPath::new(good).is_ok(), "{good}");
        }
        for bad in ["", "x", "/run/netns/../x", "/run/netns/", "/run/a\0b"] {
            assert!(NetnsPath::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn ovn_providers_have_one_or_three_fields() {
        let is_ovn = |p: &str| Provider::new(p).unwrap().is_ovn();

        assert!(is_ovn("") && is_ovn("ovn") && is_ovn("nad.ns.ovn"));
        assert!(
            !is_ovn("nad.ovn") && !is_ovn("x.my-ovn") && !is_ovn("nad.kube-system") && !is_ovn("a.b.c.ovn")
        );
    }

    #[test]
    fn an_invalid_id_says_what_and_why() {
        let e = IfName::new("a234567890123456").unwrap_err();

        assert_eq!(e.to_string(), "interface name \"a234567890123456\" is longer than 15 bytes");
    }
}
