//! What a file that has become bad means: its objects of the last good version stay.

use std::collections::{BTreeMap, BTreeSet};

use super::files::{Located, Parsed};
use super::problem::{Place, Problem};

/// The objects in effect of every file, as of the last look.
#[derive(Debug, Default)]
pub(super) struct LastGood {
    files: BTreeMap<String, Vec<Located>>,
}

impl LastGood {
    /// Settles what is in effect of `file` now: what it says, and when a part of it is broken, also the objects of
    /// the last look that it does not define (any more): the broken part may have been one of them.
    pub(super) fn settle(&mut self, file: &str, mut parsed: Parsed) -> Parsed {
        let before = self.files.get(file).map_or(&[][..], Vec::as_slice);
        if parsed.problems.iter().any(Problem::is_broken) {
            let now: BTreeSet<(&str, &str)> = parsed.objects.iter().map(identity).collect();
            let kept: Vec<Located> =
                before.iter().filter(|object| !now.contains(&identity(object))).cloned().collect();
            if !kept.is_empty() {
                parsed.problems.push(still_in_effect(file, &kept));
                parsed.objects.extend(kept);
            }
        }
        self.files.insert(file.to_owned(), parsed.objects.clone());
        parsed
    }

    /// Forgets the files that are gone.
    pub(super) fn retain(&mut self, files: &BTreeSet<String>) {
        self.files.retain(|file, _| files.contains(file));
    }

    /// Everything in effect, by file name, for when the folder cannot be listed.
    pub(super) fn all(&self) -> impl Iterator<Item = &Located> {
        self.files.values().flatten()
    }

    /// True when objects of `file` are in effect.
    pub(super) fn knows(&self, file: &str) -> bool {
        self.files.get(file).is_some_and(|objects| !objects.is_empty())
    }
}

fn identity(located: &Located) -> (&str, &str) {
    (&located.kind, &located.name)
}

fn still_in_effect(file: &str, kept: &[Located]) -> Problem {
    let names: Vec<String> = kept.iter().map(|object| format!("{} {:?}", object.kind, object.name)).collect();
    Problem::broken(
        Place::new(file, 0),
        format!("the last good version of {} stays in effect", names.join(", ")),
        "correct the file",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resources::files::parse_file;

    const GOOD: &str = "{kind: Vpc, apiVersion: kubeovn.io/v1, metadata: {name: a}}
---
{kind: Vpc, apiVersion: kubeovn.io/v1, metadata: {name: b}}
";

    fn settled(last: &mut LastGood, text: &str) -> (Vec<String>, usize) {
        let parsed = last.settle("f.yaml", parse_file("f.yaml", text));
        (parsed.objects.iter().map(|o| o.name.clone()).collect(), parsed.problems.len())
    }

    #[test]
    fn a_broken_document_keeps_its_object_and_lets_the_others_change() {
        let mut last = LastGood::default();
        settled(&mut last, GOOD);

        let (names, problems) = settled(
            &mut last,
            "{kind: Vpc, apiVersion: kubeovn.io/v1, metadata: {name: c}}\n---\n{kind: Vpc, metadata: [\n",
        );

        assert_eq!(names, ["c", "a", "b"]);
        assert_eq!(problems, 2, "the fault and what it means");
    }

    #[test]
    fn a_good_version_ends_what_was_kept() {
        let mut last = LastGood::default();
        settled(&mut last, GOOD);
        settled(&mut last, "]");

        assert_eq!(settled(&mut last, "# nothing\n"), (vec![], 0));
    }

    #[test]
    fn a_file_that_was_never_good_keeps_nothing() {
        assert_eq!(settled(&mut LastGood::default(), "]"), (vec![], 1));
    }

    #[test]
    fn a_removed_file_is_forgotten() {
        let mut last = LastGood::default();
        settled(&mut last, GOOD);

        last.retain(&BTreeSet::new());

        assert!(!last.knows("f.yaml"));
        assert_eq!(last.all().count(), 0);
    }
}
