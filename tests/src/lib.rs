//! The test ground: nodes, pods and outside hosts as network namespaces, and real callers of the CNI plugin.
//!
//! A test makes a [`lab::Lab`], starts what it needs in it ([`daemon::Daemon`], [`runtime::Containerd`],
//! [`runtime::Podman`], a whole [`ovn::Ovn`] or a direct [`cni::Call`]) and looks at the outcome with [`witness`] and
//! [`traffic`], which use none of the product's code. Everything is removed when the values are dropped, also after a panic. The harness
//! panics with the command and its output when the ground itself does not work: that is a failed test.
#![forbid(unsafe_code)]

pub mod binaries;
pub mod cni;
pub mod command;
pub mod daemon;
pub mod lab;
pub mod ledger;
pub mod netns;
pub mod objects;
pub mod ovn;
pub mod own_run;
pub mod raw;
pub mod recorded;
pub mod rundir;
pub mod runtime;
pub mod service;
pub mod skip;
pub mod sweep;
pub mod traffic;
pub mod wait;
pub mod witness;
