//! Transmit checksum offload of a link: `ethtool -K DEV tx on|off`.
//!
//! OVS's userspace datapath takes frames as they are; a pod that leaves checksums to hardware there gets no TCP.

use std::ffi::{c_char, c_int};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

use crate::error::Error;
use crate::handle::Handle;
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

impl Handle {
    /// Turns transmit checksum offload of the link `name` on or off. Safe to repeat.
    ///
    /// # Errors
    /// [`Error::BadName`], or [`Error::Io`] with the kernel's reason.
    pub fn set_tx_checksum(&self, name: &str, is_on: bool) -> Result<(), Error> {
        let verb = if is_on { "on" } else { "off" };
        let value = EthtoolValue { command: SET_TX_CHECKSUM, data: is_on.into() };
        self.ask_driver(name, value, || format!("turn tx checksum offload of {name} {verb}")).map(drop)
    }

    /// Whether the link `name` leaves checksums to hardware when it sends.
    ///
    /// # Errors
    /// As [`Handle::set_tx_checksum`].
    pub fn tx_checksum(&self, name: &str) -> Result<bool, Error> {
        let value = EthtoolValue { command: GET_TX_CHECKSUM, data: 0 };
        Ok(self.ask_driver(name, value, || format!("read tx checksum offload of {name}"))? != 0)
    }

    fn ask_driver(
        &self,
        name: &str,
        value: EthtoolValue,
        attempt: impl Fn() -> String,
    ) -> Result<u32, Error> {
        let name = ifname::checked(name)?;
        ioctl(self.as_fd(), name, value).map_err(|source| Error::Io { attempt: attempt(), source })
    }
}

/// Any socket serves: the kernel looks for the link in the socket's own namespace.
fn ioctl(any: BorrowedFd<'_>, name: &str, mut value: EthtoolValue) -> io::Result<u32> {
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
