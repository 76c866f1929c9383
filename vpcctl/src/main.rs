//! `vpcctl`, also installed as `kubectl-vpc`: show, explain and check the networking of this node.
#![forbid(unsafe_code)]

mod args;
mod audit;
mod client;
mod error;
mod get;
mod routes;
mod run;
mod story;
mod table;
mod whois;

use std::io::{self, Write};
use std::process::ExitCode;

fn main() -> ExitCode {
    let socket = std::env::var_os(args::SOCKET_VARIABLE).filter(|socket| !socket.is_empty());
    let mut out = io::BufWriter::new(io::stdout().lock());
    let code = run::run(std::env::args_os(), socket, &mut out, &mut io::stderr().lock());
    // A reader that has seen enough closes the pipe; that is no failure of ours.
    let _ = out.flush();
    ExitCode::from(code)
}
