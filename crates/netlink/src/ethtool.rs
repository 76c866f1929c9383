//! Transmit checksum offload of a link: `ethtool -K DEV tx on|off`.
//!
//! OVS's userspace datapath takes frames as they are; a pod that leaves checksums to hardware there gets no TCP.

use std::ffi::{c_char, c_int};
use std::io;
use std::os::fd::AsRawFd;

use nix::sys::socket::{AddressFamily, SockFlag, SockType, socket};

use crate::error::Error;
use crate::ifname;

/// `ETHTOOL_GTXCSUM` in linux/ethtool.h.
const GET_TX_CHECKSUM: u32 = 0x16;
/// `ETHTOOL_STXCSUM` in linux/ethtool.h.
const SET_TX_CHECKSUM: u32 = 0x17;

/// `struct ethtool_value` in linux/ethtool.h.
#[repr(C)]
struct EthtoolValue {
    command: u32,
    data: u32,
}

/// Turns transmit checksum offload of the link `name` of the calling thread's namespace on or off. Safe to repeat.
///
/// # Errors
/// [`Error::BadName`], or [`Error::Io`] with the kernel's reason.
pub fn set_tx_checksum(name: &str, is_on: bool) -> Result<(), Error> {
    let verb = if is_on { "on" } else { "off" };
    ask(name, EthtoolValue { command: SET_TX_CHECKSUM, data: is_on.into() }, || {
        format!("turn tx checksum offload of {name} {verb}")
    })?;
    Ok(())
}

/// Whether the link `name` of the calling thread's namespace leaves checksums to hardware when it sends.
///
/// # Errors
/// As [`set_tx_checksum`].
pub fn tx_checksum(name: &str) -> Result<bool, Error> {
    let value = EthtoolValue { command: GET_TX_CHECKSUM, data: 0 };
    Ok(ask(name, value, || format!("read tx checksum offload of {name}"))? != 0)
}

fn ask(name: &str, value: EthtoolValue, attempt: impl Fn() -> String) -> Result<u32, Error> {
    let name = ifname::checked(name)?;
    ioctl(name, value).map_err(|source| Error::Io { attempt: attempt(), source })
}

fn ioctl(name: &str, mut value: EthtoolValue) -> io::Result<u32> {
    // Any socket of the namespace serves; the kernel finds the link by the request's name.
    let any = socket(AddressFamily::Inet, SockType::Datagram, SockFlag::SOCK_CLOEXEC, None)?;
    let mut request = libc::ifreq {
        ifr_name: [0; libc::IFNAMSIZ],
        ifr_ifru: libc::__c_anonymous_ifr_ifru { ifru_data: (&raw mut value).cast() },
    };
    for (to, from) in request.ifr_name.iter_mut().zip(name.bytes()) {
        *to = c_char::from_ne_bytes([from]);
    }
    // SAFETY: `request` is an initialised ifreq whose name is NUL-terminated (checked to 15 bytes) and whose data
    // points to an ethtool_value; both live over the call and the kernel writes at most that value.
    let outcome: c_int = unsafe { libc::ioctl(any.as_raw_fd(), libc::SIOCETHTOOL as _, &raw mut request) };
    if outcome < 0 { Err(io::Error::last_os_error()) } else { Ok(value.data) }
}
