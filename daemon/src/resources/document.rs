//! A YAML stream cut into its documents, so that one bad document does not hide the others.

/// One document of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Document<'a> {
    /// The text, from after the separator line.
    pub(super) text: &'a str,
    /// How many lines of the file stand before `text`.
    pub(super) lines_before: usize,
}

impl Document<'_> {
    /// The line of the file that holds the document's line `line`, both counted from 1.
    pub(super) fn line(&self, line: usize) -> usize {
        self.lines_before + line.max(1)
    }

    /// The line of the file where the content begins.
    pub(super) fn first_line(&self) -> usize {
        let blank = self.text.lines().take_while(|line| !has_content(line)).count();
        self.line(blank + 1)
    }

    /// The line of the file where `key:` stands first, when it stands at the beginning of a line.
    pub(super) fn line_of(&self, key: &str) -> Option<usize> {
        let names_key = |line: &str| {
            let line = line.trim_start().trim_start_matches(['"', '\'', '{', ',']);
            line.strip_prefix(key)
                .is_some_and(|rest| rest.trim_start_matches(['"', '\'', ' ']).starts_with(':'))
        };
        let index = self.text.lines().position(names_key)?;
        Some(self.line(index + 1))
    }

    /// A line of the document, counted from 1, without surrounding blanks and cut to a length fit for a message.
    pub(super) fn excerpt(&self, line: usize) -> String {
        const LONGEST: usize = 60;
        let text = self.text.lines().nth(line.saturating_sub(1)).unwrap_or_default().trim();
        match text.char_indices().nth(LONGEST) {
            Some((end, _)) => format!("{}…", &text[..end]),
            None => text.to_owned(),
        }
    }
}

/// Cuts `text` at the lines `---` and `...`, which YAML reserves at the beginning of a line whatever stands around
/// them (YAML 1.2, section 9.1.2). Documents without content are left out.
pub(super) fn split(text: &str) -> Vec<Document<'_>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut documents = Vec::new();
    let mut current = Document { text: "", lines_before: 0 };
    let (mut start, mut offset) = (0, 0);
    for (index, line) in text.split_inclusive('\n').enumerate() {
        if let Some(marker) = marker_length(line) {
            current.text = &text[start..offset];
            documents.push(current);
            start = offset + marker;
            // Content may follow the marker on its line, so this line is the document's first.
            current = Document { text: "", lines_before: index };
        }
        offset += line.len();
    }
    current.text = &text[start..];
    documents.push(current);
    documents.retain(|document| document.text.lines().any(has_content));
    documents
}

/// The length of the separator that `line` begins with.
fn marker_length(line: &str) -> Option<usize> {
    let rest = line.strip_prefix("---").or_else(|| line.strip_prefix("..."))?;
    let is_alone = rest.is_empty() || rest.starts_with([' ', '\t', '\r', '\n']);
    is_alone.then_some(3)
}

/// False for blank lines, comments and directives.
fn has_content(line: &str) -> bool {
    let line = line.trim();
    !(line.is_empty() || line.starts_with('#') || line.starts_with('%'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str) -> Vec<(usize, &str)> {
        split(text).iter().map(|d| (d.first_line(), d.text.trim())).collect()
    }

    #[test]
    fn documents_know_their_lines_in_the_file() {
        let text = "# head\n---\na: 1\n---\n\n# c\nb: 2\n...\n---\r\nc: 3\r\n";

        assert_eq!(cut(text), [(3, "a: 1"), (7, "# c\nb: 2"), (10, "c: 3")]);
    }

    #[test]
    fn empty_documents_are_no_documents() {
        for text in ["", "\n\n", "---\n", "---\n---\n# only a comment\n...\n", "%YAML 1.2\n---\n", "\u{feff}"]
        {
            assert!(cut(text).is_empty(), "{text:?}");
        }
    }

    #[test]
    fn content_may_follow_the_separator() {
        assert_eq!(
            cut("a: 1\n--- {b: 2}\n--- # note\nc: 3\n"),
            [(1, "a: 1"), (2, "{b: 2}"), (4, "# note\nc: 3")]
        );
    }

    #[test]
    fn dashes_inside_a_line_do_not_separate() {
        assert_eq!(cut("a: |\n  ---\n  x\nb: ----\n----: 1\n").len(), 1);
    }

    #[test]
    fn a_key_is_found_in_block_and_flow_style() {
        let line_of = |text, key| split(text)[0].line_of(key);

        assert_eq!(line_of("\nspec:\n  cidrBlock: x\n", "cidrBlock"), Some(3));
        assert_eq!(line_of("{\n \"cidrBlock\": \"x\"}", "cidrBlock"), Some(2));
        assert_eq!(line_of("spec:\n  cidrBlocks: x\n", "cidrBlock"), None);
    }
}
