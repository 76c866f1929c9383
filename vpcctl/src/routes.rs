//! `routes`: what a VPC's router does with a packet, and where each row comes from.

use std::fmt::Write as _;

use daemon_api::routes::{PolicyRow, RouteRow, RouteTable};

use crate::table::{self, printable};

/// The text for people. `wide` shows the ports of connected networks.
pub(crate) fn render(routes: &RouteTable, wide: bool) -> String {
    let mut header = vec!["TABLE", "TYPE", "PREFIX", "NEXTHOP", "ORIGIN"];
    header.extend(wide.then_some("PORT"));
    let rows: Vec<Vec<String>> = routes.routes.iter().map(|row| route(row, wide)).collect();
    let mut text = table::render(&header, &rows);
    if !routes.policies.is_empty() {
        let rows: Vec<Vec<String>> = routes.policies.iter().map(policy).collect();
        text.push('\n');
        text.push_str(&table::render(&["PRIORITY", "MATCH", "ACTION", "NEXTHOP", "ORIGIN"], &rows));
    }
    for (number, notice) in routes.notices.iter().enumerate() {
        let _ = writeln!(text, "{}! {}", if number == 0 { "\n" } else { "" }, printable(notice));
    }
    text
}

fn route(row: &RouteRow, wide: bool) -> Vec<String> {
    let table = if row.table.is_empty() { "main" } else { &row.table };
    let mut cells = vec![
        table.to_owned(),
        row.policy.clone(),
        row.prefix.clone(),
        hops(&row.next_hops),
        row.origin.clone(),
    ];
    cells.extend(wide.then(|| row.port.clone()));
    cells
}

fn policy(row: &PolicyRow) -> Vec<String> {
    let (priority, hops) = (row.priority.to_string(), hops(&row.next_hops));
    vec![priority, row.match_text.clone(), row.action.clone(), hops, row.origin.clone()]
}

fn hops(next_hops: &[String]) -> String {
    if next_hops.is_empty() { "-".to_owned() } else { next_hops.join(",") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_row_tells_where_it_comes_from() {
        let connected = RouteRow {
            policy: "dst-ip".into(),
            prefix: "10.0.1.0/24".into(),
            port: "v-net1".into(),
            origin: "connected".into(),
            ..RouteRow::default()
        };
        let shared = RouteRow {
            table: "rtb1".into(),
            policy: "src-ip".into(),
            prefix: "10.0.2.0/24".into(),
            next_hops: vec!["10.0.1.8".into(), "10.0.1.9".into()],
            origin: "static".into(),
            ..RouteRow::default()
        };
        let drop = PolicyRow {
            priority: 11,
            match_text: "ip4.dst == 8.8.8.8".into(),
            action: "drop".into(),
            origin: "policy".into(),
            ..PolicyRow::default()
        };
        let routes = RouteTable {
            vpc: "v".into(),
            routes: vec![connected, shared],
            policies: vec![drop],
            notices: vec!["something".into()],
        };

        assert_eq!(
            render(&routes, false),
            "\
TABLE   TYPE     PREFIX        NEXTHOP             ORIGIN
main    dst-ip   10.0.1.0/24   -                   connected
rtb1    src-ip   10.0.2.0/24   10.0.1.8,10.0.1.9   static

PRIORITY   MATCH                ACTION   NEXTHOP   ORIGIN
11         ip4.dst == 8.8.8.8   drop     -         policy

! something
"
        );
        assert!(render(&routes, true).contains("connected   v-net1"));
    }
}
