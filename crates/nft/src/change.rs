//! One step of a batch, and its words in an error.

use std::fmt;

use crate::chain::Base;
use crate::name::Name;
use crate::rule::Rule;
use crate::set::{Element, Key, Ranges, Set};
use crate::table::TableId;

/// One message that changes a table. A batch of them succeeds or fails as a whole.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// The table.
    pub table: TableId,
    /// What happens to it.
    pub step: Step,
}

/// What happens to a table.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// It is made, or woken if it is dormant; that it is there is no fault.
    AddTable,
    /// It goes with all that is in it; it must be there.
    RemoveTable,
    /// An empty chain is made, with a base or without.
    AddChain(Name, Option<Base>),
    /// A chain goes that nothing leads to any more.
    RemoveChain(Name),
    /// All rules of a chain go.
    Flush(Name),
    /// A chain gets one more rule at its end.
    AddRule(Name, Rule),
    /// An empty set is made as this one is, whose elements are not looked at.
    AddSet(Name, Set),
    /// A set goes that no rule looks into any more.
    RemoveSet(Name),
    /// A set gets elements; that one is there with the same data is no fault.
    AddElements(Elements),
    /// A set loses elements, which must be there.
    RemoveElements(Elements),
}

/// Elements of one set, few enough for a message: [`crate::Batch::add_elements`] makes them.
#[derive(Debug, Clone, PartialEq)]
pub struct Elements {
    pub(crate) set: Name,
    /// How the set keeps ranges.
    pub(crate) ranges: Ranges,
    pub(crate) list: Vec<(Key, Element)>,
}

impl Elements {
    /// The name of the set.
    pub fn set(&self) -> &Name {
        &self.set
    }

    /// The elements.
    pub fn iter(&self) -> impl Iterator<Item = &(Key, Element)> {
        self.list.iter()
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let table = &self.table;
        match &self.step {
            Step::AddTable => write!(f, "add table {table}"),
            Step::RemoveTable => write!(f, "remove table {table}"),
            Step::AddChain(chain, _) => write!(f, "add chain {table} {chain}"),
            Step::RemoveChain(chain) => write!(f, "remove chain {table} {chain}"),
            Step::Flush(chain) => write!(f, "flush chain {table} {chain}"),
            Step::AddRule(chain, rule) => {
                write!(f, "add rule {table} {chain}")?;
                rule.comment.iter().try_for_each(|comment| write!(f, " {comment:?}"))
            }
            Step::AddSet(set, _) => write!(f, "add set {table} {set}"),
            Step::RemoveSet(set) => write!(f, "remove set {table} {set}"),
            Step::AddElements(elements) => write!(f, "add {elements} to set {table} {}", elements.set),
            Step::RemoveElements(elements) => {
                write!(f, "remove {elements} from set {table} {}", elements.set)
            }
        }
    }
}

impl fmt::Display for Elements {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.list.as_slice() {
            [(key, _)] => write!(f, "element {key}"),
            more => write!(f, "{} elements", more.len()),
        }
    }
}
