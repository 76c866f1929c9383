//! The task that keeps OVN's northbound database, against a real ovsdb-server, seen through `ovn-nbctl`.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test may panic and say so anywhere")]
#![forbid(unsafe_code)]

mod drift;
mod ground;
mod nodes;
mod rows;
mod scale;
