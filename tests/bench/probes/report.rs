//! The tables of the probes, with the aims.

use std::time::Duration;

use super::{CARRIED, Figures, INSIDE, OVER_OVN, PATHS, crowd, neighbours, rules};
use crate::compare::lasting;
use crate::samples::{Samples, Spread};
use crate::table::{AtMost, Table, verdict};

pub(super) fn tables(figures: &Figures) -> Vec<Table> {
    let of_rules = [
        (rules::ADD[0], Some(AtMost(0.5))),
        (rules::ADD[1], Some(AtMost(0.5))),
        (rules::REMOVE[0], None),
        (rules::REMOVE[1], None),
    ];
    vec![
        probes(figures),
        aims(figures),
        crowds(figures),
        lasting(&figures.rules, "rules of probes, in the library".into(), &of_rules),
        replaced(&figures.replaced),
        neighbours(&figures.neighbours),
    ]
}

fn micros(time: Duration) -> String {
    format!("{:.1}", time.as_secs_f64() * 1e6)
}

fn millis(time: Duration) -> String {
    format!("{:.1}", time.as_secs_f64() * 1e3)
}

fn probes(figures: &Figures) -> Table {
    let title = "probes of a pod in a VPC, one after the other, µs (the relay of pods without a device is not there yet)";
    let mut table = Table::new(title, &["", "connect p50", "p99", "refused p50", "p99", "GET p50", "p99"]);
    for path in PATHS {
        let kinds = [&figures.probes.connect, &figures.probes.refused, &figures.probes.get];
        let spreads = kinds.into_iter().filter_map(|kind| kind.spread(path));
        let mut cells = vec![path.to_owned()];
        cells.extend(spreads.flat_map(|Spread { median, p99, .. }| [micros(median), micros(p99)]));
        table.row(cells);
    }
    table
}

fn aims(figures: &Figures) -> Table {
    let mut table = Table::new("carried, as ratios", &["", "ratio", "at p10", "aim", ""]);
    let times = &figures.probes;
    let lines: [(&str, &Samples, &str, Option<AtMost>); 6] = [
        ("connect, to inside the pod", &times.connect, INSIDE, Some(AtMost(2.0))),
        ("refused, to inside the pod", &times.refused, INSIDE, None),
        ("GET, to inside the pod", &times.get, INSIDE, None),
        ("connect, to pod to pod over OVN", &times.connect, OVER_OVN, Some(AtMost(1.0))),
        ("refused, to pod to pod over OVN", &times.refused, OVER_OVN, None),
        ("GET, to pod to pod over OVN", &times.get, OVER_OVN, None),
    ];
    for (what, samples, reference, aim) in lines {
        let Some((ratio, at_p10)) = samples.ratios(CARRIED, reference) else { continue };
        let mut cells = vec![what.to_owned(), format!("{ratio:.2}"), format!("{at_p10:.2}")];
        cells.extend(verdict(ratio, aim));
        table.row(cells);
    }
    table
}

fn crowds(figures: &Figures) -> Table {
    let title = format!("{} GETs at once, ms", crowd::AT_ONCE);
    let mut table = Table::new(title, &["", "p50", "p99", "until the last", "failed"]);
    for (path, crowd) in &figures.crowds {
        let (p50, p99) =
            crowd.each.map_or((String::new(), String::new()), |each| (millis(each.median), millis(each.p99)));
        table.row(vec![(*path).to_owned(), p50, p99, millis(crowd.whole), crowd.failed.to_string()]);
    }
    table
}

fn replaced(replaced: &rules::Replaced) -> Table {
    let title = format!("{} replacements back to back, under probes", rules::REPLACEMENTS);
    let mut table = Table::new(title, &["", "", "aim", ""]);
    let took = replaced.took.spread(rules::REPLACED).map_or(Duration::ZERO, |spread| spread.median);
    let mut row = |name: &str, text: String, [aim, mark]: [String; 2]| {
        table.row(vec![name.to_owned(), text, aim, mark]);
    };
    row(&format!("{}, median ms", rules::REPLACED), millis(took), verdict(0.0, None));
    row("probes meanwhile", replaced.probes.to_string(), verdict(0.0, None));
    let wrong = u32::try_from(replaced.wrong).map_or(f64::INFINITY, f64::from);
    row("  of them lost or wrong", replaced.wrong.to_string(), verdict(wrong, Some(AtMost(0.0))));
    table
}

fn neighbours(samples: &Samples) -> Table {
    let title =
        "the probed pod's other traffic, to a pod of its switch over OVN, µs; ratio to that without the hook";
    let mut table = Table::new(title, &["", "median", "p10", "p90", "at p10", "ratio"]);
    for [with, without] in [neighbours::SENT, neighbours::ECHOED, neighbours::STREAMED] {
        for name in [with, without] {
            let (Some(spread), Some((ratio, at_p10))) = (samples.spread(name), samples.ratios(name, without))
            else {
                continue;
            };
            let times = [spread.median, spread.p10, spread.p90].map(micros);
            let mut cells = vec![name.to_owned()];
            cells.extend(times);
            cells.extend([format!("{at_p10:.2}"), format!("{ratio:.2}")]);
            table.row(cells);
        }
    }
    table
}
