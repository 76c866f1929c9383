//! The columns of `kubectl get`: a header and how to read the cell from the object.

use crate::object::{Object, Spec};

/// One column.
pub struct Column<S: Spec> {
    /// The header, in capitals.
    pub header: &'static str,
    /// Shown with `-o wide` only.
    pub wide_only: bool,
    /// The cell. Empty when there is nothing to say.
    pub read: fn(&Object<S>) -> String,
}

impl<S: Spec> Column<S> {
    /// A column that is always shown.
    pub const fn new(header: &'static str, read: fn(&Object<S>) -> String) -> Self {
        Self { header, wide_only: false, read }
    }

    /// A column that is shown with `-o wide` only.
    pub const fn wide(header: &'static str, read: fn(&Object<S>) -> String) -> Self {
        Self { header, wide_only: true, read }
    }
}

/// A list as kubectl prints it, `["a","b"]`; empty for an empty list.
pub(crate) fn json_list(items: &[String]) -> String {
    if items.is_empty() {
        return String::new();
    }
    serde_json::to_string(items).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_printed_as_kubectl_does() {
        assert_eq!(json_list(&["10.0.1.1".into(), "a..b".into()]), r#"["10.0.1.1","a..b"]"#);
        assert_eq!(json_list(&[]), "");
    }
}
