//! The kernel's enumerations that expressions speak in.

use crate::number::numbered;

numbered! {
    /// What is known of a packet beside its bytes (`enum nft_meta_keys`). Numbers are in the machine's order.
    MetaKey {
        /// Length, 4 bytes (`NFT_META_LEN`).
        Length = 0,
        /// Ethertype, 2 bytes in network order (`NFT_META_PROTOCOL`).
        EtherType = 1,
        /// Queueing class, 4 bytes (`NFT_META_PRIORITY`).
        Priority = 2,
        /// Mark, 4 bytes (`NFT_META_MARK`).
        Mark = 3,
        /// Index of the device it came by, 4 bytes (`NFT_META_IIF`).
        InputIndex = 4,
        /// Index of the device it leaves by, 4 bytes (`NFT_META_OIF`).
        OutputIndex = 5,
        /// Name of the device it came by, 16 bytes (`NFT_META_IIFNAME`).
        InputName = 6,
        /// Name of the device it leaves by, 16 bytes (`NFT_META_OIFNAME`).
        OutputName = 7,
        /// Hardware type of the device it came by, `ARPHRD_*`, 2 bytes (`NFT_META_IIFTYPE`).
        InputType = 8,
        /// Uid of the socket that sent it, 4 bytes; none for a closed socket (`NFT_META_SKUID`).
        SocketUid = 10,
        /// IPv4 or IPv6, 1 byte (`NFT_META_NFPROTO`, see [`Protocol`]).
        NetworkProtocol = 15,
        /// TCP, UDP, …, 1 byte (`NFT_META_L4PROTO`).
        L4Protocol = 16,
    }
}

impl MetaKey {
    /// Length in bytes.
    pub fn byte_len(self) -> u32 {
        match self {
            Self::NetworkProtocol | Self::L4Protocol => 1,
            Self::EtherType | Self::InputType => 2,
            Self::InputName | Self::OutputName => 16,
            Self::Length
            | Self::Priority
            | Self::Mark
            | Self::InputIndex
            | Self::OutputIndex
            | Self::SocketUid => 4,
        }
    }
}

numbered! {
    /// What is known of a packet's connection (`enum nft_ct_keys`).
    CtKey {
        /// Bits of [`CtKey::NEW`] and its like, 4 bytes in the machine's order (`NFT_CT_STATE`).
        State = 0,
        /// 0 from who began it, 1 answers, 1 byte (`NFT_CT_DIRECTION`).
        Direction = 1,
        /// Bits of `enum ip_conntrack_status`, such as [`CtKey::IS_DNAT`], 4 bytes (`NFT_CT_STATUS`).
        Status = 2,
        /// Mark, 4 bytes in the machine's order (`NFT_CT_MARK`).
        Mark = 3,
        /// Transport protocol, 1 byte; with a direction (`NFT_CT_PROTOCOL`).
        Protocol = 10,
        /// Source port, 2 bytes; with a direction (`NFT_CT_PROTO_SRC`).
        SourcePort = 11,
        /// Destination port, 2 bytes; with a direction (`NFT_CT_PROTO_DST`).
        DestinationPort = 12,
        /// IPv4 source; with a direction (`NFT_CT_SRC_IP`).
        SourceIpv4 = 19,
        /// IPv4 destination; with a direction (`NFT_CT_DST_IP`).
        DestinationIpv4 = 20,
        /// IPv6 source; with a direction (`NFT_CT_SRC_IP6`).
        SourceIpv6 = 21,
        /// IPv6 destination; with a direction (`NFT_CT_DST_IP6`).
        DestinationIpv6 = 22,
    }
}

impl CtKey {
    /// [`CtKey::State`]: belongs to no connection (`NF_CT_STATE_INVALID_BIT`).
    pub const INVALID: u32 = 1;
    /// [`CtKey::State`]: of a connection that was answered.
    pub const ESTABLISHED: u32 = 2;
    /// [`CtKey::State`]: about another connection, such as an ICMP error.
    pub const RELATED: u32 = 4;
    /// [`CtKey::State`]: begins a connection.
    pub const NEW: u32 = 8;
    /// [`CtKey::State`]: not tracked.
    pub const UNTRACKED: u32 = 64;
    /// [`CtKey::Status`]: the source is translated (`IPS_SRC_NAT`).
    pub const IS_SNAT: u32 = 16;
    /// [`CtKey::Status`]: the destination is translated (`IPS_DST_NAT`).
    pub const IS_DNAT: u32 = 32;

    /// Length in bytes.
    pub fn byte_len(self) -> u32 {
        match self {
            Self::Direction | Self::Protocol => 1,
            Self::SourcePort | Self::DestinationPort => 2,
            Self::State | Self::Status | Self::Mark | Self::SourceIpv4 | Self::DestinationIpv4 => 4,
            Self::SourceIpv6 | Self::DestinationIpv6 => 16,
        }
    }
}

numbered! {
    /// Which packets of a connection (`enum ip_conntrack_dir`).
    Direction {
        /// From who began it.
        Original = 0,
        /// Answers, as they arrive: translated addresses are seen from outside.
        Reply = 1,
    }
}

numbered! {
    /// IPv4 or IPv6, where an expression has to be told (`NFPROTO_*`).
    Protocol {
        /// IPv4.
        Ipv4 = 2,
        /// IPv6.
        Ipv6 = 10,
    }
}

numbered! {
    /// How a value is compared, byte by byte from the first (`enum nft_cmp_ops`).
    Comparison {
        /// Equal.
        Is = 0,
        /// Not equal.
        IsNot = 1,
        /// Less.
        Below = 2,
        /// Less or equal.
        AtMost = 3,
        /// Greater.
        Above = 4,
        /// Greater or equal.
        AtLeast = 5,
    }
}

numbered! {
    /// Which way bytes are turned (`enum nft_byteorder_ops`).
    ByteOrder {
        /// To the machine's (`NFT_BYTEORDER_NTOH`).
        ToHost = 0,
        /// To the network's (`NFT_BYTEORDER_HTON`).
        ToNetwork = 1,
    }
}

numbered! {
    /// What is asked of the socket a packet belongs to (`enum nft_socket_keys`), but its cgroup.
    SocketKey {
        /// `IP_TRANSPARENT` is set, 1 byte (`NFT_SOCKET_TRANSPARENT`).
        Transparent = 0,
        /// Mark, 4 bytes (`NFT_SOCKET_MARK`).
        Mark = 1,
        /// Bound to no address, 1 byte (`NFT_SOCKET_WILDCARD`).
        Wildcard = 2,
    }
}

numbered! {
    /// Which address is translated (`enum nft_nat_types`).
    NatKind {
        /// The source, in postrouting or input.
        Source = 0,
        /// The destination, in prerouting or output.
        Destination = 1,
    }
}

/// How the sender hears of a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reject {
    /// By a TCP reset (`NFT_REJECT_TCP_RST`).
    TcpReset,
    /// By ICMP or ICMPv6, whichever fits (`NFT_REJECT_ICMPX_UNREACH`).
    Icmpx(RejectCode),
    /// By this code of ICMP or ICMPv6 unreachable, in a table of that family (`NFT_REJECT_ICMP_UNREACH`).
    Icmp(u8),
}

numbered! {
    /// The reason given (`enum nft_reject_inet_code`).
    RejectCode {
        /// No route.
        NoRoute = 0,
        /// No such port.
        PortUnreachable = 1,
        /// No such host.
        HostUnreachable = 2,
        /// Forbidden.
        AdminProhibited = 3,
    }
}

numbered! {
    /// What a limit counts (`enum nft_limit_type`).
    LimitUnit {
        /// Packets.
        Packets = 0,
        /// Bytes.
        Bytes = 1,
    }
}

numbered! {
    /// How loud a message of the kernel's log is (`enum nft_log_level`).
    LogLevel {
        /// Error.
        Error = 3,
        /// Warning.
        Warning = 4,
        /// Notice.
        Notice = 5,
        /// Info.
        Info = 6,
        /// Debug.
        Debug = 7,
    }
}

numbered! {
    /// What a route look-up gives (`enum nft_fib_result`).
    FibResult {
        /// Index of the output device, 4 bytes, 0 for none (`NFT_FIB_RESULT_OIF`).
        OutputIndex = 1,
        /// Its name (`NFT_FIB_RESULT_OIFNAME`).
        OutputName = 2,
        /// `RTN_LOCAL` = 2 and its like in linux/rtnetlink.h, 4 bytes (`NFT_FIB_RESULT_ADDRTYPE`).
        AddressType = 3,
    }
}
