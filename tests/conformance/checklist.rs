//! `docs/cni-checklist.md` tells the truth: all lines are there, and every test that it names exists.

use std::fs;
use std::path::Path;

/// The lines of the checklist.
const LINES: usize = 64;

#[test]
fn the_checklist_has_every_line_and_names_only_tests_that_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let text = fs::read_to_string(root.join("docs/cni-checklist.md")).unwrap();
    let rows: Vec<Row<'_>> = text.lines().filter_map(row).collect();
    assert_eq!(rows.iter().map(|row| row.number).collect::<Vec<_>>(), (1..=LINES).collect::<Vec<_>>());

    let sources = sources(&root);
    let missing: Vec<_> = rows
        .iter()
        .flat_map(|row| &row.tests)
        .filter(|test| !sources.contains(&format!("fn {test}()")))
        .collect();
    assert!(missing.is_empty(), "no such tests: {missing:#?}");
    let bare: Vec<_> =
        rows.iter().filter(|row| row.tests.is_empty() && !row.is_excused).map(|row| row.number).collect();
    assert!(bare.is_empty(), "neither a test nor a reason: {bare:?}");
}

/// One line of the checklist.
struct Row<'a> {
    number: usize,
    tests: Vec<&'a str>,
    is_excused: bool,
}

/// A line of a table whose first cell is a number; the tests are quoted in the last cell.
fn row(line: &str) -> Option<Row<'_>> {
    let cells: Vec<_> = line.strip_prefix("| ")?.trim_end_matches('|').split(" | ").collect();
    let number = cells.first()?.parse().ok()?;
    let tests = cells.last()?.split('`').skip(1).step_by(2).collect();
    Some(Row { number, tests, is_excused: line.contains("n/a: ") })
}

/// The text of every source file that may hold a test.
fn sources(root: &Path) -> String {
    let mut all = String::new();
    for folder in ["tests", "cni-plugin", "daemon", "ipam", "vpcctl", "crates"] {
        read(&root.join(folder), &mut all);
    }
    all
}

fn read(folder: &Path, into: &mut String) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            read(&path, into);
        } else if path.extension().is_some_and(|e| e == "rs") {
            into.push_str(&fs::read_to_string(&path).unwrap_or_default());
        }
    }
}
