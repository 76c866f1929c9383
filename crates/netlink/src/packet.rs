//! A non-blocking packet socket (packet(7)): whole frames on one interface of the namespace it is opened in.

use std::io;
use std::mem::size_of_val;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use libc::{c_int, c_void, socklen_t};
use nix::sys::socket::{AddressFamily, MsgFlags, SockFlag, SockType, recv, send, socket};

/// `PACKET_IGNORE_OUTGOING` in linux/if_packet.h, since Linux 4.20.
const IGNORE_OUTGOING: c_int = 23;

/// A packet socket. It receives nothing until [`PacketSocket::receive_all`].
#[derive(Debug)]
pub(crate) struct PacketSocket(OwnedFd);

impl PacketSocket {
    /// Opens a socket for sending on the interface `index`. Protocol 0: the kernel shows it no packet at all.
    pub(crate) fn open(index: u32) -> io::Result<Self> {
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        let this = Self(socket(AddressFamily::Packet, SockType::Raw, flags, None)?);
        this.bind(index, 0)?;
        Ok(this)
    }

    /// Starts to receive what passes `filter`, in every protocol, on the interface `index`.
    pub(crate) fn receive_all(&self, index: u32, filter: &[libc::sock_filter]) -> io::Result<()> {
        // Without it the kernel clones every packet this interface sends, only to have the filter drop it.
        self.set(libc::SOL_PACKET, IGNORE_OUTGOING, &(1 as c_int))?;
        let program = libc::sock_fprog { len: narrow(filter.len())?, filter: filter.as_ptr().cast_mut() };
        self.set(libc::SOL_SOCKET, libc::SO_ATTACH_FILTER, &program)?;
        self.bind(index, narrow(libc::ETH_P_ALL)?)
    }

    /// Sends one whole frame.
    pub(crate) fn send(&self, frame: &[u8]) -> io::Result<()> {
        send(self.0.as_raw_fd(), frame, MsgFlags::empty())?;
        Ok(())
    }

    /// Reads one frame, cut to `buffer`; says how many bytes of it were read.
    pub(crate) fn receive(&self, buffer: &mut [u8]) -> io::Result<usize> {
        Ok(recv(self.0.as_raw_fd(), buffer, MsgFlags::empty())?)
    }

    fn bind(&self, index: u32, protocol: u16) -> io::Result<()> {
        let address = libc::sockaddr_ll {
            sll_family: narrow(libc::AF_PACKET)?,
            sll_protocol: protocol.to_be(),
            sll_ifindex: narrow(index)?,
            sll_hatype: 0,
            sll_pkttype: 0,
            sll_halen: 0,
            sll_addr: [0; 8],
        };
        let len: socklen_t = narrow(size_of_val(&address))?;
        // SAFETY: `address` is an initialised sockaddr_ll that lives over the call and `len` is its size; the kernel
        // only reads it.
        let outcome = unsafe { libc::bind(self.0.as_raw_fd(), (&raw const address).cast(), len) };
        checked(outcome)
    }

    fn set<T>(&self, level: c_int, option: c_int, value: &T) -> io::Result<()> {
        let len: socklen_t = narrow(size_of_val(value))?;
        let value: *const c_void = std::ptr::from_ref(value).cast();
        // SAFETY: `value` points to `len` bytes that live over the call; the kernel only reads them, and,
        // for SO_ATTACH_FILTER, copies the program that the caller's live slice holds.
        let outcome = unsafe { libc::setsockopt(self.0.as_raw_fd(), level, option, value, len) };
        checked(outcome)
    }
}

impl AsFd for PacketSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl From<PacketSocket> for OwnedFd {
    fn from(socket: PacketSocket) -> Self {
        socket.0
    }
}

fn checked(outcome: c_int) -> io::Result<()> {
    if outcome < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// The same number in the width the kernel takes it in.
fn narrow<T, U: TryFrom<T>>(number: T) -> io::Result<U> {
    U::try_from(number).map_err(|_| io::ErrorKind::InvalidInput.into())
}
