//! What is wrong with an object, or worth knowing about it: a stable reason for programs, a sentence for people.

use std::fmt;

/// The object that a finding is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Object {
    /// A `Vpc`.
    Vpc(String),
    /// A `Subnet`.
    Subnet(String),
    /// One port of a pod, by the name of its switch port.
    Port(String),
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Vpc(name) => write!(f, "Vpc {name}"),
            Self::Subnet(name) => write!(f, "Subnet {name}"),
            Self::Port(name) => write!(f, "port {name}"),
        }
    }
}

/// How much of the object a finding takes away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    /// The whole object is left out of the plan.
    Refused,
    /// A part of the object is left out; the rest works.
    PartLeftOut,
    /// Everything is planned, and does less than its author may think.
    Note,
}

macro_rules! reasons {
    ($($(#[doc = $doc:literal])+ $reason:ident,)+) => {
        /// Why. The words are a contract with whoever reads conditions: they never change and never alternate for one
        /// and the same state.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Reason {
            $($(#[doc = $doc])+ $reason,)+
        }

        impl Reason {
            /// Every reason.
            pub const ALL: &'static [Self] = &[$(Self::$reason,)+];

            /// The word in the condition.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$reason => stringify!($reason),)+
                }
            }
        }
    };
}

reasons! {
    /// The name cannot be that of an object.
    InvalidName,
    /// A Vpc and a Subnet share a name.
    NameTaken,
    /// Two ports would have one name.
    PortNameTaken,
    /// `cidrBlock` is empty, malformed or reserved.
    InvalidCidr,
    /// `gateway` is malformed or not a usable address of the subnet.
    InvalidGateway,
    /// Another subnet of the VPC has some of the addresses.
    CidrOverlap,
    /// The subnet contains the address that probes come from.
    ProbeAddressInside,
    /// The VPC does not exist.
    UnknownVpc,
    /// The VPC is itself refused.
    VpcRefused,
    /// The VPC does not admit a namespace of the subnet.
    NamespaceNotAdmitted,
    /// Subnets of a physical network are not served.
    VlanNotServed,
    /// The object is deleted, and waits for those that use it.
    InUse,
    /// A static route is malformed.
    InvalidRoute,
    /// A policy route is malformed.
    InvalidPolicy,
    /// A `match` is no expression that OVN understands.
    InvalidMatch,
    /// A `match` names an address set, port group or port that nothing here makes.
    UnknownName,
    /// A next hop is no host on a network of the router.
    NextHopNotConnected,
    /// A next hop is the router itself.
    NextHopIsRouter,
    /// Two rules contradict each other.
    Conflict,
    /// The same thing stands there twice.
    Duplicate,
    /// A peering is malformed.
    InvalidPeering,
    /// The VPC at the other end of a peering does not exist or has not declared it.
    PeeringOneSided,
    /// An ACL is malformed.
    InvalidAcl,
    /// `allowSubnets` has an entry that is no range.
    InvalidAllowSubnet,
    /// A DHCP or router advertisement option is malformed, or none of OVN's.
    InvalidOptions,
    /// `mtu` is no length that every packet of the subnet's families may have.
    InvalidMtu,
    /// A policy never acts, because its destinations lie inside the VPC.
    PolicyNeverActs,
    /// A route never acts.
    RouteNeverActs,
    /// A source route takes traffic between subnets away from them.
    RouteHidesSubnets,
    /// A field is accepted and does nothing here.
    FieldWithoutEffect,
    /// The port's subnet does not exist.
    UnknownSubnet,
    /// The port's subnet is itself refused.
    SubnetRefused,
    /// An address of the port is not one of its subnet.
    AddressOutsideSubnet,
    /// An address or MAC of the port is the gateway's.
    GatewayAddressTaken,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Something wrong with an object, or worth knowing about it.
///
/// Findings sort by object, gravest first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// The object.
    pub object: Object,
    /// What it takes away.
    pub effect: Effect,
    /// Why, in one word.
    pub reason: Reason,
    /// What is wrong and what to do, in one sentence.
    pub message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.object, self.reason, self.message)
    }
}

/// A reason with its message, before it is known whose it is and what it takes away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) reason: Reason,
    pub(crate) message: String,
}

impl Fault {
    pub(crate) fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self { reason, message: message.into() }
    }

    /// The same, with what it is about in front.
    pub(crate) fn about(mut self, what: impl fmt::Display) -> Self {
        self.message = format!("{what}: {}", self.message);
        self
    }
}

/// The findings about one object.
#[derive(Debug)]
pub(crate) struct Findings {
    object: Object,
    pub(crate) list: Vec<Finding>,
}

impl Findings {
    pub(crate) fn about(object: Object) -> Self {
        Self { object, list: Vec::new() }
    }

    pub(crate) fn add(&mut self, effect: Effect, fault: Fault) {
        let Fault { reason, message } = fault;
        self.list.push(Finding { object: self.object.clone(), effect, reason, message });
    }

    pub(crate) fn note(&mut self, reason: Reason, message: impl Into<String>) {
        self.add(Effect::Note, Fault::new(reason, message));
    }

    /// The accepted part; a fault is noted as a part left out.
    pub(crate) fn keep<T>(&mut self, part: Result<T, Fault>) -> Option<T> {
        part.map_err(|fault| self.add(Effect::PartLeftOut, fault)).ok()
    }

    /// The accepted object; a fault refuses it.
    pub(crate) fn require<T>(&mut self, whole: Result<T, Fault>) -> Option<T> {
        whole.map_err(|fault| self.add(Effect::Refused, fault)).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_of_one_object_sort_by_gravity() {
        let mut findings = Findings::about(Object::Vpc("a".into()));
        findings.note(Reason::InvalidName, "n");
        findings.add(Effect::Refused, Fault::new(Reason::PolicyNeverActs, "r"));
        findings.list.sort();
        assert_eq!(findings.list[0].effect, Effect::Refused);
        assert_eq!(findings.list[0].to_string(), "Vpc a: PolicyNeverActs: r");
    }
}
