//! New links that are born inside the namespace they are for: macvlan and veth.

use std::os::fd::{AsFd, AsRawFd};
use std::sync::atomic::{AtomicU32, Ordering};

use netlink_packet_core::{NLM_F_CREATE, NLM_F_EXCL};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::link::{
    AfSpecInet6, AfSpecUnspec, In6AddrGenMode, InfoData, InfoKind, InfoMacVlan, InfoVeth, LinkAttribute,
    LinkFlags, LinkInfo, LinkMessage, MacVlanMode,
};

use crate::errno::Errno;
use crate::error::Error;
use crate::frame::Mac;
use crate::handle::Handle;
use crate::ifname;
use crate::link::message;
use crate::netns::Netns;
use crate::request::Request;

/// How the macvlans on one parent reach each other (ip-link(8), "MACVLAN/MACVTAP Type Support").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MacvlanMode {
    /// Directly.
    Bridge,
    /// Not at all.
    Private,
    /// Through the switch outside, which must reflect.
    Vepa,
    /// One macvlan that takes the parent over, and its MAC: [`Macvlan::mac`] is ignored by the kernel.
    Passthru,
}

impl From<MacvlanMode> for MacVlanMode {
    fn from(mode: MacvlanMode) -> Self {
        match mode {
            MacvlanMode::Bridge => Self::Bridge,
            MacvlanMode::Private => Self::Private,
            MacvlanMode::Vepa => Self::Vepa,
            MacvlanMode::Passthru => Self::Passthrough,
        }
    }
}

/// A macvlan to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Macvlan<'a> {
    /// Its name in the target namespace.
    pub name: &'a str,
    /// The lower device, an ifindex in the [`Handle`]'s namespace.
    pub parent_index: u32,
    /// How it reaches its siblings.
    pub mode: MacvlanMode,
    /// Its hardware address. Two on one parent may have the same, but only one of them can be up: raising the other
    /// is [`crate::Errno::Busy`]. The kernel removes a dead namespace's links some time after its last user is gone.
    pub mac: Mac,
    /// Bytes, at most the parent's; `None` for the parent's.
    pub mtu: Option<u32>,
}

/// A veth pair to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Veth<'a> {
    /// Name of the end in the [`Handle`]'s namespace; it comes up at once, without ARP and IPv6 addresses.
    pub host_name: &'a str,
    /// Name of the end in the target namespace; it is down until [`Handle::configure`].
    pub pod_name: &'a str,
    /// Hardware address of the pod's end.
    pub pod_mac: Mac,
    /// Bytes, for both ends; `None` for the kernel's 1500.
    pub mtu: Option<u32>,
    /// The host's end takes frames for every address, which a bridge in user space wants. A bridge that has to ask for
    /// it tells everybody who follows links once more, and Open vSwitch then looks at all its ports again.
    pub is_host_promiscuous: bool,
}

impl Handle {
    /// Makes a macvlan directly inside `into`, down: it never exists in this namespace.
    ///
    /// # Errors
    /// [`crate::Errno::Exists`] when the name is taken in `into`, [`crate::Errno::NotFound`] when the parent is gone,
    /// [`crate::Errno::Busy`] when the parent is taken over by a passthru macvlan or serves a bridge.
    pub fn add_macvlan(&self, macvlan: &Macvlan<'_>, into: &Netns) -> Result<(), Error> {
        match self.request(&macvlan_request(macvlan, ifname::checked(macvlan.name)?, into)) {
            Err(refusal) if refusal.is_exists() => self.add_macvlan_renamed(macvlan, into, refusal),
            outcome => outcome,
        }
    }

    /// Makes a veth pair whose pod end is born inside `into`. `ip link add HOST up type veth peer POD netns …`
    ///
    /// The host's end gets no link-local address, by which the pod could speak to the host past any bridge.
    ///
    /// # Errors
    /// [`crate::Errno::Exists`] when either name is taken where it is to be.
    pub fn add_veth(&self, veth: &Veth<'_>, into: &Netns) -> Result<(), Error> {
        let (host_name, pod_name) = (ifname::checked(veth.host_name)?, ifname::checked(veth.pod_name)?);
        let attempt = format!("create veth {host_name} with {pod_name} in {}", into.path().display());
        // IFF_UP on the peer here is ENOTCONN: the pair is not joined yet.
        let mut peer = new_link(pod_name, veth.mtu);
        peer.attributes.push(LinkAttribute::NetNsFd(into.as_fd().as_raw_fd()));
        peer.attributes.push(LinkAttribute::Address(veth.pod_mac.to_vec()));
        let mut host = new_link(host_name, veth.mtu);
        // Without ARP the machine answers nobody there for its own addresses: only the bridge speaks to the pod.
        host.header.flags = LinkFlags::Up | LinkFlags::Noarp;
        host.header.flags.set(LinkFlags::Promisc, veth.is_host_promiscuous);
        host.header.change_mask = host.header.flags;
        host.attributes.push(LinkAttribute::LinkInfo(vec![
            LinkInfo::Kind(InfoKind::Veth),
            LinkInfo::Data(InfoData::Veth(InfoVeth::Peer(peer))),
        ]));
        self.request(&exclusive(attempt, host))?;
        // It cannot be said when the link is made, and is not too late: a link whose other end is down makes no address.
        match self.request(&without_addresses(host_name)) {
            // No IPv6 on this machine, or on a link of this MTU: no addresses either.
            Err(error) if error.errno() == Some(Errno::NotSupported) => Ok(()),
            Err(error) => {
                // Its reason is the one to report; what cannot be removed goes with the pod's namespace.
                let _ = self.link(host_name).map(|link| link.map(|link| self.delete_link(link.index)));
                Err(error)
            }
            Ok(()) => Ok(()),
        }
    }

    /// Kernels before 6.14 look for the new name in the *sender's* namespace ("rtnetlink: Lookup device in target
    /// netns when creating link"), so a host with an `eth0` could make none for a pod. There it is born under a name
    /// nobody has and renamed inside.
    fn add_macvlan_renamed(&self, macvlan: &Macvlan<'_>, into: &Netns, refusal: Error) -> Result<(), Error> {
        let inside = Self::inside(into)?;
        if inside.link(macvlan.name)?.is_some() {
            return Err(refusal);
        }
        let passing_name = passing_name();
        self.request(&macvlan_request(macvlan, &passing_name, into))?;
        let Some(link) = inside.link(&passing_name)? else { return Err(refusal) };
        let outcome = inside.request(&rename(link.index, macvlan.name));
        if outcome.is_err() {
            // The rename's reason is the one to report; a link that cannot be removed goes with its namespace.
            let _ = inside.delete_link(link.index);
        }
        outcome
    }
}

fn macvlan_request(macvlan: &Macvlan<'_>, name: &str, into: &Netns) -> Request {
    let attempt =
        format!("create macvlan {name} on link {} in {}", macvlan.parent_index, into.path().display());
    let mut message = new_link(name, macvlan.mtu);
    message.attributes.extend([
        LinkAttribute::Link(macvlan.parent_index),
        LinkAttribute::NetNsFd(into.as_fd().as_raw_fd()),
        LinkAttribute::Address(macvlan.mac.to_vec()),
        LinkAttribute::LinkInfo(vec![
            LinkInfo::Kind(InfoKind::MacVlan),
            LinkInfo::Data(InfoData::MacVlan(vec![InfoMacVlan::Mode(macvlan.mode.into())])),
        ]),
    ]);
    exclusive(attempt, message)
}

fn new_link(name: &str, mtu: Option<u32>) -> LinkMessage {
    let mut message = message(0);
    message.attributes.push(LinkAttribute::IfName(name.into()));
    message.attributes.extend(mtu.map(LinkAttribute::Mtu));
    message
}

fn exclusive(attempt: String, message: LinkMessage) -> Request {
    Request::change(attempt, NLM_F_CREATE | NLM_F_EXCL, RouteNetlinkMessage::NewLink(message))
}

/// `ip link set NAME addrgenmode none`
fn without_addresses(name: &str) -> Request {
    let mut message = message(0);
    let no_addresses = AfSpecInet6::AddrGenMode(In6AddrGenMode::None);
    message.attributes.extend([
        LinkAttribute::IfName(name.into()),
        LinkAttribute::AfSpecUnspec(vec![AfSpecUnspec::Inet6(vec![no_addresses])]),
    ]);
    let attempt = format!("keep {name} without addresses");
    Request::change(attempt, 0, RouteNetlinkMessage::SetLink(message))
}

fn rename(index: u32, name: &str) -> Request {
    let mut message = message(index);
    message.attributes.push(LinkAttribute::IfName(name.into()));
    Request::change(format!("rename link {index} to {name}"), 0, RouteNetlinkMessage::SetLink(message))
}

/// A name no two calls on this node share: process and counter, at most 15 bytes.
fn passing_name() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("ko{:x}.{:x}", std::process::id() & 0xff_ffff, NEXT.fetch_add(1, Ordering::Relaxed) & 0xff_ffff)
}

#[cfg(test)]
mod tests;
