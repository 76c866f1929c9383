//! Which address: pools, requests, MACs and owners, as pure values.
//!
//! No I/O, no clock, no randomness. The crate never knows where a claim is stored nor who holds it: the
//! caller loads stored claims with [`Subnet::hold`], asks with [`Subnet::pick`], marks with
//! [`Subnet::take`], stores the claim, and calls [`Subnet::give_back`] when it could not be stored or
//! [`Subnet::release`] when the claim is gone.
//!
//! Start from [`SubnetSpec`], [`Subnet`] and [`Request`].
#![forbid(unsafe_code)]

pub mod error;
pub mod family;
pub mod interval;
pub mod interval_set;
pub mod ip_pool;
pub mod mac;
pub mod owner;
pub mod pool;
pub mod request;
pub mod snapshot;
pub mod spec;
pub mod subnet;
pub mod text;
pub mod usage;

mod held_macs;
#[cfg(test)]
mod model;
mod recent;

pub use error::{InvalidMac, OrdinalBeyondPool, PickError, SpecError, TextError};
pub use family::{DualStack, Family};
pub use interval::Interval;
pub use interval_set::IntervalSet;
pub use ip_pool::{PoolItem, parse_ip_pool, wishes_from_pool};
pub use mac::Mac;
pub use owner::Workload;
pub use pool::{Origin, Place, Pool};
pub use recent::RECENT;
pub use request::{Request, Wish};
pub use snapshot::{PoolSnapshot, Snapshot};
pub use spec::{FamilySpec, SpecWarning, SubnetSpec};
pub use subnet::{Held, Pick, Subnet};
pub use text::parse_ip_address;
pub use usage::{Counts, Usage};
