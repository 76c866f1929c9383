//! Rules that choose a routing table: `ip rule add|del|show`.

use netlink_packet_core::{DecodeError, DefaultNla, NLM_F_CREATE, NLM_F_EXCL, Parseable};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::route::RouteProtocol;
use netlink_packet_route::rule::{
    RuleAction, RuleAttribute, RuleFlags, RuleHeader, RuleMessage, RuleUidRange,
};

use crate::error::{Error, removed};
use crate::family::Family;
use crate::handle::Handle;
use crate::request::Request;

/// The table number in the header of a rule whose table does not fit there (`RT_TABLE_COMPAT`).
const COMPAT: u8 = 252;
/// `FRA_IP_PROTO` in linux/fib_rules.h; the codec does not name its type to others.
const IP_PROTO: u16 = 22;

/// A rule to be set: what packets it takes, and the table it sends them to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RuleSpec {
    /// Of which family.
    pub family: Family,
    /// The lower the earlier; 0 is the local table's, 32766 main's, 32767 the default one's.
    pub priority: u32,
    /// Packets whose mark has this value under this mask.
    pub mark: Option<(u32, u32)>,
    /// Packets that came by this device; `lo` for those that this machine sends.
    pub input: Option<String>,
    /// Packets of sockets of these users, from the first to the last. The kernel takes forwarded packets for root's.
    pub uids: Option<(u32, u32)>,
    /// Packets of this transport protocol, such as 6 for TCP (IANA). Linux 4.17.
    pub protocol: Option<u8>,
    /// The table.
    pub table: u32,
}

/// A rule that is set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// What of it is known here.
    pub spec: RuleSpec,
    /// It says nothing but that.
    pub is_plain: bool,
    message: RuleMessage,
}

impl RuleSpec {
    /// A rule for all packets.
    pub fn new(family: Family, priority: u32, table: u32) -> Self {
        Self { family, priority, mark: None, input: None, uids: None, protocol: None, table }
    }

    /// The change `ip rule add`: refused when the very same one is there.
    pub fn add(&self) -> Request {
        let attempt = format!("add {} rule {} to table {}", self.family, self.priority, self.table);
        Request::change(attempt, NLM_F_CREATE | NLM_F_EXCL, RouteNetlinkMessage::NewRule(self.message()))
    }

    fn message(&self) -> RuleMessage {
        let mut message = RuleMessage::default();
        message.header.family = self.family.into();
        message.header.action = RuleAction::ToTable;
        message.header.table = COMPAT;
        message.attributes = vec![
            RuleAttribute::Priority(self.priority),
            RuleAttribute::Table(self.table),
            RuleAttribute::Protocol(RouteProtocol::Boot),
        ];
        if let Some((mark, mask)) = self.mark {
            message.attributes.extend([RuleAttribute::FwMark(mark), RuleAttribute::FwMask(mask)]);
        }
        message.attributes.extend(self.input.clone().map(RuleAttribute::Iifname));
        let uids = self.uids.map(|(start, end)| RuleAttribute::UidRange(RuleUidRange { start, end }));
        message.attributes.extend(uids);
        let protocol =
            self.protocol.map(|number| RuleAttribute::Other(DefaultNla::new(IP_PROTO, vec![number])));
        message.attributes.extend(protocol);
        message
    }
}

impl Handle {
    /// Adds a rule. `ip rule add`
    ///
    /// # Errors
    /// [`crate::Errno::Exists`] when the very same one is there.
    pub fn add_rule(&self, rule: &RuleSpec) -> Result<(), Error> {
        self.request(&rule.add())
    }

    /// The rules of `family` in the order the kernel asks them.
    ///
    /// # Errors
    /// The request's failure; [`crate::Errno::NotSupported`] where the kernel has no such family.
    pub fn rules(&self, family: Family) -> Result<Vec<Rule>, Error> {
        let mut message = RuleMessage::default();
        message.header.family = family.into();
        let question = Request::dump(format!("list {family} rules"), RouteNetlinkMessage::GetRule(message));
        self.ask(&question, |body| decode(family, body))
    }

    /// Removes a rule that was found; `false` when it was not there any more.
    ///
    /// # Errors
    /// The request's failure.
    pub fn delete_rule(&self, rule: &Rule) -> Result<bool, Error> {
        let RuleSpec { family, priority, table, .. } = rule.spec;
        let attempt = format!("delete {family} rule {priority} to table {table}");
        removed(self.request(&Request::change(
            attempt,
            0,
            RouteNetlinkMessage::DelRule(rule.message.clone()),
        )))
    }
}

fn decode(family: Family, body: &[u8]) -> Result<Option<Rule>, DecodeError> {
    if RuleHeader::parse(body)?.family != family.into() {
        return Ok(None);
    }
    let message = RuleMessage::parse(body)?;
    let header = &message.header;
    let mut spec = RuleSpec::new(family, 0, header.table.into());
    let mut is_plain = header.action == RuleAction::ToTable
        && (header.dst_len, header.src_len, header.tos) == (0, 0, 0)
        && !header.flags.contains(RuleFlags::Invert);
    let mut mark = (0, 0);
    for attribute in &message.attributes {
        #[expect(clippy::wildcard_enum_match_arm, reason = "the enum is not exhaustive")]
        match attribute {
            RuleAttribute::Priority(priority) => spec.priority = *priority,
            RuleAttribute::Table(table) => spec.table = *table,
            RuleAttribute::FwMark(value) => mark.0 = *value,
            RuleAttribute::FwMask(mask) => mark.1 = *mask,
            RuleAttribute::Iifname(name) => spec.input = Some(name.clone()),
            RuleAttribute::UidRange(range) => spec.uids = Some((range.start, range.end)),
            RuleAttribute::IpProtocol(protocol) => spec.protocol = Some(u8::from(*protocol)),
            // Who made it, and the kernel's words for "nothing is suppressed".
            RuleAttribute::Protocol(_)
            | RuleAttribute::SuppressPrefixLen(u32::MAX)
            | RuleAttribute::SuppressIfGroup(u32::MAX) => {}
            _ => is_plain = false,
        }
    }
    spec.mark = Some(mark).filter(|mark| *mark != (0, 0));
    Ok(Some(Rule { spec, is_plain, message }))
}
