//! What `nft` itself sends the kernel, read and written again: the same messages must come out.
//!
//! `golden/*.hex` are the messages of nft 1.0.6 for `golden/*.nft`, one a line: kind, flags, body. They were taken with
//! `strace -e trace=sendmsg -xx nft -f FILE`, sets first.
#![expect(clippy::unwrap_used, reason = "a test may panic anywhere, in its own functions too")]

use std::collections::{BTreeMap, BTreeSet};

use nft::{
    Expr, Field, Found, Hook, Key, Listing, Name, NatFlags, NatKind, Protocol, Reject, RejectCode, Table,
    TableId, Verdict, diff,
};

const FILES: [&str; 2] = [include_str!("golden/sets.hex"), include_str!("golden/rules.hex")];

/// `NFT_MSG_NEWRULE`, `NFT_MSG_NEWSETELEM` and `NFT_MSG_NEWSET` with their subsystem.
const NEW_RULE: u16 = 0xa06;
const NEW_ELEMENTS: u16 = 0xa0c;
const NEW_SET: u16 = 0xa09;

struct Message {
    kind: u16,
    flags: u16,
    body: Vec<u8>,
}

#[test]
fn every_message_of_nft_comes_out_as_it_went_in() {
    // Tables, chains, sets, lists of elements, rules.
    for (id, expected) in [(inet(), 1 + 5 + 8 + 8 + 36), (netdev(), 1 + 3 + 3 + 3 + 5)] {
        let theirs: Vec<_> =
            of_nft().into_iter().filter(|m| m.body[0] == family(&id)).map(|m| canonical(&m)).collect();
        let ours: Vec<_> = ours(&id).iter().map(canonical).collect();

        // Rules in their order, everything else in any, as nft names tables and chains twice.
        let rules = |all: &[String]| rules_by_chain(all);
        assert_eq!(rules(&ours), rules(&theirs));
        let once = |all: &[String]| all.iter().cloned().collect::<BTreeSet<_>>();
        let (ours, theirs) = (once(&ours), once(&theirs));
        assert_eq!(ours, theirs);
        assert!(ours.len() == expected, "{} messages", ours.len());
    }
}

#[test]
fn nothing_that_nft_says_is_unknown() {
    for id in [inet(), netdev()] {
        let table = table_of_nft(&id);
        let exprs = table.chains.values().flat_map(|chain| &chain.rules).flat_map(|rule| &rule.exprs);
        let unknown: Vec<_> = exprs.filter(|expr| matches!(expr, Expr::Unknown { .. })).collect();
        assert!(unknown.is_empty(), "{unknown:?}");
    }
}

#[test]
fn the_values_mean_what_nft_was_told() {
    let table = table_of_nft(&inet());
    let rules = |chain: &'static str| &table.chains[&Name::of(chain)].rules;

    assert_eq!(rules("out")[0].comment.as_deref(), Some("hello"));
    assert_eq!(rules("out")[1].exprs.last(), Some(&lookup("v", Found::Obey)));
    assert_eq!(rules("out")[2].exprs[3], lookup("r", Found::Stop));
    assert_eq!(rules("out")[10].exprs, [Expr::Reject(Reject::Icmpx(RejectCode::PortUnreachable))]);
    assert_eq!(table.chains[&Name::of("dn")].base.as_ref().unwrap().hook, Hook::Prerouting);
    assert_eq!(table.chains[&Name::of("dn")].base.as_ref().unwrap().priority, -100);
    let Some(Expr::Nat { kind, protocol, address, port, flags }) = rules("post")[2].exprs.last() else {
        panic!("no translation at the end of {:?}", rules("post")[2])
    };
    assert_eq!((*kind, *protocol), (NatKind::Source, Protocol::Ipv4));
    assert_eq!((address.unwrap().min, *flags), (nft::Register::FIRST, NatFlags::FULLY_RANDOM));
    assert_ne!(port.unwrap().min, port.unwrap().max);

    let ranges: Vec<_> = table.sets[&Name::of("r")].elements.keys().cloned().collect();
    let to =
        |first: [u8; 4], last: [u8; 4]| Key::range(&[Field::Ipv4(first.into())], &[Field::Ipv4(last.into())]);
    assert_eq!(
        ranges,
        [
            to([10, 0, 0, 0], [10, 0, 0, 255]),
            to([10, 0, 1, 5], [10, 0, 1, 5]),
            to([10, 0, 1, 6], [10, 0, 1, 9]),
            to([255, 0, 0, 0], [255, 255, 255, 255]),
        ]
    );
    let jump = &table.sets[&Name::of("v")].elements[&Key::of(&[Field::Ipv4([10, 0, 0, 9].into())])];
    assert_eq!(jump.data, Some(Verdict::Jump(Name::of("other")).into()));
}

fn lookup(set: &'static str, found: Found) -> Expr {
    Expr::Lookup { set: Name::of(set), key: nft::Register::FIRST, found }
}

fn inet() -> TableId {
    TableId::inet(Name::of("t"))
}

fn netdev() -> TableId {
    TableId::netdev(Name::of("n"))
}

fn family(id: &TableId) -> u8 {
    if *id == inet() { 1 } else { 5 }
}

fn of_nft() -> Vec<Message> {
    let lines = FILES.into_iter().flat_map(str::lines);
    let messages = lines.map(|line| {
        let [kind, flags, body]: [&str; 3] = line.split(' ').collect::<Vec<_>>().try_into().unwrap();
        let bytes = (0..body.len()).step_by(2).map(|at| u8::from_str_radix(&body[at..at + 2], 16).unwrap());
        let number = |text| u16::from_str_radix(text, 16).unwrap();
        Message { kind: number(kind), flags: number(flags), body: bytes.collect() }
    });
    messages.collect()
}

fn table_of_nft(id: &TableId) -> Table {
    let mut listing = Listing::new(id.clone());
    of_nft().iter().for_each(|message| listing.take(message.kind, &message.body).unwrap());
    listing.into_table()
}

/// What we would send for the same table, without the messages around the batch.
fn ours(id: &TableId) -> Vec<Message> {
    let bytes = diff(&table_of_nft(id), None).encode(1).unwrap().bytes;
    let mut rest = bytes.as_slice();
    let mut messages = Vec::new();
    while !rest.is_empty() {
        let len = usize::try_from(u32::from_ne_bytes(rest[..4].try_into().unwrap())).unwrap();
        let short = |at: usize| u16::from_ne_bytes(rest[at..at + 2].try_into().unwrap());
        messages.push(Message { kind: short(4), flags: short(6), body: rest[16..len].to_vec() });
        rest = &rest[len..];
    }
    messages.pop();
    messages.remove(0);
    messages
}

fn rules_by_chain(messages: &[String]) -> BTreeMap<String, Vec<String>> {
    let mut chains: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for message in messages.iter().filter(|m| m.starts_with(&format!("{NEW_RULE:04x}"))) {
        let chain = message.split(" 02=").nth(1).unwrap().split(' ').next().unwrap().to_owned();
        chains.entry(chain).or_default().push(message.clone());
    }
    chains
}

/// A message as text, its attributes in the order of their numbers, without what does not matter to the kernel.
fn canonical(message: &Message) -> String {
    // `NLM_F_ACK` is a matter between sender and kernel.
    let flags = message.flags & !0x4;
    let mut body = attributes(&message.body[4..]);
    match message.kind {
        // The number of the set in its batch.
        NEW_ELEMENTS => body.retain(|(kind, _)| *kind != 4),
        NEW_SET => {
            // Its number again.
            body.retain(|(kind, _)| *kind != 10);
            // Notes of nft for itself, but those on the order of bytes.
            let notes = body.iter_mut().filter(|(kind, _)| *kind == 13);
            notes.for_each(|(_, notes)| {
                if let Value::Bytes(notes) = notes {
                    keep_orders(notes)
                }
            });
        }
        _ => {}
    }
    if message.kind == NEW_ELEMENTS {
        for (kind, value) in &mut body {
            if let (3, Value::Nest(list)) = (kind, value) {
                list.retain(|(_, element)| !is_first_gap(element));
                list.iter_mut().for_each(|(index, element)| {
                    // nft counts its elements; a note says that a range is open.
                    *index = 1;
                    if let Value::Nest(parts) = element {
                        parts.retain(|(kind, _)| *kind != 6);
                    }
                });
            }
        }
    }
    format!("{:04x} {flags:04x} {:02x} {}", message.kind, message.body[0], text(&body))
}

/// Only notes 0 and 1 of type, length, value each.
fn keep_orders(notes: &mut Vec<u8>) {
    let mut kept = Vec::new();
    let mut rest = notes.as_slice();
    while let [kind, len, ..] = rest {
        let (note, after) = rest.split_at(2 + usize::from(*len));
        if *kind <= 1 {
            kept.extend_from_slice(note);
        }
        rest = after;
    }
    *notes = kept;
}

/// nft says of an interval set that the values before its first range are in none.
fn is_first_gap(element: &Value) -> bool {
    let Value::Nest(parts) = element else { return false };
    let text = text(parts);
    text == "01={01=00000000 } 03=00000001 "
}

enum Value {
    Bytes(Vec<u8>),
    Nest(Vec<(u16, Value)>),
}

fn attributes(mut bytes: &[u8]) -> Vec<(u16, Value)> {
    let mut found = Vec::new();
    while bytes.len() >= 4 {
        let len = usize::from(u16::from_ne_bytes(bytes[..2].try_into().unwrap()));
        let kind = u16::from_ne_bytes(bytes[2..4].try_into().unwrap());
        let value = &bytes[4..len];
        let value =
            if kind & 0x8000 != 0 { Value::Nest(attributes(value)) } else { Value::Bytes(value.to_vec()) };
        found.push((kind & 0x3fff, value));
        bytes = bytes.get(len.next_multiple_of(4)..).unwrap_or_default();
    }
    found
}

fn text(attributes: &[(u16, Value)]) -> String {
    let is = |name: &[u8]| attributes.iter().any(|(_, value)| matches!(value, Value::Bytes(b) if b == name));
    let (is_bitwise, is_lookup, is_nat) = (is(b"bitwise\0"), is(b"lookup\0"), is(b"nat\0"));
    let written = attributes.iter().map(|(kind, value)| {
        let value = match value {
            Value::Bytes(bytes) => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
            // The operation is mask and xor unless it is said.
            Value::Nest(inner) if is_bitwise => format!("{{{}}}", text(inner).replace("06=00000000 ", "")),
            // That there is a port, which nft says only of constants.
            Value::Nest(inner) if is_nat => format!("{{{}}}", text(inner).replace("07=00000002 ", "")),
            // The number of the set in a batch that is over.
            Value::Nest(inner) if is_lookup => {
                let kept = text(inner);
                let parts = kept.split_inclusive(' ').filter(|part| !part.starts_with("04="));
                format!("{{{}}}", parts.collect::<String>())
            }
            Value::Nest(inner) => format!("{{{}}}", text(inner)),
        };
        format!("{kind:02}={value} ")
    });
    let mut written: Vec<_> = written.collect();
    let is_list = attributes.len() > 1 && attributes.iter().all(|(kind, _)| *kind == 1);
    let is_rule = attributes.iter().any(|(_, value)| matches!(value, Value::Nest(inner) if is_expr(inner)));
    // Steps of a rule keep their order, the rest is sorted.
    if !(is_list && is_rule) {
        written.sort();
    }
    written.concat()
}

fn is_expr(attributes: &[(u16, Value)]) -> bool {
    matches!(attributes, [(1, Value::Bytes(_)), ..])
}
