//! The ledger: who holds which address of which subnet. One truth, durable before anybody hears of it.
//!
//! # Guarantees
//! * An address of a subnet has at most one owner; the store itself refuses a second one.
//! * [`Ledger::claim`] answers only after the claim is on disk. Claims made at once share one flush.
//! * The same owner asking again gets the same addresses; the newest sandbox of a pod takes them over, and from then
//!   on nothing that an older sandbox does can free them.
//! * [`Ledger::release`] frees only what its condition names, so a late or repeated call frees nothing else.
//! * A kept claim (StatefulSet, virtual machine) outlives its sandbox, parked.
//!
//! # Assumptions
//! One process per store: the file is locked.

pub mod book;
pub mod claim;
pub mod clash;
pub mod error;
pub mod feed;
pub mod pending;
mod pool;
mod reuse;
pub mod served;
pub mod store;
pub mod sweep;
pub mod writer;

use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;

pub use book::Book;
pub use claim::{
    Claim, ClaimId, ClaimRequest, Claimed, Limit, Link, Owner, PortTraits, ReleaseIf, Sandbox, Segment,
    Served,
};
pub use error::LedgerError;
pub use feed::{Changed, Feed};

/// An answer that is still to come.
pub type Answer<T> = Pin<Box<dyn Future<Output = Result<T, LedgerError>> + Send>>;

/// What the sandbox verbs need of a ledger, wherever it is stored.
pub trait Ledger: Send + Sync + 'static {
    /// Claims addresses for an owner, or finds those it already holds.
    fn claim(&self, request: ClaimRequest) -> Answer<Claimed>;

    /// Releases the claims that fit all of `conditions`' entries. Answers the claims that were released or parked.
    fn release(&self, conditions: Vec<ReleaseIf>) -> Answer<Vec<Claim>>;

    /// Frees the claim and keeps `address` from being handed out for a while: somebody outside answers for it.
    fn set_aside(&self, claim: Claim, address: IpAddr) -> Answer<()>;

    /// Replaces the subnets; claims are facts and stay.
    fn respec(&self, subnets: Vec<Served>) -> Answer<()>;

    /// Makes sure that the store can be written now.
    fn probe(&self) -> Answer<()>;

    /// Tells which pods' claims change, once they are on disk.
    fn feed(&self) -> &Arc<Feed>;

    /// Looks into the book. `look` must be short: claims wait meanwhile.
    fn look<T>(&self, look: impl FnOnce(&Book) -> T) -> T
    where
        Self: Sized;
}
