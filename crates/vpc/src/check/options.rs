//! `key=value,key=value` as it stands in `dhcpV4Options` and the like.

use std::collections::BTreeMap;

use crate::finding::{Fault, Reason};

/// Reads options. A comma inside `{…}` or `"…"` belongs to the value: `dns_server={8.8.8.8,8.8.4.4}`.
pub(crate) fn options(field: &str, text: &str) -> Result<BTreeMap<String, String>, Fault> {
    let bad = |why: String| {
        Fault::new(Reason::InvalidOptions, format!("{field}: {why}; write it as lease_time=3600,mtu=1400"))
    };
    let mut found = BTreeMap::new();
    for item in split(text).ok_or_else(|| bad("a brace or quotation mark is not closed".to_owned()))? {
        let (key, value) = item.split_once('=').ok_or_else(|| bad(format!("{item:?} has no =")))?;
        let (key, value) = (key.trim(), value.trim());
        if key.is_empty() || !key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            return Err(bad(format!("{key:?} is no name of an option")));
        }
        if value.is_empty() {
            return Err(bad(format!("{key} has no value")));
        }
        if found.insert(key.to_owned(), value.to_owned()).is_some() {
            return Err(bad(format!("{key} stands there twice")));
        }
    }
    Ok(found)
}

fn split(text: &str) -> Option<Vec<&str>> {
    let (mut items, mut start, mut depth, mut is_quoted) = (Vec::new(), 0, 0_u32, false);
    for (at, c) in text.char_indices() {
        match c {
            '"' => is_quoted = !is_quoted,
            '{' if !is_quoted => depth += 1,
            '}' if !is_quoted => depth = depth.checked_sub(1)?,
            ',' if !is_quoted && depth == 0 => {
                items.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    items.push(&text[start..]);
    let items = items.into_iter().map(str::trim).filter(|item| !item.is_empty()).collect();
    (depth == 0 && !is_quoted).then_some(items)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<String>, String> {
        let found = options("dhcpV4Options", text).map_err(|fault| fault.message)?;
        Ok(found.iter().map(|(key, value)| format!("{key}={value}")).collect())
    }

    #[test]
    fn a_comma_inside_braces_or_quotes_belongs_to_the_value() {
        assert_eq!(
            read("lease_time=60, dns_server={8.8.8.8,8.8.4.4},domain_name=\"a,b\"").unwrap(),
            ["dns_server={8.8.8.8,8.8.4.4}", "domain_name=\"a,b\"", "lease_time=60"]
        );
        assert!(read("").unwrap().is_empty());
    }

    #[test]
    fn malformed_options_are_refused() {
        for bad in ["lease_time", "=1", "a b=1", "mtu=", "mtu=1,mtu=2", "dns_server={1", "x=\"1", "x=}"] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
