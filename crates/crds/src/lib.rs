//! The `kubeovn.io/v1` objects this product reads, as plain values, and the annotation keys.
//!
//! Every kind is an [`Object`] of its spec: [`Subnet`], [`Vpc`], [`Ip`]. Reading is lenient: a missing field and
//! `null` are the field's default, and a field that nobody here reads is kept in `other`, so that it survives a
//! round trip and [`Object::unread`] can report it. Keys of pod annotations are known to [`annotation`] only.
#![forbid(unsafe_code)]

pub mod annotation;
pub mod column;
pub mod condition;
pub mod counter;
pub mod ip;
mod lenient;
pub mod list;
pub mod object;
pub mod subnet;
pub mod vpc;

pub use annotation::{Key, PodAnnotations};
pub use column::Column;
pub use condition::Condition;
pub use counter::Counter;
pub use ip::{Ip, IpSpec};
pub use list::List;
pub use object::{API_VERSION, Meta, Object, Other, Spec};
pub use subnet::{Subnet, SubnetAcl, SubnetSpec, SubnetStatus};
pub use vpc::{PolicyRoute, StaticRoute, Vpc, VpcPeering, VpcSpec, VpcStatus};
