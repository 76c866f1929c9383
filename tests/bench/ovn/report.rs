//! The tables of pods on OVN, with the aims.

use super::{Figures, MANY, crowd, rounds};
use crate::compare::{compared, lasting};
use crate::samples::Samples;
use crate::table::{AtMost, Table, verdict};

pub(super) fn tables(figures: &Figures) -> Vec<Table> {
    let mut tables = of_one(&figures.alone, "alone on the node");
    tables.extend(of_one(&figures.beside_many, &format!("beside {MANY} others")));
    let title = format!("{} pods at once, from the first start to the last answer", crowd::AT_ONCE);
    let lines = [
        (crowd::OURS[0], aim(500.0)),
        (crowd::REFERENCE[0], None),
        (crowd::OURS[1], None),
        (crowd::REFERENCE[1], None),
    ];
    tables.push(lasting(&figures.at_once, title, &lines));
    tables.push(memory(figures.megabytes));
    tables
}

fn of_one(samples: &Samples, place: &str) -> Vec<Table> {
    let title = |what: &str| format!("a pod on OVN, {place}, {what}");
    let [add, del] = rounds::OURS;
    vec![
        compared(
            samples,
            &title("ADD"),
            rounds::FLOOR[0],
            &[(rounds::KERNEL[0], None), (rounds::RPC[0], None), (add, aim(2.0)), (rounds::SPAWNED, None)],
        ),
        compared(samples, &title("ADD"), rounds::REFERENCE[0], &[(add, aim(3.0))]),
        compared(samples, &title("DEL"), rounds::REFERENCE[0], &[(del, aim(2.5))]),
        compared(samples, &title("DEL"), rounds::REFERENCE[1], &[(del, aim(2.5))]),
        compared(
            samples,
            &title("DEL"),
            rounds::FLOOR[1],
            &[(rounds::KERNEL[1], None), (rounds::RPC[1], None), (del, None)],
        ),
    ]
}

fn aim(most: f64) -> Option<AtMost> {
    Some(AtMost(most))
}

fn memory(megabytes: [f64; 2]) -> Table {
    let mut table = Table::new("memory of a daemon with OVN", &["", "MB", "aim", ""]);
    for (pods, megabytes) in [0, MANY].into_iter().zip(megabytes) {
        let mut cells = vec![format!("resident, with {pods} pods"), format!("{megabytes:.1}")];
        cells.extend(verdict(megabytes, None));
        table.row(cells);
    }
    table
}
