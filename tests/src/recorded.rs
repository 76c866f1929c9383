//! The recorded exchanges of Kube-OVN v1.17.0's plugin and daemon.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::command::{self, words};
use crate::raw::Answer;
use crate::witness;

/// One recording.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// Its number, two digits, and what it shows.
    pub name: String,
    /// What the plugin sent.
    pub request: Vec<u8>,
    answer: Vec<u8>,
}

/// Every recording with a request, in order of its number.
///
/// # Panics
/// When the files are not there.
#[track_caller]
pub fn all() -> Vec<Recorded> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut requests = BTreeMap::<String, PathBuf>::new();
    for folder in [here.join("wire"), here.join("../cni-plugin/tests/wire")] {
        for file in witness::files(&folder).iter().filter_map(|f| f.strip_suffix(".req")) {
            requests.insert(file.to_owned(), folder.join(file));
        }
    }
    assert!(requests.len() > 60, "only {} recordings found", requests.len());
    let read = |(name, path): (String, PathBuf)| {
        let bytes = |extension| {
            let file = path.with_added_extension(extension);
            fs::read(&file).unwrap_or_else(|e| panic!("read {}: {e}", file.display()))
        };
        Recorded { name, request: bytes("req"), answer: bytes("resp") }
    };
    requests.into_iter().map(read).collect()
}

impl Recorded {
    /// The number at the head of its name.
    pub fn number(&self) -> &str {
        self.name.get(..2).unwrap_or_default()
    }

    /// The recorded answer, its body unpacked.
    ///
    /// # Panics
    /// When it is not whole.
    #[track_caller]
    pub fn answer(&self) -> Answer {
        let mut answer =
            Answer::parse(&self.answer).unwrap_or_else(|| panic!("{}: half an answer", self.name));
        if answer.header("content-encoding") == Some("gzip") && !answer.body.is_empty() {
            answer.body = command::run(words("gzip -dc"), &answer.body).expect_success().stdout;
        }
        answer
    }

    /// Asserts that ours has the same status line, content type and body.
    ///
    /// # Panics
    /// When it has not.
    #[track_caller]
    pub fn assert_same(&self, ours: &Answer) {
        self.assert_like(ours, |body| body);
    }

    /// As [`Recorded::assert_same`], with both bodies seen through `view`.
    ///
    /// # Panics
    /// As [`Recorded::assert_same`].
    #[track_caller]
    pub fn assert_like(&self, ours: &Answer, view: impl Fn(String) -> String) {
        let theirs = self.answer();
        assert_eq!(ours.status, theirs.status, "{}", self.name);
        assert_eq!(ours.header("content-type"), theirs.header("content-type"), "{}", self.name);
        assert_eq!(ours.header("content-encoding"), None, "{}: we never gzip", self.name);
        let body = |answer: &Answer| view(String::from_utf8_lossy(&answer.body).into_owned());
        assert_eq!(body(ours), body(&theirs), "{}", self.name);
    }
}
