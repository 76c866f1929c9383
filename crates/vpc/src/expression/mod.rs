//! OVN's expression language, as far as people need it: enough to refuse what ovn-controller would not understand.
//!
//! ovn-controller drops a rule with a broken `match` and says so in a log that no tenant sees. So every `match` of a
//! policy or ACL is read here first. Understood is the language of ovn-sb(5) (Logical_Flow, `match`) without OVN's own
//! registers, labels and marks, `is_chassis_resident` and escapes in quoted names. What is left out is refused, never
//! passed on unread.

mod field;
mod parse;
mod token;

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use ovn::nb::Family;
use thiserror::Error;

use parse::Node;
use token::{Constant, Form};

/// A text that is no expression, and where it stops being one.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("at character {}: {what}", .at + 1)]
pub struct SyntaxError {
    /// Byte where the trouble begins, counted from 0.
    pub at: usize,
    /// What is wrong there, and where it helps, what to write.
    pub what: String,
}

impl SyntaxError {
    fn new(at: usize, what: impl Into<String>) -> Self {
        Self { at, what: what.into() }
    }
}

/// What an expression names and somebody else has to define.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Name {
    /// `$name`, a set of addresses.
    AddressSet(String),
    /// `@name`, a group of ports.
    PortGroup(String),
    /// `"name"`, a port of the switch or router.
    Port(String),
}

/// An expression that OVN understands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expression {
    root: Node,
    fields: BTreeSet<String>,
    names: BTreeSet<Name>,
}

impl Expression {
    /// Reads an expression.
    ///
    /// # Errors
    /// Where and why the text is none.
    pub fn parse(text: &str) -> Result<Self, SyntaxError> {
        let parse::Parsed { root, fields, names } = parse::parse(text)?;
        Ok(Self { root, fields, names })
    }

    /// True when it asks about this field.
    pub fn asks_for(&self, field: &str) -> bool {
        self.fields.contains(field)
    }

    /// What it names and others define.
    pub fn names(&self) -> impl Iterator<Item = &Name> {
        self.names.iter()
    }

    /// True when a packet of this family may match, as far as fields tell.
    pub fn admits(&self, family: Family) -> bool {
        admits(&self.root, family)
    }

    /// Ranges one of which holds the destination of every packet that matches; `None` when any destination may match.
    pub fn destinations(&self) -> Option<Vec<IpNet>> {
        destinations(&self.root)
    }
}

fn admits(node: &Node, family: Family) -> bool {
    match node {
        Node::All(parts) => parts.iter().all(|part| admits(part, family)),
        Node::Any(parts) => parts.iter().any(|part| admits(part, family)),
        Node::Among { field, .. } => field::family(field).is_none_or(|of| of == family),
        Node::Of(of) => *of == family,
        Node::Other => true,
    }
}

fn destinations(node: &Node) -> Option<Vec<IpNet>> {
    match node {
        Node::All(parts) => parts.iter().find_map(destinations),
        Node::Any(parts) => {
            let each: Option<Vec<_>> = parts.iter().map(destinations).collect();
            each.map(|each| each.concat())
        }
        Node::Among { field, values } if field == "ip4.dst" || field == "ip6.dst" => {
            values.iter().map(range).collect()
        }
        Node::Among { .. } | Node::Of(_) | Node::Other => None,
    }
}

/// The range of an address with a mask that is a prefix.
fn range(constant: &Constant) -> Option<IpNet> {
    let (address, bits): (IpAddr, u32) = match constant.form {
        Form::V4 => (Ipv4Addr::from(u32::try_from(constant.value).ok()?).into(), 32),
        Form::V6 => (Ipv6Addr::from(constant.value).into(), 128),
        Form::Number | Form::Mac => return None,
    };
    let length = constant.mask.map_or(bits, u128::count_ones);
    let is_prefix = constant.mask.is_none_or(|mask| mask.trailing_zeros().min(bits) + length == bits);
    let length = u8::try_from(length).ok().filter(|_| is_prefix)?;
    IpNet::new(address, length).ok()
}

#[cfg(test)]
mod tests;
