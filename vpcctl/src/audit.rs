//! `ipam check`: the ledger compared with what lives.

use std::fmt::Write as _;

use daemon_api::explain::Audit;

use crate::table::printable;

/// The text for people.
pub(crate) fn render(audit: &Audit) -> String {
    let mut text = format!(
        "{} of {}, {} parked, {} waiting\n",
        count(audit.claims, "claim", "claims"),
        count(audit.sandboxes, "sandbox", "sandboxes"),
        audit.parked,
        count(audit.pending_dels, "DEL", "DELs"),
    );
    if audit.findings.is_empty() {
        text.push_str("✓ the ledger equals the living sandboxes\n");
    }
    for finding in &audit.findings {
        let _ = writeln!(text, "✗ {}: {}", printable(&finding.subject), printable(&finding.problem));
        if !finding.fix.is_empty() {
            let _ = writeln!(text, "  → {}", printable(&finding.fix));
        }
    }
    text
}

fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use daemon_api::explain::Finding;

    use super::*;

    #[test]
    fn a_clean_ledger_says_so() {
        let audit = Audit { claims: 3, sandboxes: 1, parked: 1, ..Audit::default() };

        assert_eq!(
            render(&audit),
            "3 claims of 1 sandbox, 1 parked, 0 DELs waiting\n✓ the ledger equals the living sandboxes\n"
        );
    }

    #[test]
    fn each_finding_says_what_to_do() {
        let finding = Finding {
            subject: "10.0.1.5".into(),
            problem: "its sandbox is gone".into(),
            fix: "nothing: the sweep frees it within 30 s".into(),
        };
        let audit = Audit { claims: 1, findings: vec![finding], ..Audit::default() };

        assert!(
            render(&audit)
                .ends_with("✗ 10.0.1.5: its sandbox is gone\n  → nothing: the sweep frees it within 30 s\n")
        );
    }
}
