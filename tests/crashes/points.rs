//! The crash points of the programs, which verb passes them, and how many claims are held once the daemon is back.

use std::path::Path;

use crate::site::Form;

/// A call of the runtime.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    Add,
    Del,
}

/// One point.
#[derive(Debug)]
pub(crate) struct Point {
    pub(crate) name: &'static str,
    /// How many claims may be held after it was passed in an ADD; none of them when an ADD does not pass it.
    add: Held,
    /// The same of the DEL of a finished ADD.
    del: Held,
    /// The forms that pass it.
    forms: &'static [Form],
    /// The plugin passes it only when no daemon answers.
    pub(crate) needs_no_daemon: bool,
}

type Held = &'static [usize];

const NOT_PASSED: Held = &[];

const ALL: &[Form] = &[Form::Own, Form::Delegated, Form::Veth];
/// An interface of ours is made there.
const OURS: &[Form] = &[Form::Own, Form::Veth];
const VETH: &[Form] = &[Form::Veth];

impl Point {
    const fn new(name: &'static str, add: Held, del: Held) -> Self {
        Self { name, add, del, forms: ALL, needs_no_daemon: false }
    }

    const fn of(forms: &'static [Form], name: &'static str, add: Held, del: Held) -> Self {
        Self { forms, ..Self::new(name, add, del) }
    }

    const fn without_daemon(name: &'static str) -> Self {
        Self { needs_no_daemon: true, ..Self::new(name, NOT_PASSED, &[0]) }
    }

    pub(crate) fn is_passed(&self, verb: Verb, form: Form) -> bool {
        self.held_after(verb) != NOT_PASSED && self.forms.contains(&form)
    }

    pub(crate) fn held_after(&self, verb: Verb) -> &'static [usize] {
        match verb {
            Verb::Add => self.add,
            Verb::Del => self.del,
        }
    }
}

/// `cni-plugin/src/crash.rs`. The daemon may do what a plugin asked that hung up at once, or not begin it.
pub(crate) const PLUGIN: [Point; 4] = [
    Point::new("plugin-before-connect", &[0], &[1]),
    Point::new("plugin-after-send", &[0, 1], &[0, 1]),
    Point::without_daemon("plugin-pending-written"),
    Point::new("plugin-before-print", &[1], &[0]),
];

/// `daemon/src/crash.rs`. A DEL that was cut off was left on disk and is replayed before the daemon is back.
pub(crate) const DAEMON: [Point; 13] = [
    Point::new("add-accepted", &[0], NOT_PASSED),
    Point::new("ledger-before-write", &[0], &[0]),
    Point::new("ledger-after-write", &[1], &[0]),
    Point::new("add-claimed", &[1], NOT_PASSED),
    Point::of(OURS, "wire-link-made", &[1], NOT_PASSED),
    Point::of(OURS, "wire-configured", &[1], NOT_PASSED),
    Point::of(VETH, "veth-plugged", &[1], NOT_PASSED),
    Point::new("add-wired", &[1], NOT_PASSED),
    Point::new("add-before-answer", &[1], NOT_PASSED),
    Point::new("del-accepted", NOT_PASSED, &[0]),
    Point::of(VETH, "veth-unplugged", NOT_PASSED, &[0]),
    Point::new("del-unwired", NOT_PASSED, &[0]),
    Point::new("del-before-answer", NOT_PASSED, &[0]),
];

#[test]
fn every_point_of_the_sources_is_tried() {
    for (source, points) in [("daemon", &DAEMON[..]), ("cni-plugin", &PLUGIN[..])] {
        let names: Vec<_> = points.iter().map(|point| point.name).collect();
        assert_eq!(names, listed(source), "{source}");
    }
}

/// The texts in the list `POINTS` of a program.
fn listed(program: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(program).join("src/crash.rs");
    let source = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let list = source.split_once("POINTS:").and_then(|(_, rest)| rest.split_once("];")).unwrap().0;
    list.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}
