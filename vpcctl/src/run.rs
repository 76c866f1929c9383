//! From a command line to text and an exit code.

use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::net::IpAddr;
use std::path::Path;

use clap_complete::Shell;
use crds::{IpSpec, List, Spec, SubnetSpec, VpcSpec};
use daemon_api::PodRef;
use daemon_api::explain::{Audit, PodStory};
use daemon_api::route;
use daemon_api::routes::RouteTable;

use crate::args::{self, Kind, Order, Output};
use crate::client::Client;
use crate::error::{FINDING, Failure, OK, USAGE, chain};
use crate::{audit, get, routes, story, whois};

/// What a command comes to.
struct Outcome {
    text: String,
    /// Said beside the text: what is not there.
    remarks: Vec<String>,
    code: u8,
}

impl Outcome {
    fn new(text: String, is_finding: bool) -> Self {
        Self { text, remarks: Vec::new(), code: if is_finding { FINDING } else { OK } }
    }
}

/// Runs a command line and returns the exit code. `socket` is what the environment says.
pub(crate) fn run(
    arguments: impl IntoIterator<Item = OsString>,
    socket: Option<OsString>,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> u8 {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let asked = match args::parse(arguments.clone(), socket) {
        Ok(asked) => asked,
        Err(error) if error.use_stderr() => {
            let _ = write!(err, "{error}");
            return USAGE;
        }
        Err(help) => return done(write!(out, "{help}").map_err(Failure::from), err),
    };
    match answer(asked.order, &Client::new(&asked.socket), arguments.first()) {
        Ok(Outcome { text, remarks, code }) => {
            for remark in remarks {
                let _ = writeln!(err, "{remark}");
            }
            let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
            code.max(done(written.map_err(Failure::from), err))
        }
        Err(failure) => done(Err(failure), err),
    }
}

fn done(result: Result<(), Failure>, err: &mut dyn Write) -> u8 {
    let Err(failure) = result else { return OK };
    if let Failure::Output { source } = &failure
        && source.kind() == std::io::ErrorKind::BrokenPipe
    {
        return OK;
    }
    let _ = writeln!(err, "Error: {}", chain(&failure));
    if !failure.hint().is_empty() {
        let _ = writeln!(err, "→ {}", failure.hint());
    }
    failure.code()
}

/// `program` is the name that the program was called by.
fn answer(order: Order, client: &Client, program: Option<&OsString>) -> Result<Outcome, Failure> {
    match order {
        Order::Get { kind: Kind::Subnet, names, output } => show::<SubnetSpec>(client, &names, output),
        Order::Get { kind: Kind::Ip, names, output } => show::<IpSpec>(client, &names, output),
        Order::Get { kind: Kind::Vpc, names, output } => show::<VpcSpec>(client, &names, output),
        Order::ExplainPod { pod, as_json } => explain(client, &pod, as_json),
        Order::ProbeTest { pod, port, as_json } => probe(client, &pod, port, as_json),
        Order::Routes { vpc, output } => effective_routes(client, &vpc, output),
        Order::IpamCheck { as_json } => check(client, as_json),
        Order::IpamWhois { address } => find(client, address),
        Order::Completion { shell } => Ok(Outcome::new(completion(shell, program), false)),
    }
}

fn list<S: Spec>(client: &Client) -> Result<List<S>, Failure> {
    client.get(&format!("{}{}", route::OBJECTS, S::SINGULAR))
}

fn show<S: Spec>(client: &Client, names: &[String], output: Output) -> Result<Outcome, Failure> {
    let (text, missing) = get::render(&list::<S>(client)?, names, output)?;
    let mut outcome = Outcome::new(text, !missing.is_empty());
    outcome.remarks = missing.into_iter().map(|what| format!("Error: {what} not found")).collect();
    if outcome.text.is_empty() && outcome.remarks.is_empty() {
        outcome.remarks.push("No resources found".to_owned());
    }
    Ok(outcome)
}

fn explain(client: &Client, pod: &PodRef, as_json: bool) -> Result<Outcome, Failure> {
    let told: PodStory = client.get(&format!("{}{}/{}", route::EXPLAIN_POD, pod.namespace, pod.name))?;
    let text = if as_json { get::json_text(&told) } else { story::render(&told) };
    Ok(Outcome::new(text, story::is_broken(&told)))
}

fn probe(client: &Client, pod: &PodRef, port: Option<u16>, as_json: bool) -> Result<Outcome, Failure> {
    let port = port.map_or_else(String::new, |port| format!("/{port}"));
    let path = format!("{}{}/{}{port}", route::PROBE, pod.namespace, pod.name);
    let told: PodStory = client.get(&path)?;
    let text = if as_json { get::json_text(&told) } else { story::render(&told) };
    Ok(Outcome::new(text, story::is_broken(&told)))
}

fn effective_routes(client: &Client, vpc: &str, output: Output) -> Result<Outcome, Failure> {
    let table: RouteTable = client.get(&format!("{}{vpc}", route::ROUTES))?;
    let text = match output {
        Output::Table => routes::render(&table, false),
        Output::Wide => routes::render(&table, true),
        Output::Json => get::json_text(&table),
        Output::Yaml => get::yaml_text(&serde_json::json!(table))?,
    };
    Ok(Outcome::new(text, false))
}

fn check(client: &Client, as_json: bool) -> Result<Outcome, Failure> {
    let found: Audit = client.get(route::AUDIT)?;
    let text = if as_json { get::json_text(&found) } else { audit::render(&found) };
    Ok(Outcome::new(text, !found.findings.is_empty()))
}

fn find(client: &Client, address: IpAddr) -> Result<Outcome, Failure> {
    let (subnets, ips) = (list::<SubnetSpec>(client)?, list::<IpSpec>(client)?);
    let sightings = whois::sightings(address, &subnets.items, &ips.items);
    Ok(Outcome::new(whois::render(address, &sightings), sightings.is_empty()))
}

/// The script for the name that the program was called by: `vpcctl` or `kubectl-vpc`.
fn completion(shell: Shell, program: Option<&OsString>) -> String {
    let name = program.map(Path::new).and_then(Path::file_name).and_then(OsStr::to_str).unwrap_or("vpcctl");
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut args::command(), name, &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

#[cfg(test)]
mod tests;
