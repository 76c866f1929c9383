//! The CNI plugin `kube-ovn`: one CNI call becomes one request on the daemon's socket, and its reply the result.
//!
//! It holds no state, enters no network namespace and starts no process. Start from [`run::run`]; the way of a call is
//! [`mod@env`] (what the runtime asks) → [`netconf`] (stdin) → [`verb`] (the request) → [`client`] (the only socket) →
//! [`answer`] (what the reply means) → [`result`] and [`render`] (the output in the version asked for). A DEL that the
//! daemon cannot take goes to [`pending`].
#![forbid(unsafe_code)]

pub mod answer;
pub mod args;
pub mod client;
pub mod crash;
pub mod env;
pub mod error;
pub mod gzip;
pub mod http;
pub mod keys;
pub mod netconf;
pub mod pending;
pub mod render;
pub mod result;
pub mod run;
pub mod verb;
pub mod version;

pub use run::{Deadlines, Outcome, run};
