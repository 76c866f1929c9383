//! What is wrong with a file, and where.

use std::fmt;

/// A line of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The file's name inside the folder; the whole path when the folder itself is meant.
    pub file: String,
    /// Counted from 1; 0 means the whole file.
    pub line: usize,
}

impl Place {
    /// A line of a file.
    pub fn new(file: &str, line: usize) -> Self {
        Self { file: file.to_owned(), line }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => f.write_str(&self.file),
            line => write!(f, "{}:{line}", self.file),
        }
    }
}

/// How much it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Something does not take effect that should.
    Broken,
    /// Something was accepted that nothing here acts on.
    Ignored,
}

/// Something a person should look at.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Problem {
    /// Where.
    pub at: Place,
    /// How much it matters.
    pub severity: Severity,
    /// What was found.
    pub what: String,
    /// What to do; may be empty.
    pub hint: String,
}

impl Problem {
    /// Something that does not take effect.
    pub fn broken(at: Place, what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { at, severity: Severity::Broken, what: what.into(), hint: hint.into() }
    }

    /// Something that nothing acts on.
    pub fn ignored(at: Place, what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { at, severity: Severity::Ignored, what: what.into(), hint: hint.into() }
    }

    /// True when something does not take effect that should.
    pub fn is_broken(&self) -> bool {
        self.severity == Severity::Broken
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.at, self.what)?;
        if self.hint.is_empty() { Ok(()) } else { write!(f, "; {}", self.hint) }
    }
}

/// The problems of `these` that `those` do not hold.
pub(super) fn not_in<'a>(these: &'a [Problem], those: &[Problem]) -> Vec<&'a Problem> {
    these.iter().filter(|problem| !those.contains(problem)).collect()
}
