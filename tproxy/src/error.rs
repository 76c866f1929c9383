//! Why probes cannot be carried.

use std::net::IpAddr;

use netlink::sysctl::SysctlError;
use thiserror::Error;

use crate::target::PodKey;

/// A text that no network device has for a name: 1 to 15 bytes without NUL.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{text:?} is not the name of a network device")]
pub struct BadDevice {
    /// The text, cut to 80 characters.
    pub text: String,
}

/// What was attempted on the kernel and did not succeed. Trying again helps where the kernel was short of something;
/// it never harms.
#[derive(Debug, Error)]
pub enum Error {
    /// The node's network could not be read or changed; the cause names the attempt.
    #[error("carry probes: the kernel's network stack")]
    Kernel(#[from] netlink::Error),
    /// The node's network namespace could not be entered.
    #[error("carry probes: the node's network namespace")]
    Netns(#[from] netlink::NetnsError),
    /// A setting of the probe links could not be read or written.
    #[error("carry probes: a setting of the probe links")]
    Sysctl(#[from] SysctlError),
    /// A link of ours is somebody else's.
    #[error("carry probes: link {name} is there and not ours; remove or rename it")]
    Taken {
        /// Its name.
        name: &'static str,
    },
    /// A link of ours was removed while it was being set up.
    #[error("carry probes: link {name} vanished while it was set up")]
    Vanished {
        /// Its name.
        name: &'static str,
    },
    /// A pod's device is not there, so its probes cannot be carried yet.
    #[error("carry probes of pod {pod}: there is no device {device}")]
    NoDevice {
        /// Whose device.
        pod: PodKey,
        /// Its name.
        device: String,
    },
    /// The kernel has no `fwd` for nftables (`CONFIG_NFT_FWD_NETDEV`), without which nothing can be carried.
    #[error("carry probes: this kernel cannot forward frames from nftables (CONFIG_NFT_FWD_NETDEV)")]
    NoForward {
        /// Its refusal.
        source: netlink::Error,
    },
    /// A probe address is a node's own, or none that a host can have.
    #[error("carry probes: {ip} cannot be the probe address: {reason}")]
    BadProbeAddress {
        /// The address.
        ip: IpAddr,
        /// Why not.
        reason: &'static str,
    },
}
