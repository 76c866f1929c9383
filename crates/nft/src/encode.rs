//! Changes as nfnetlink messages (linux/netfilter/nfnetlink.h, linux/netfilter/nf_tables.h).

mod expr;
mod set;

pub(crate) use expr::CGROUPV2;
pub(crate) use set::{INTERVAL_END, KIND_BITS, VERDICT_DATA};

use crate::attribute::Writer;
use crate::chain::Base;
use crate::change::{Change, Step};
use crate::error::TooLong;
use crate::rule::Rule;
use crate::set::Element;
use crate::table::Family;
use crate::verdict::Verdict;

/// Length of `struct nlmsghdr` and `struct nfgenmsg`.
const HEADERS_LEN: usize = 20;
/// `NFNL_MSG_BATCH_BEGIN` and `NFNL_MSG_BATCH_END`.
const BATCH: [u16; 2] = [0x10, 0x11];
/// `NFNL_SUBSYS_NFTABLES`, the high byte of a message's kind.
pub(crate) const SUBSYSTEM: u16 = 10 << 8;
/// `NLM_F_REQUEST`, `NLM_F_ACK`, `NLM_F_CREATE`, `NLM_F_APPEND`.
pub(crate) const REQUEST: u16 = 0x1;
const ACK: u16 = 0x4;
const CREATE: u16 = 0x400;
const APPEND: u16 = 0x800;
/// `NFTNL_UDATA_RULE_COMMENT`: nft's number for a comment in a rule's user data.
pub(crate) const COMMENT: u8 = 0;

/// A complete message, padded for the next one.
pub(crate) struct Header {
    pub(crate) kind: u16,
    pub(crate) flags: u16,
    pub(crate) family: u8,
    /// `nfgenmsg.res_id`.
    pub(crate) resource: u16,
    pub(crate) sequence: u32,
}

impl Header {
    /// The message with the attributes that `fill` writes; `None` when they are too long.
    pub(crate) fn message(&self, fill: impl FnOnce(&mut Writer)) -> Option<Vec<u8>> {
        let mut head = vec![0; 4];
        head.extend_from_slice(&self.kind.to_ne_bytes());
        head.extend_from_slice(&self.flags.to_ne_bytes());
        head.extend_from_slice(&self.sequence.to_ne_bytes());
        head.extend_from_slice(&[0; 4]);
        head.extend_from_slice(&[self.family, 0]);
        head.extend_from_slice(&self.resource.to_be_bytes());
        debug_assert_eq!(head.len(), HEADERS_LEN);
        let mut writer = Writer::behind(head);
        fill(&mut writer);
        let mut bytes = writer.finish()?;
        let len = u32::try_from(bytes.len()).ok()?;
        bytes[..4].copy_from_slice(&len.to_ne_bytes());
        Some(bytes)
    }
}

/// The message that begins or ends a batch.
pub(crate) fn edge_message(is_begin: bool, sequence: u32) -> Vec<u8> {
    let [begin, end] = BATCH;
    let kind = if is_begin { begin } else { end };
    let header = Header { kind, flags: REQUEST, family: 0, resource: SUBSYSTEM >> 8, sequence };
    header.message(|_| ()).expect("a message without attributes has none that is too long")
}

/// The message of one change.
pub(crate) fn change_message(change: &Change, sequence: u32, wants_ack: bool) -> Result<Vec<u8>, TooLong> {
    let (operation, flags) = envelope(&change.step);
    let flags = REQUEST | flags | if wants_ack { ACK } else { 0 };
    let family = family_byte(change.table.family);
    let header = Header { kind: SUBSYSTEM | operation, flags, family, resource: 0, sequence };
    let bytes = header.message(|writer| body(writer, change, sequence));
    bytes.ok_or_else(|| TooLong { change: change.to_string() })
}

pub(crate) fn family_byte(family: Family) -> u8 {
    u8::try_from(family.number()).expect("families are at most 10")
}

/// `NFT_MSG_*` and its flags.
fn envelope(step: &Step) -> (u16, u16) {
    match step {
        Step::AddTable => (0, 0),
        Step::RemoveTable => (2, 0),
        Step::AddChain(..) => (3, CREATE),
        Step::RemoveChain(_) => (5, 0),
        Step::AddRule(..) => (6, CREATE | APPEND),
        Step::Flush(_) => (8, 0),
        Step::AddSet(..) => (9, CREATE),
        Step::RemoveSet(_) => (11, 0),
        Step::AddElements(_) => (12, CREATE),
        Step::RemoveElements(_) => (14, 0),
    }
}

fn body(writer: &mut Writer, change: &Change, sequence: u32) {
    // Attribute 1 of every kind of message is the table.
    writer.text(1, change.table.name.as_str());
    match &change.step {
        Step::AddTable => writer.number(2, 0),
        Step::RemoveTable => {}
        Step::AddChain(chain, base) => {
            writer.text(3, chain.as_str());
            base.iter().for_each(|base| base_attributes(writer, base, change.table.family));
        }
        Step::RemoveChain(chain) => writer.text(3, chain.as_str()),
        Step::Flush(chain) => writer.text(2, chain.as_str()),
        Step::AddRule(chain, rule) => {
            writer.text(2, chain.as_str());
            rule_attributes(writer, rule);
        }
        Step::AddSet(name, set) => {
            writer.text(2, name.as_str());
            set::attributes(writer, set);
            // The kernel wants a number for the set that is unique in the batch.
            writer.number(10, sequence);
        }
        Step::RemoveSet(set) => writer.text(2, set.as_str()),
        Step::AddElements(elements) => {
            writer.text(2, elements.set.as_str());
            writer.nest(3, |list| {
                let each = elements.list.iter();
                each.for_each(|(key, element)| set::element(list, key, element, elements.ranges));
            });
        }
        Step::RemoveElements(elements) => {
            writer.text(2, elements.set.as_str());
            // What is removed is named by its key alone.
            let bare = Element::default();
            writer.nest(3, |list| {
                let each = elements.list.iter();
                each.for_each(|(key, _)| set::element(list, key, &bare, elements.ranges));
            });
        }
    }
}

/// `NFTA_CHAIN_*` of a base chain.
fn base_attributes(writer: &mut Writer, base: &Base, family: Family) {
    writer.text(7, base.kind.word());
    writer.number(5, base.policy.number());
    writer.nest(4, |hook| {
        hook.number(1, base.hook.number(family));
        hook.number(2, base.priority.cast_unsigned());
        let mut devices = base.devices.iter();
        match (devices.next(), base.devices.len()) {
            (None, _) => {}
            (Some(only), 1) => hook.text(3, only.as_str()),
            _ => hook.nest(4, |list| base.devices.iter().for_each(|device| list.text(1, device.as_str()))),
        }
    });
}

/// `NFTA_RULE_*`.
fn rule_attributes(writer: &mut Writer, rule: &Rule) {
    writer.nest(4, |list| rule.exprs.iter().for_each(|one| list.nest(1, |w| expr::attributes(w, one))));
    if let Some(comment) = &rule.comment {
        writer.userdata(7, COMMENT, comment);
    }
}

/// `NFTA_DATA_VERDICT`.
pub(super) fn verdict_attributes(writer: &mut Writer, verdict: &Verdict) {
    writer.nest(2, |inner| {
        inner.number(1, verdict.code().cast_unsigned());
        if let Some(chain) = verdict.chain() {
            inner.text(2, chain.as_str());
        }
    });
}
