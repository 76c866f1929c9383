//! `make bench`: what a CNI call, a claim, a probe, a plan and an idle daemon cost, beside the reference plugins and the bare
//! databases of OVN, in one run.
//!
//! Nothing is asserted: a figure that misses its aim is marked. `BENCH_ROUNDS` sets the number of rounds (50); `BENCH_ONLY`
//! names one part: `macvlan`, `ovn`, `probes` or `plan`.
#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "the figures are what this program is for")]

mod calls;
mod claims;
mod compare;
mod memory;
mod ovn;
mod plan;
mod probes;
mod process;
mod samples;
mod stage;
mod stub;
mod table;

use std::path::Path;
use std::process::ExitCode;

use tests::skip::Requirement;

use crate::claims::Rates;
use crate::compare::compared;
use crate::samples::Samples;
use crate::stage::{Kind, Stage};
use crate::table::{AtMost, Table, verdict};

/// Rounds unless `BENCH_ROUNDS` says otherwise.
const ROUNDS: usize = 50;

/// Where the ledger of the claims per second lies: on the disk that the workspace is on, never on a tmpfs.
const LEDGER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../dist/bench-ledger");

fn main() -> ExitCode {
    let done = match Stage::given() {
        None => set_up_and_measure(),
        Some(stage) => {
            match stage.kind {
                Kind::Macvlan => report(&stage, rounds()),
                Kind::Ovn => ovn::report(&stage, rounds()),
                Kind::Probes => probes::report(&stage, rounds()),
            }
            true
        }
    };
    if done { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn rounds() -> usize {
    std::env::var("BENCH_ROUNDS").ok().and_then(|n| n.parse().ok()).unwrap_or(ROUNDS).max(1)
}

/// Whether a part is to be measured: all are, unless `BENCH_ONLY` names one.
fn is_wanted(part: &str) -> bool {
    std::env::var("BENCH_ONLY").map_or(true, |only| only == part)
}

/// The outer process: one stage after the other, and what needs none. False when one failed.
fn set_up_and_measure() -> bool {
    println!("{}", stage::machine());
    println!("load average at the start {}; {} rounds, all variants in each", stage::load(), rounds());
    let has_ovn = tests::skip::needs(Requirement::Ovn);
    let is_measured = (!is_wanted("macvlan") || stage::of_macvlan())
        && (!has_ovn || !is_wanted("ovn") || stage::of_ovn())
        && (!has_ovn || !is_wanted("probes") || stage::of_probes());
    if is_wanted("plan") {
        println!("{}", plan::table().text());
    }
    println!("load average at the end {}", stage::load());
    is_measured
}

fn report(stage: &Stage, rounds: usize) {
    println!("daemon's ledger on {}\n", stage::file_system(&stage.dir));
    let idle = stage.daemon_megabytes();
    let samples = calls::measure(stage, rounds);
    for table in times(&samples) {
        println!("{}", table.text());
    }
    let folder = Path::new(LEDGER);
    let rates = claims::measure(folder, rounds);
    println!("{}", claimed(&rates, &stage::file_system(folder.parent().unwrap_or(folder))).text());
    println!("{}", sizes(idle, memory::with_claims(stage)).text());
}

fn times(samples: &Samples) -> Vec<Table> {
    let aim = |most| Some(AtMost(most));
    vec![
        compared(
            samples,
            "start to exit of one process",
            calls::HELLO,
            &[
                (calls::VERSION, aim(1.6)),
                (calls::STUBBED, aim(1.6)),
                (calls::STATUS, None),
                (calls::REFERENCE_VERSION, None),
            ],
        ),
        compared(samples, "the same question", calls::REFERENCE_VERSION, &[(calls::VERSION, aim(0.5))]),
        compared(samples, "addresses alone, ADD", calls::HOST_LOCAL[0], &[(calls::DELEGATED[0], aim(0.6))]),
        compared(samples, "addresses alone, DEL", calls::HOST_LOCAL[1], &[(calls::DELEGATED[1], aim(0.6))]),
        compared(
            samples,
            "macvlan with an address, ADD",
            calls::REFERENCE[0],
            &[(calls::MACVLAN[0], aim(1.0)), (calls::OWN[0], aim(0.5)), (calls::FLOOR[0], None)],
        ),
        compared(
            samples,
            "macvlan with an address, DEL",
            calls::REFERENCE[1],
            &[(calls::MACVLAN[1], aim(1.0)), (calls::OWN[1], aim(1.0)), (calls::FLOOR[1], None)],
        ),
        compared(samples, "own macvlan above the kernel, ADD", calls::FLOOR[0], &[(calls::OWN[0], None)]),
        compared(samples, "own macvlan above the kernel, DEL", calls::FLOOR[1], &[(calls::OWN[1], None)]),
    ]
}

fn claimed(rates: &Rates, file_system: &str) -> Table {
    let title = format!("claims of the ledger; the reference is what the disk can flush ({file_system})");
    let mut table = Table::new(title, &["", "per second", "ratio", "flushes per claim"]);
    let disk = rates.disk.per_second();
    let rows = [
        ("4 KiB written and flushed (fdatasync)", rates.disk),
        ("durable, one at a time", rates.queue),
        ("durable, 64 at once", rates.crowd),
        ("in memory, nothing on disk", rates.memory),
    ];
    for (name, rate) in rows {
        table.row(vec![
            name.to_owned(),
            format!("{:.0}", rate.per_second()),
            format!("{:.2}", rate.per_second() / disk),
            format!("{:.3}", rate.flushes_per_claim()),
        ]);
    }
    table
}

fn sizes(idle: f64, with_claims: f64) -> Table {
    let mut table = Table::new("memory and size; the aims are absolute", &["", "MB", "aim", ""]);
    let mut row = |name: String, megabytes: f64, aim| {
        let mut cells = vec![name, format!("{megabytes:.2}")];
        cells.extend(verdict(megabytes, aim));
        table.row(cells);
    };
    row("daemon, resident, just started".to_owned(), idle, Some(AtMost(15.0)));
    row(format!("daemon, resident, with {} claims", memory::CLAIMS), with_claims, None);
    for (name, megabytes) in stage::sizes() {
        let aim = (name == tests::binaries::PLUGIN).then_some(AtMost(1.6));
        row(format!("program {name}"), megabytes, aim);
    }
    table
}
