//! Whatever is encoded is decoded to the same value, and whatever is decoded is no panic.
#![expect(clippy::unwrap_used, reason = "a test may panic anywhere, in its own functions too")]

mod ground;

use nft::{Batch, Listing, Table, diff};
use proptest::prelude::*;

proptest! {
    #[test]
    fn a_table_survives_its_encoding(table in ground::tables()) {
        prop_assert_eq!(read_back(&table), table);
    }

    #[test]
    fn sequence_numbers_are_those_of_the_messages(table in ground::tables(), first in any::<u32>()) {
        let batch = diff(&table, None);
        let encoded = batch.encode(first).unwrap();

        let sequences: Vec<_> = messages(&encoded.bytes).map(|message| word(message, 8)).collect();

        let expected: Vec<_> = (0..).map(|n| first.wrapping_add(n)).take(batch.changes().len() + 2).collect();
        prop_assert_eq!(&sequences, &expected);
        prop_assert_eq!(encoded.sequences.end, expected.last().unwrap().wrapping_add(1));
        let acked = messages(&encoded.bytes).filter(|message| word(message, 6) & 0x4 != 0).count();
        prop_assert_eq!(acked, 1);
    }

    #[test]
    fn a_spoilt_message_is_read_or_refused(table in ground::tables(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = diff(&table, None).encode(1).unwrap().bytes;
        let lengths: Vec<_> = messages(&bytes).map(<[u8]>::len).collect();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let mut listing = Listing::new(table.id.clone());
        let mut rest = bytes.as_slice();
        for len in lengths {
            let (message, after) = rest.split_at(len);
            let _ = listing.take(kind(message), &message[16..]);
            rest = after;
        }
        let _ = listing.into_table();
    }
}

#[test]
fn thousands_of_elements_are_cut_into_messages_that_fit() {
    let mut set = nft::Set::of(&[nft::FieldKind::Ipv4]);
    for number in 0..10_000_u32 {
        set = set.with(&[nft::Field::Ipv4(number.into())]);
    }
    let mut table = Table::new(nft::TableId::inet(nft::Name::of("t")));
    table.sets.insert(nft::Name::of("big"), set);

    assert_eq!(read_back(&table), table);
}

#[test]
fn a_rule_that_no_message_holds_is_named() {
    let id = nft::TableId::inet(nft::Name::of("t"));
    let mut table = Table::new(id);
    let long =
        nft::Rule::new(vec![nft::Expr::constant(vec![0; 60_000]), nft::Expr::constant(vec![0; 60_000])]);
    table.chains.insert(nft::Name::of("c"), nft::Chain::regular(vec![long.named("too much")]));

    let error = diff(&table, None).encode(1).unwrap_err();

    assert_eq!(error.to_string(), "add rule inet t c \"too much\": too long for a netlink attribute");
}

fn read_back(table: &Table) -> Table {
    let batch: Batch = diff(table, None);
    let bytes = batch.encode(1).unwrap().bytes;
    let mut listing = Listing::new(table.id.clone());
    for message in messages(&bytes) {
        listing.take(kind(message), &message[16..]).unwrap();
    }
    listing.into_table()
}

fn messages(mut bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let len = usize::try_from(word(bytes.get(..16)?, 0)).unwrap();
        let (message, rest) = bytes.split_at(len);
        bytes = rest;
        Some(message)
    })
}

fn word(message: &[u8], at: usize) -> u32 {
    u32::from_ne_bytes(message[at..at + 4].try_into().unwrap())
}

fn kind(message: &[u8]) -> u16 {
    u16::from_ne_bytes(message[4..6].try_into().unwrap())
}
