//! The expressions of a rule: what the kernel's little machine can do.

use crate::key::{
    ByteOrder, Comparison, CtKey, Direction, FibResult, LimitUnit, LogLevel, MetaKey, NatKind, Protocol,
    Reject, SocketKey,
};
use crate::name::Name;
use crate::place::Place;
use crate::register::Register;
use crate::verdict::Verdict;

/// One step of a rule. A step that does not find what it asks for ends the rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expr {
    /// Loads what is known of the packet (`meta`).
    Meta {
        /// What.
        key: MetaKey,
        /// Where to.
        into: Register,
    },
    /// Sets mark or priority of the packet (`meta`).
    SetMeta {
        /// What.
        key: MetaKey,
        /// Where the new value is.
        from: Register,
    },
    /// Loads bytes of the packet (`payload`).
    Payload {
        /// Which.
        place: Place,
        /// Where to.
        into: Register,
    },
    /// Writes bytes of the packet (`payload`).
    SetPayload {
        /// Which.
        place: Place,
        /// Where the new ones are.
        from: Register,
        /// Offset of the internet checksum over the place, in the same header: 10 in IPv4, 16 in TCP.
        checksum: Option<u32>,
        /// Whether the place is an address, which the checksums of TCP and UDP count too.
        is_in_pseudo_header: bool,
    },
    /// Loads what is known of the packet's connection (`ct`).
    Ct {
        /// What.
        key: CtKey,
        /// Of which direction, for keys that have two values.
        direction: Option<Direction>,
        /// Where to.
        into: Register,
    },
    /// Sets the mark of the connection (`ct`).
    SetCt {
        /// What.
        key: CtKey,
        /// Where the new value is.
        from: Register,
    },
    /// Goes on if the comparison holds (`cmp`).
    Cmp {
        /// The left side.
        register: Register,
        /// How the sides are compared.
        comparison: Comparison,
        /// The right side; its length is the length compared.
        value: Vec<u8>,
    },
    /// Goes on if the value is in the range, or is not (`range`).
    Range {
        /// The value.
        register: Register,
        /// The smallest in the range.
        first: Vec<u8>,
        /// The greatest in the range.
        last: Vec<u8>,
        /// Whether to go on outside of it.
        is_inverted: bool,
    },
    /// `(from & mask) ^ xor` (`bitwise`).
    Bitwise {
        /// Where the value is.
        from: Register,
        /// Where the result goes.
        into: Register,
        /// Bits to keep.
        mask: Vec<u8>,
        /// Bits to turn over then; as long as `mask`.
        xor: Vec<u8>,
    },
    /// Turns the order of bytes (`byteorder`).
    ByteOrder {
        /// Where the value is.
        from: Register,
        /// Where the result goes.
        into: Register,
        /// Which way.
        order: ByteOrder,
        /// Bytes in all.
        len: u32,
        /// Bytes of one number: 2, 4 or 8.
        unit: u32,
    },
    /// Looks a key up in a set of the same table (`lookup`).
    Lookup {
        /// The set or map.
        set: Name,
        /// Where the key begins.
        key: Register,
        /// What then.
        found: Found,
    },
    /// Loads a constant (`immediate`).
    Immediate {
        /// The constant.
        value: Vec<u8>,
        /// Where to.
        into: Register,
    },
    /// Ends the rule with a verdict (`immediate`).
    Verdict(Verdict),
    /// Sends the frame out of a device, and no further here (`fwd`); in `netdev` tables.
    Forward {
        /// Where the device's index is.
        device: Register,
        /// Where the next hop's address is, if the kernel shall resolve its hardware address.
        neighbour: Option<(Register, Protocol)>,
    },
    /// Translates an address, a port or both, for the whole connection (`nat`).
    Nat {
        /// Source or destination.
        kind: NatKind,
        /// What `address` is.
        protocol: Protocol,
        /// Where the new addresses are.
        address: Option<RegisterRange>,
        /// Where the new ports are.
        port: Option<RegisterRange>,
        /// How to choose.
        flags: NatFlags,
    },
    /// Translates the source to the output device's address (`masq`).
    Masquerade {
        /// Where the new ports are.
        port: Option<RegisterRange>,
        /// How to choose.
        flags: NatFlags,
    },
    /// Drops and tells the sender (`reject`).
    Reject(Reject),
    /// Loads what is known of the packet's socket (`socket`).
    Socket {
        /// What.
        key: SocketKey,
        /// Where to.
        into: Register,
    },
    /// Loads the id of the socket's ancestor among cgroups v2: its directory's inode, 8 bytes in the machine's order
    /// (`socket`, Linux 5.13).
    CgroupV2 {
        /// Which ancestor: 1 is a child of the root.
        level: u32,
        /// Where to.
        into: Register,
    },
    /// Counts (`counter`). What was counted is no part of the comparison of rules.
    Counter {
        /// Packets so far.
        packets: u64,
        /// Bytes so far.
        bytes: u64,
    },
    /// Goes on while a rate is kept, or once it is exceeded (`limit`).
    Limit {
        /// How many.
        rate: u64,
        /// In how many seconds.
        seconds: u64,
        /// How many more at once; at least 1 for packets, as the kernel makes 5 of 0.
        burst: u32,
        /// Packets or bytes.
        unit: LimitUnit,
        /// Whether to go on above the rate.
        is_over: bool,
    },
    /// Hands the packet to a transparent listener of this machine (`tproxy`).
    TProxy {
        /// IPv4 or IPv6 only.
        protocol: Option<Protocol>,
        /// Where the listener's address is, if not the packet's own.
        address: Option<Register>,
        /// Where the listener's port is, if not the packet's own.
        port: Option<Register>,
    },
    /// Leaves the packet out of connection tracking (`notrack`).
    NoTrack,
    /// Asks the routing tables (`fib`).
    Fib {
        /// What for.
        result: FibResult,
        /// With what: bits such as [`Expr::FIB_SOURCE`].
        flags: u32,
        /// Where to.
        into: Register,
    },
    /// Writes a line to the kernel's log (`log`).
    Log {
        /// How the line begins.
        prefix: Name,
        /// How loud.
        level: LogLevel,
    },
    /// Sends the packet to the listeners of an nflog group (`log`).
    LogGroup {
        /// Said with each packet.
        prefix: Name,
        /// The group.
        group: u16,
    },
    /// Loads one of several numbers (`numgen`).
    Number {
        /// How many there are.
        modulus: u32,
        /// The smallest.
        offset: u32,
        /// At random, or by turns.
        is_random: bool,
        /// Where to, in the machine's order.
        into: Register,
    },
    /// An expression that is not used here, as found.
    Unknown {
        /// Its name (`NFTA_EXPR_NAME`).
        name: String,
        /// Its attributes (`NFTA_EXPR_DATA`).
        attributes: Vec<u8>,
    },
}

impl Expr {
    /// [`Expr::Fib`]: look up the source (`NFTA_FIB_F_SADDR`).
    pub const FIB_SOURCE: u32 = 1;
    /// [`Expr::Fib`]: look up the destination (`NFTA_FIB_F_DADDR`).
    pub const FIB_DESTINATION: u32 = 2;
    /// [`Expr::Fib`]: with the packet's mark (`NFTA_FIB_F_MARK`).
    pub const FIB_MARK: u32 = 4;
    /// [`Expr::Fib`]: only through the input device (`NFTA_FIB_F_IIF`).
    pub const FIB_INPUT: u32 = 8;
    /// [`Expr::Fib`]: only whether there is a route (`NFTA_FIB_F_PRESENT`).
    pub const FIB_PRESENT: u32 = 32;

    /// Loads a constant into the first register.
    pub fn constant(value: Vec<u8>) -> Self {
        Self::Immediate { value, into: Register::FIRST }
    }

    /// A counter that starts from zero.
    pub fn counter() -> Self {
        Self::Counter { packets: 0, bytes: 0 }
    }

    /// Whether both do the same; what they have counted is not asked.
    pub fn does_as(&self, other: &Self) -> bool {
        self == other || matches!((self, other), (Self::Counter { .. }, Self::Counter { .. }))
    }

    /// The set it looks into.
    pub(crate) fn set(&self) -> Option<&Name> {
        if let Self::Lookup { set, .. } = self { Some(set) } else { None }
    }
}

/// What a look-up does when the key is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// Goes on.
    GoOn,
    /// Ends the rule (`NFT_LOOKUP_F_INV`); it goes on when the key is not there.
    Stop,
    /// Loads the map's data and goes on.
    Load(Register),
    /// Obeys the map's verdict.
    Obey,
}

/// The registers of the smallest and the greatest value to choose from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RegisterRange {
    /// Where the smallest is.
    pub min: Register,
    /// Where the greatest is.
    pub max: Register,
}

impl From<Register> for RegisterRange {
    fn from(only: Register) -> Self {
        Self { min: only, max: only }
    }
}

/// How an address or port is chosen (`NF_NAT_RANGE_*` in linux/netfilter/nf_nat.h).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct NatFlags(pub(crate) u32);

impl NatFlags {
    /// The kernel's way: keep the port where possible.
    pub const NONE: Self = Self(0);
    /// A random port (`NF_NAT_RANGE_PROTO_RANDOM`).
    pub const RANDOM: Self = Self(1 << 2);
    /// The same client gets the same address (`NF_NAT_RANGE_PERSISTENT`).
    pub const PERSISTENT: Self = Self(1 << 3);
    /// A random port that nobody can guess (`NF_NAT_RANGE_PROTO_RANDOM_FULLY`).
    pub const FULLY_RANDOM: Self = Self(1 << 4);
    /// What follows from an address being given (`NF_NAT_RANGE_MAP_IPS`).
    const ADDRESS: u32 = 1;
    /// What follows from a port being given (`NF_NAT_RANGE_PROTO_SPECIFIED`).
    pub(crate) const PORT: u32 = 2;

    /// These bits and those of `other`.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(crate) fn from_number(number: u32) -> Self {
        Self(number & !(Self::ADDRESS | Self::PORT))
    }
}
