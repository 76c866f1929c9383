//! A rule: expressions that run until one of them says no.

use crate::expr::Expr;

/// Expressions in order, and a comment that `nft list` shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rule {
    /// What the rule is for, and by which its author knows it again; `nft` shows up to 128 bytes. Part of the
    /// comparison of rules.
    pub comment: Option<String>,
    /// What it does.
    pub exprs: Vec<Expr>,
}

impl Rule {
    /// A rule without a comment.
    pub fn new(exprs: impl IntoIterator<Item = Expr>) -> Self {
        Self { comment: None, exprs: exprs.into_iter().collect() }
    }

    /// The rule with more expressions at its end.
    #[must_use]
    pub fn and(mut self, exprs: impl IntoIterator<Item = Expr>) -> Self {
        self.exprs.extend(exprs);
        self
    }

    /// The rule with a comment.
    #[must_use]
    pub fn named(mut self, comment: impl Into<String>) -> Self {
        self.comment = Some(comment.into());
        self
    }

    /// Whether both do the same; what they have counted is not asked.
    pub fn does_as(&self, other: &Self) -> bool {
        self.comment == other.comment
            && self.exprs.len() == other.exprs.len()
            && self.exprs.iter().zip(&other.exprs).all(|(ours, theirs)| ours.does_as(theirs))
    }
}
