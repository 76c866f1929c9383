//! The `CNI_*` variables → what the runtime asks for (CNI specification, section 2 "Parameters").

use std::ffi::OsString;
use std::fmt;

use daemon_api::{ContainerId, IfName, InvalidId, NetnsPath};
use thiserror::Error;

/// Looks a variable up by name.
pub type Lookup<'a> = &'a dyn Fn(&str) -> Option<OsString>;

/// The operations of the specification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// Attach a sandbox to a network.
    Add,
    /// Is the attachment as it was made?
    Check,
    /// Undo an ADD.
    Del,
    /// Release what is not in the list of living attachments.
    Gc,
    /// Would an ADD work now?
    Status,
    /// Which versions are spoken?
    Version,
}

impl Verb {
    /// Every verb.
    pub const ALL: [Self; 6] = [Self::Add, Self::Check, Self::Del, Self::Gc, Self::Status, Self::Version];

    /// The value of `CNI_COMMAND`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Add => "ADD",
            Self::Check => "CHECK",
            Self::Del => "DEL",
            Self::Gc => "GC",
            Self::Status => "STATUS",
            Self::Version => "VERSION",
        }
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What the runtime asks for, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Invocation {
    /// A person ran the binary: no `CNI_*` variable is set.
    About,
    /// VERSION.
    Version,
    /// STATUS.
    Status,
    /// GC.
    Gc,
    /// ADD.
    Add(Sandbox),
    /// CHECK.
    Check(Sandbox),
    /// DEL.
    Del(Sandbox),
}

/// The attachment that ADD, CHECK and DEL are about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sandbox {
    /// `CNI_CONTAINERID`.
    pub container_id: ContainerId,
    /// `CNI_IFNAME`.
    pub ifname: IfName,
    /// `CNI_NETNS`; absent only in a DEL.
    pub netns: Option<NetnsPath>,
    /// `CNI_ARGS`, not looked at yet.
    pub args: String,
    /// `CNI_NETNS_OVERRIDE`: the sandbox may be the node's own network namespace.
    pub netns_override: bool,
}

impl Sandbox {
    /// The namespace's path; empty when there is none.
    pub fn netns_text(&self) -> &str {
        self.netns.as_ref().map_or("", NetnsPath::as_str)
    }
}

/// Why the variables cannot be used; names every one that is missing or bad.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EnvError {
    /// `CNI_COMMAND` is not a verb.
    #[error("unknown CNI_COMMAND: {0:?}")]
    UnknownCommand(String),
    /// Variables that the verb needs.
    #[error("{}", list(missing, bad))]
    Variables {
        /// Not set, or empty.
        missing: Vec<&'static str>,
        /// Set to something unusable, with the reason.
        bad: Vec<(&'static str, BadValue)>,
    },
}

/// Why a variable's value is unusable.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BadValue {
    /// It is not UTF-8.
    #[error("is not UTF-8")]
    NotUtf8,
    /// It breaks the rule of what it names.
    #[error(transparent)]
    Id(#[from] InvalidId),
}

fn list(missing: &[&'static str], bad: &[(&'static str, BadValue)]) -> String {
    let mut parts = Vec::new();
    if !missing.is_empty() {
        parts.push(format!("required env variables [{}] missing", missing.join(",")));
    }
    parts.extend(bad.iter().map(|(name, why)| format!("{name}: {why}")));
    parts.join("; ")
}

const NAMES: [&str; 7] = [
    "CNI_COMMAND",
    "CNI_CONTAINERID",
    "CNI_NETNS",
    "CNI_IFNAME",
    "CNI_ARGS",
    "CNI_PATH",
    "CNI_NETNS_OVERRIDE",
];

/// Reads the variables.
///
/// # Errors
/// [`EnvError`]; all of them are CNI code 4.
pub fn read(lookup: Lookup<'_>) -> Result<Invocation, EnvError> {
    if NAMES.iter().all(|name| lookup(name).is_none()) {
        return Ok(Invocation::About);
    }
    let mut variables = Variables { lookup, missing: Vec::new(), bad: Vec::new() };
    let command = variables.required("CNI_COMMAND", |text| Ok(text.to_owned()));
    let Some(command) = command else { return Err(variables.into_error()) };
    let Some(verb) = Verb::ALL.into_iter().find(|v| v.as_str() == command) else {
        return Err(EnvError::UnknownCommand(command));
    };
    match verb {
        Verb::Version => Ok(Invocation::Version),
        Verb::Status => variables.path_only(Invocation::Status),
        Verb::Gc => variables.path_only(Invocation::Gc),
        Verb::Add => variables.sandbox(Netns::Required).map(Invocation::Add),
        Verb::Check => variables.sandbox(Netns::Required).map(Invocation::Check),
        Verb::Del => variables.sandbox(Netns::IfUsable).map(Invocation::Del),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Netns {
    Required,
    /// An ADD with an unusable path has failed; refusing its DEL too would pin the sandbox for ever.
    IfUsable,
}

struct Variables<'a> {
    lookup: Lookup<'a>,
    missing: Vec<&'static str>,
    bad: Vec<(&'static str, BadValue)>,
}

impl Variables<'_> {
    fn required<T>(&mut self, name: &'static str, check: impl Fn(&str) -> Result<T, InvalidId>) -> Option<T> {
        let Some(value) = (self.lookup)(name).filter(|v| !v.is_empty()) else {
            self.missing.push(name);
            return None;
        };
        let checked = value.to_str().ok_or(BadValue::NotUtf8).and_then(|text| Ok(check(text)?));
        checked.map_err(|why| self.bad.push((name, why))).ok()
    }

    /// Runtimes look plugins up in `CNI_PATH`; we need it for nothing but the specification wants it set.
    fn path(&mut self) {
        if (self.lookup)("CNI_PATH").is_none_or(|v| v.is_empty()) {
            self.missing.push("CNI_PATH");
        }
    }

    fn path_only(mut self, invocation: Invocation) -> Result<Invocation, EnvError> {
        self.path();
        if self.missing.is_empty() { Ok(invocation) } else { Err(self.into_error()) }
    }

    fn sandbox(mut self, netns_rule: Netns) -> Result<Sandbox, EnvError> {
        let container_id = self.required("CNI_CONTAINERID", ContainerId::new);
        let netns = match netns_rule {
            Netns::Required => self.required("CNI_NETNS", NetnsPath::new),
            Netns::IfUsable => (self.lookup)("CNI_NETNS").and_then(|v| NetnsPath::new(v.to_str()?).ok()),
        };
        let ifname = self.required("CNI_IFNAME", IfName::new);
        self.path();
        let (Some(container_id), Some(ifname), true) =
            (container_id, ifname, self.missing.is_empty() && self.bad.is_empty())
        else {
            return Err(self.into_error());
        };
        let text = |name| (self.lookup)(name).unwrap_or_default().to_string_lossy().into_owned();
        let wanted = text("CNI_NETNS_OVERRIDE");
        Ok(Sandbox {
            container_id,
            ifname,
            netns,
            args: text("CNI_ARGS"),
            netns_override: wanted == "1" || wanted.eq_ignore_ascii_case("true"),
        })
    }

    fn into_error(self) -> EnvError {
        EnvError::Variables { missing: self.missing, bad: self.bad }
    }
}

#[cfg(test)]
mod tests;
