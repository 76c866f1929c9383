//! What became of the operations of a transaction: the array that answers `transact` (RFC 7047 section 4.1.3).

use serde::Deserialize;

use crate::value::{Row, Uuid};

/// What one operation brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Done, with nothing to tell: wait, commit, comment, assert.
    Done,
    /// The row that was made.
    Inserted(Uuid),
    /// How many rows an update, mutate or delete met; those it left as they were are among them.
    Count(u64),
    /// The rows that a select found.
    Rows(Vec<Row>),
}

/// The database refused a transaction; nothing of it took effect.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {error}{}", place(.operation), note(.details))]
pub struct Refusal {
    /// Which operation failed, counted from 0; `None` when the transaction failed as a whole when it was committed.
    pub operation: Option<usize>,
    /// The kind of error, a fixed text such as `timed out` or `constraint violation`.
    pub error: String,
    /// More about it, for people.
    pub details: Option<String>,
}

impl Refusal {
    /// Whether a [`crate::op::Operation::Wait`] found the rows different from what was expected: plan again on newer data.
    pub fn is_unmet_wait(&self) -> bool {
        self.error == "timed out"
    }

    /// Whether the cluster lost the transaction on its way, so that it may have been committed nevertheless.
    pub fn leaves_doubt(&self) -> bool {
        self.error == "cluster error"
    }
}

fn place(operation: &Option<usize>) -> String {
    operation.map_or_else(|| "commit".to_owned(), |at| format!("operation {at}"))
}

fn note(details: &Option<String>) -> String {
    details.as_ref().map_or_else(String::new, |details| format!(" ({details})"))
}

/// Why the answer to a transaction is not a list of outcomes.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The database refused the transaction.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The answer is not what RFC 7047 says.
    #[error("cannot read the answer to a transaction")]
    Malformed(#[source] serde_json::Error),
    /// The answer has fewer outcomes than the transaction had operations, and no error.
    #[error("the answer to {operations} operations has {outcomes} outcomes")]
    Short {
        /// Operations that were sent.
        operations: usize,
        /// Outcomes that came back.
        outcomes: usize,
    },
}

/// Reads the `result` of a `transact` request of this many operations.
///
/// A failed operation stands in the list as an error object, those after it as null; a failure at commit is one more entry.
pub fn read(result: &str, operations: usize) -> Result<Vec<Outcome>, ReadError> {
    let entries: Vec<Option<Entry>> = serde_json::from_str(result).map_err(ReadError::Malformed)?;
    let mut outcomes = Vec::with_capacity(operations);
    for (at, entry) in entries.into_iter().enumerate() {
        match entry {
            None => break,
            Some(Entry { error: Some(error), details, .. }) => {
                return Err(Refusal { operation: (at < operations).then_some(at), error, details }.into());
            }
            Some(entry) => outcomes.push(entry.into_outcome()),
        }
    }
    if outcomes.len() == operations {
        Ok(outcomes)
    } else {
        Err(ReadError::Short { operations, outcomes: outcomes.len() })
    }
}

/// One entry of the list, whichever operation it answers.
#[derive(Deserialize)]
struct Entry {
    uuid: Option<(UuidTag, Uuid)>,
    count: Option<u64>,
    rows: Option<Vec<Row>>,
    error: Option<String>,
    details: Option<String>,
}

#[derive(Deserialize)]
enum UuidTag {
    #[serde(rename = "uuid")]
    Uuid,
}

impl Entry {
    fn into_outcome(self) -> Outcome {
        match (self.uuid, self.count, self.rows) {
            (Some((UuidTag::Uuid, uuid)), ..) => Outcome::Inserted(uuid),
            (None, Some(count), _) => Outcome::Count(count),
            (None, None, Some(rows)) => Outcome::Rows(rows),
            (None, None, None) => Outcome::Done,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "00000000-0000-0000-0000-00000000002a";

    fn refused(result: &str, operations: usize) -> Refusal {
        match read(result, operations) {
            Err(ReadError::Refused(refusal)) => refusal,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn every_kind_of_outcome_is_told_apart() {
        let result =
            format!(r#"[{{"uuid":["uuid","{ID}"]}},{{"count":3}},{{"rows":[{{"name":"a"}}]}},{{}}]"#);
        let rows = vec![Row::from([("name".to_owned(), "a".into())])];
        let wanted =
            [Outcome::Inserted(ID.parse().unwrap()), Outcome::Count(3), Outcome::Rows(rows), Outcome::Done];
        assert_eq!(read(&result, 4).unwrap(), wanted);
    }

    #[test]
    fn an_error_among_the_outcomes_refuses_the_whole_transaction() {
        let refusal = refused(r#"[{"count":1},{"error":"timed out","details":"where"},null]"#, 3);
        assert_eq!(refusal.operation, Some(1));
        assert!(refusal.is_unmet_wait() && !refusal.leaves_doubt());
        assert_eq!(refusal.to_string(), "operation 1: timed out (where)");
    }

    #[test]
    fn an_error_after_the_last_outcome_is_one_of_the_commit() {
        let refusal = refused(r#"[{"count":1},{"error":"constraint violation"}]"#, 1);
        assert_eq!(refusal.operation, None);
        assert_eq!(refusal.to_string(), "commit: constraint violation");
    }

    #[test]
    fn a_list_that_is_too_short_is_no_success() {
        assert!(matches!(read("[{},null]", 2), Err(ReadError::Short { operations: 2, outcomes: 1 })));
        assert!(matches!(read("[{}]", 2), Err(ReadError::Short { .. })));
        assert!(matches!(read("{}", 0), Err(ReadError::Malformed(_))));
    }
}
