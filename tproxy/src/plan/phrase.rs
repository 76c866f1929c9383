//! Phrases that the rules of both tables are made of.

use nft::{Comparison, Expr, Field, Header, Load, MetaKey, Name, Place, Register, Rule, Verdict};

use super::{MARK, PROBE_LINK, Wire};

/// Number of TCP (IANA).
pub(super) const TCP: u8 = 6;
/// The flags of TCP (RFC 9293 section 3.1), of which FIN, SYN, RST and ACK are looked at.
const TCP_FLAGS: Place = Place::new(Header::Transport, 13, 1);
const FIN_SYN_RST_ACK: u8 = 0x17;
const SYN: u8 = 0x02;

pub(super) fn is_tcp() -> [Expr; 2] {
    Load::Meta(MetaKey::L4Protocol).is(&Field::Protocol(TCP))
}

/// The first packet of a connection, or not.
pub(super) fn syn(comparison: Comparison) -> [Expr; 3] {
    let register = Register::FIRST;
    [
        Load::Payload(TCP_FLAGS).to(register),
        Expr::Bitwise { from: register, into: register, mask: vec![FIN_SYN_RST_ACK], xor: vec![0] },
        Expr::Cmp { register, comparison, value: vec![SYN] },
    ]
}

pub(super) fn is_family(wire: &Wire) -> [Expr; 2] {
    Load::Meta(MetaKey::NetworkProtocol).is(&Field::Protocol(wire.number))
}

/// The packet comes by, or leaves by, the probe link.
pub(super) fn by_probe_link(key: MetaKey) -> [Expr; 2] {
    Load::Meta(key).is(&Field::Device(Name::of(PROBE_LINK)))
}

/// Puts the mark on, other bits left as they are.
pub(super) fn mark() -> [Expr; 3] {
    change_mark(MARK)
}

/// Takes the mark off.
pub(super) fn unmark() -> [Expr; 3] {
    change_mark(0)
}

fn change_mark(bits: u32) -> [Expr; 3] {
    let register = Register::FIRST;
    let (mask, xor) = ((!MARK).to_ne_bytes().to_vec(), bits.to_ne_bytes().to_vec());
    [
        Load::Meta(MetaKey::Mark).to(register),
        Expr::Bitwise { from: register, into: register, mask, xor },
        Expr::SetMeta { key: MetaKey::Mark, from: register },
    ]
}

/// A rule that counts what it drops.
pub(super) fn drop_rule(comment: impl Into<String>, matches: impl IntoIterator<Item = Expr>) -> Rule {
    Rule::new(matches).and([Expr::counter(), Verdict::Drop.into()]).named(comment)
}
