//! nftables as plain values: tables, chains, sets and rules, the difference of two tables, and their nfnetlink
//! messages in both directions. No socket, no clock, no `nft` program.
//!
//! Start from [`Table`]: what a planner wants and what the kernel holds are both one. [`diff`] makes the smallest
//! [`Batch`] that turns the second into the first, [`replace`] and [`remove`] are blunt, and [`Batch::encode`] gives
//! the bytes of one atomic transaction. [`Listing`] collects the messages of a table's dump back into a [`Table`].
//!
//! ```
//! # use nft::{Chain, ChainKind, Base, Field, Hook, MetaKey, Name, Load, Rule, Set, FieldKind, Table, TableId, Verdict};
//! let mut table = Table::new(TableId::inet(Name::of("probe")));
//! table.sets.insert(Name::of("ports"), Set::of(&[FieldKind::Port]).with(&[Field::Port(80)]));
//! let mut output = Chain::base(Base::new(ChainKind::Filter, Hook::Output, 0));
//! output.rules.push(
//!     Rule::new(Load::Meta(MetaKey::L4Protocol).is(&Field::Protocol(6)))
//!         .and(nft::within(&[Load::Payload(nft::place::DESTINATION_PORT)], &Name::of("ports")))
//!         .and([Verdict::Accept.into()]),
//! );
//! table.chains.insert(Name::of("output"), output);
//! assert!(nft::diff(&table, Some(&table)).is_empty());
//! ```
//!
//! The encoding is our own. Of the crates that know nfnetlink, `nftnl` links two C libraries and has neither `fwd`
//! nor maps; `netlink-packet-netfilter` 0.4 types 6 of the 22 expressions used here and leaves the rest as raw
//! attributes that do not compare, so every expression would be written anyway and mapped once more. An
//! attribute is four bytes of header: what remains to write is the kernel's numbers (linux/netfilter/nf_tables.h).
//! Test data in `tests/golden` are `nft`'s own messages.
//!
//! What is decoded compares equal to what was encoded; what nobody here can write ([`Expr::Unknown`]) compares
//! unequal to everything wanted, so that a difference always leads back to the wanted table.
#![forbid(unsafe_code)]

mod attribute;
mod batch;
mod chain;
mod change;
mod decode;
mod diff;
mod encode;
mod error;
mod expr;
mod key;
mod listing;
mod load;
mod name;
mod number;
pub mod place;
mod query;
mod register;
mod rule;
mod set;
mod table;
mod value;
mod verdict;

pub use batch::{Batch, Encoded};
pub use chain::{Base, Chain, ChainKind, Hook, Policy};
pub use change::{Change, Elements, Step};
pub use diff::{diff, remove, replace};
pub use error::{BadName, Malformed, TooLong};
pub use expr::{Expr, Found, NatFlags, RegisterRange};
pub use key::{
    ByteOrder, Comparison, CtKey, Direction, FibResult, LimitUnit, LogLevel, MetaKey, NatKind, Protocol,
    Reject, RejectCode, SocketKey,
};
pub use listing::Listing;
pub use load::{Load, load, look_up, within};
pub use name::Name;
pub use place::{Header, Place};
pub use query::Query;
pub use register::Register;
pub use rule::Rule;
pub use set::{Data, Element, FieldKinds, Key, MapKind, Set, SetFlags};
pub use table::{Family, Table, TableId};
pub use value::{Field, FieldKind, concatenation};
pub use verdict::Verdict;
