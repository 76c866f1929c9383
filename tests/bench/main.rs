//! `make bench`: what a CNI call, a claim and an idle daemon cost, beside the reference plugins, in one run.
//!
//! Nothing is asserted: a figure that misses its aim is marked. `BENCH_ROUNDS` sets the number of rounds (50).
#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "the figures are what this program is for")]

mod calls;
mod claims;
mod memory;
mod process;
mod samples;
mod stage;
mod stub;
mod table;

use std::path::Path;
use std::process::ExitCode;

use crate::claims::Rates;
use crate::samples::Samples;
use crate::stage::Stage;
use crate::table::{AtMost, Table, verdict};

/// Rounds unless `BENCH_ROUNDS` says otherwise.
const ROUNDS: usize = 50;

/// Where the ledger of the claims per second lies: on the disk that the workspace is on, never on a tmpfs.
const LEDGER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../dist/bench-ledger");

fn main() -> ExitCode {
    let done = match Stage::given() {
        None => stage::set_up_and_measure(),
        Some(stage) => {
            report(&stage);
            true
        }
    };
    if done { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn report(stage: &Stage) {
    let rounds = std::env::var("BENCH_ROUNDS").ok().and_then(|n| n.parse().ok()).unwrap_or(ROUNDS).max(1);
    println!("{}", stage::machine());
    println!("load average at the start {}; {rounds} rounds, all variants in each", stage::load());
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
    println!("load average at the end {}", stage::load());
}

/// A variant and the most that its ratio should be.
type Line = (&'static str, Option<AtMost>);

fn times(samples: &Samples) -> Vec<Table> {
    let aim = |most| Some(AtMost(most));
    vec![
        timed(
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
        timed(samples, "the same question", calls::REFERENCE_VERSION, &[(calls::VERSION, aim(0.5))]),
        timed(samples, "addresses alone, ADD", calls::HOST_LOCAL[0], &[(calls::DELEGATED[0], aim(0.6))]),
        timed(samples, "addresses alone, DEL", calls::HOST_LOCAL[1], &[(calls::DELEGATED[1], aim(0.6))]),
        timed(
            samples,
            "macvlan with an address, ADD",
            calls::REFERENCE[0],
            &[(calls::MACVLAN[0], aim(1.0)), (calls::OWN[0], aim(0.5)), (calls::FLOOR[0], None)],
        ),
        timed(
            samples,
            "macvlan with an address, DEL",
            calls::REFERENCE[1],
            &[(calls::MACVLAN[1], aim(1.0)), (calls::OWN[1], aim(1.0)), (calls::FLOOR[1], None)],
        ),
        timed(samples, "own macvlan above the kernel, ADD", calls::FLOOR[0], &[(calls::OWN[0], None)]),
        timed(samples, "own macvlan above the kernel, DEL", calls::FLOOR[1], &[(calls::OWN[1], None)]),
    ]
}

fn timed(samples: &Samples, what: &str, reference: &'static str, lines: &[Line]) -> Table {
    let title = format!("{what}; the reference is {reference}");
    let mut table = Table::new(title, &["", "median ms", "p10", "p90", "at p10", "ratio", "aim", ""]);
    let own = [(reference, None)];
    for (name, aim) in own.iter().chain(lines) {
        let (Some(spread), Some((ratio, at_p10))) = (samples.spread(name), samples.ratios(name, reference))
        else {
            continue;
        };
        let times = [spread.median, spread.p10, spread.p90].map(|t| format!("{:.2}", t.as_secs_f64() * 1e3));
        let mut cells = vec![(*name).to_owned()];
        cells.extend(times);
        cells.extend([format!("{at_p10:.2}"), format!("{ratio:.2}")]);
        cells.extend(verdict(ratio, *aim));
        table.row(cells);
    }
    table
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
