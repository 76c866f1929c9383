//! Samples as tables: as ratios to a reference of the same rounds, or as times of their own.

use crate::samples::{Samples, Spread};
use crate::table::{AtMost, Table, verdict};

/// A variant and the most that its figure should be.
pub(crate) type Line = (&'static str, Option<AtMost>);

/// Each line's ratio to `reference`; the aims are for it.
pub(crate) fn compared(samples: &Samples, what: &str, reference: &'static str, lines: &[Line]) -> Table {
    let title = format!("{what}; the reference is {reference}");
    let mut table = Table::new(title, &["", "median ms", "p10", "p90", "at p10", "ratio", "aim", ""]);
    let own = [(reference, None)];
    for (name, aim) in own.iter().chain(lines) {
        let (Some(spread), Some((ratio, at_p10))) = (samples.spread(name), samples.ratios(name, reference))
        else {
            continue;
        };
        let mut cells = times(name, spread);
        cells.extend([format!("{at_p10:.2}"), format!("{ratio:.2}")]);
        cells.extend(verdict(ratio, *aim));
        table.row(cells);
    }
    table
}

/// Each line's median in ms; the aims are for it.
pub(crate) fn lasting(samples: &Samples, what: String, lines: &[Line]) -> Table {
    let mut table = Table::new(what, &["", "median ms", "p10", "p90", "aim", ""]);
    for (name, aim) in lines {
        let Some(spread) = samples.spread(name) else { continue };
        let mut cells = times(name, spread);
        cells.extend(verdict(spread.median.as_secs_f64() * 1e3, *aim));
        table.row(cells);
    }
    table
}

fn times(name: &str, spread: Spread) -> Vec<String> {
    let times = [spread.median, spread.p10, spread.p90].map(|t| format!("{:.2}", t.as_secs_f64() * 1e3));
    std::iter::once(name.to_owned()).chain(times).collect()
}
