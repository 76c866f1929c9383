//! The keys of pod annotations and of labels: the only place that knows them.

use std::collections::BTreeMap;

/// The provider of the default network.
const DEFAULT_PROVIDER: &str = "ovn";
/// The interface that the runtime's default network makes.
const DEFAULT_IFNAME: &str = "eth0";
const DOMAIN: &str = "kubernetes.io";

/// Label of an `IP`: `true` when a person keeps the address, `false` when a pod holds it.
pub const LABEL_IP_RESERVED: &str = "ovn.kubernetes.io/ip_reserved";
/// Label of an `IP`: the node of the pod.
pub const LABEL_NODE_NAME: &str = "ovn.kubernetes.io/node-name";
/// Label of an `IP`: the subnet.
pub const LABEL_SUBNET: &str = "ovn.kubernetes.io/subnet";

macro_rules! keys {
    ($($(#[doc = $doc:literal])+ $key:ident = $text:literal,)+) => {
        /// What a pod annotation says about one interface, whatever its prefix.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Key {
            $($(#[doc = $doc])+ $key,)+
        }

        impl Key {
            /// Every key.
            pub const ALL: &'static [Self] = &[$(Self::$key,)+];

            /// The text after the slash.
            pub const fn text(self) -> &'static str {
                match self {
                    $(Self::$key => $text,)+
                }
            }
        }
    };
}

keys! {
    /// `v4`, `v6` or `v4,v6`.
    IpAddress = "ip_address",
    /// One MAC.
    MacAddress = "mac_address",
    /// `a;b;c` or `a,b,c`; items may be `v4,v6`. Also the name of an IPPool object.
    IpPool = "ip_pool",
    /// `ipv4` or `ipv6`: only this family of a dual-stack subnet.
    IpFamily = "ip_family",
    /// The subnet.
    LogicalSwitch = "logical_switch",
    /// The subnet's CIDR, in the form of the addresses.
    Cidr = "cidr",
    /// The gateway, in the form of the addresses.
    Gateway = "gateway",
    /// `true`: the default route goes through this interface.
    DefaultRoute = "default_route",
    /// More routes, a JSON list of `{"dst":…,"gw":…}`.
    Routes = "routes",
    /// Traffic into the pod, Mbit/s.
    IngressRate = "ingress_rate",
    /// Traffic out of the pod, Mbit/s.
    EgressRate = "egress_rate",
    /// Burst into the pod, Mbit.
    IngressBurst = "ingress_burst",
    /// Burst out of the pod, Mbit.
    EgressBurst = "egress_burst",
    /// Delay, in milliseconds.
    Latency = "latency",
    /// Variation of the delay, in milliseconds.
    Jitter = "jitter",
    /// Queue limit, in packets.
    Limit = "limit",
    /// Loss, in percent.
    Loss = "loss",
    /// `false`: the pod may send from any address, because it forwards the traffic of others.
    PortSecurity = "port_security",
    /// `80,8080`: the TCP ports that the kubelet probes. Ours, for hosts without an API server, where nobody else
    /// tells what is probed.
    ProbePorts = "probe_ports",
    /// `true`: copy the traffic to the mirror interface.
    Mirror = "mirror",
    /// `true` when the controller has chosen the addresses.
    Allocated = "allocated",
    /// `true` when the controller has made the routes.
    Routed = "routed",
    /// The virtual machine that the pod belongs to.
    VirtualMachine = "virtualmachine",
    /// The physical network of a vlan subnet.
    ProviderNetwork = "provider_network",
    /// `veth-pair`, `sriov`, ….
    PodNicType = "pod_nic_type",
    /// Which of two live-migration sides is active.
    ActivationStrategy = "activation_strategy",
    /// `StatefulSet` or `VirtualMachine`: the addresses outlive the pod. Ours, for hosts without an API server,
    /// where nobody else tells who owns the pod.
    PodType = "pod_type",
}

impl Key {
    /// True for the keys that upstream reads under the plain provider even in per-interface mode.
    const fn is_plain_only(self) -> bool {
        matches!(
            self,
            Self::Routes
                | Self::PodNicType
                | Self::DefaultRoute
                | Self::Routed
                | Self::ActivationStrategy
                | Self::Mirror
        )
    }

    /// The keys that ask for something nobody here does.
    const UNHEEDED: &'static [Self] = &[Self::Latency, Self::Jitter, Self::Limit, Self::Loss, Self::Mirror];

    /// True for the keys that can be right for one interface only.
    const fn is_identity(self) -> bool {
        matches!(self, Self::IpAddress | Self::MacAddress | Self::IpPool | Self::Allocated)
    }
}

/// An annotation that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found<'a> {
    /// The whole key, for messages.
    pub key: &'a str,
    /// The value without surrounding white space; never empty.
    pub value: &'a str,
}

/// The annotations of a pod as one interface sees them.
///
/// For a provider `P` and an interface `I`:
///
/// * `P.kubernetes.io/<key>` holds for every interface of `P`.
/// * When `P.I.kubernetes.io/ip_address` is present, even empty, `P.I.kubernetes.io/<key>` comes first: one pod uses
///   the network several times. Addresses, MAC and pool then have no other source; other keys fall back to `P`'s.
/// * `<nad>.<namespace>.kubernetes.io/ip_address.I` pins the addresses of `I` before all of these.
/// * `eth0` of a provider other than `ovn`, with no key of `P` at all, reads `ovn.kubernetes.io/<key>`: a standalone
///   pod with a single network, whose author wrote the guide's keys.
///
/// An empty value is the same as none.
#[derive(Debug, Clone)]
pub struct PodAnnotations<'a> {
    annotations: &'a BTreeMap<String, String>,
    ifname: &'a str,
    /// The provider whose plain keys are read.
    plain: &'a str,
    /// The provider and interface, when that form is in use.
    per_interface: Option<String>,
}

impl<'a> PodAnnotations<'a> {
    /// Looks at `annotations` from the interface `ifname` of `provider` (empty means `ovn`).
    pub fn new(annotations: &'a BTreeMap<String, String>, provider: &'a str, ifname: &'a str) -> Self {
        let provider = if provider.is_empty() { DEFAULT_PROVIDER } else { provider };
        let own = format!("{provider}.{ifname}");
        let is_per_interface = annotations.contains_key(&key_of(&own, Key::IpAddress));
        let is_guest_of_default = ifname == DEFAULT_IFNAME
            && provider != DEFAULT_PROVIDER
            && !annotations.keys().any(|key| is_of_provider(key, provider));
        Self {
            annotations,
            ifname,
            plain: if is_guest_of_default { DEFAULT_PROVIDER } else { provider },
            per_interface: is_per_interface.then_some(own),
        }
    }

    /// The value of `key`, trimmed; `None` when absent or empty.
    pub fn get(&self, key: Key) -> Option<&'a str> {
        self.found(key).map(|found| found.value)
    }

    /// The value of `key` with the annotation that says so.
    pub fn found(&self, key: Key) -> Option<Found<'a>> {
        if key == Key::IpAddress
            && let Some(pin) = self.look_up(&pin_of(self.plain, self.ifname))
        {
            return Some(pin);
        }
        let Some(own) = self.per_interface.as_deref().filter(|_| !key.is_plain_only()) else {
            return self.look_up(&key_of(self.plain, key));
        };
        let found = self.look_up(&key_of(own, key));
        if key.is_identity() { found } else { found.or_else(|| self.look_up(&key_of(self.plain, key))) }
    }

    /// The annotations for this interface that nobody here acts on.
    pub fn unheeded(&self) -> impl Iterator<Item = Found<'a>> {
        Key::UNHEEDED.iter().filter_map(|key| self.found(*key)).filter(|found| found.value != "false")
    }

    /// Whether the pod's author told the interfaces of this network apart: it is used several times.
    pub fn is_per_interface(&self) -> bool {
        self.per_interface.is_some()
    }

    /// The annotation that a person would write to set `key` for this interface.
    pub fn name(&self, key: Key) -> String {
        match self.per_interface.as_deref().filter(|_| !key.is_plain_only()) {
            Some(own) => key_of(own, key),
            None => key_of(self.plain, key),
        }
    }

    fn look_up(&self, key: &str) -> Option<Found<'a>> {
        let (key, value) = self.annotations.get_key_value(key)?;
        let value = value.trim();
        (!value.is_empty()).then_some(Found { key, value })
    }
}

fn key_of(prefix: &str, key: Key) -> String {
    format!("{prefix}.{DOMAIN}/{}", key.text())
}

/// The pin of one interface. It names the attachment, without the `.ovn` of an OVN provider.
fn pin_of(provider: &str, ifname: &str) -> String {
    let attachment = provider.strip_suffix(".ovn").unwrap_or(provider);
    format!("{attachment}.{DOMAIN}/{}.{ifname}", Key::IpAddress.text())
}

/// True for keys in any of the forms of `provider`.
fn is_of_provider(key: &str, provider: &str) -> bool {
    let Some((prefix, _)) = key.split_once('/') else { return false };
    let Some(prefix) = prefix.strip_suffix(DOMAIN).and_then(|p| p.strip_suffix('.')) else { return false };
    prefix == provider
        || provider.strip_suffix(".ovn") == Some(prefix)
        || prefix.strip_prefix(provider).is_some_and(|rest| rest.starts_with('.'))
}

#[cfg(test)]
mod tests;
