//! Aligned tables with an aim for each figure.

/// One table: what its ratios refer to, and its rows.
pub(crate) struct Table {
    title: String,
    head: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

/// The most that a figure should be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct AtMost(pub(crate) f64);

impl Table {
    pub(crate) fn new(title: impl Into<String>, head: &[&'static str]) -> Self {
        Self { title: title.into(), head: head.to_vec(), rows: Vec::new() }
    }

    pub(crate) fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    /// The first column is text and on the left, the others are figures and on the right.
    pub(crate) fn text(&self) -> String {
        let head: Vec<String> = self.head.iter().map(|&h| h.to_owned()).collect();
        let all: Vec<&Vec<String>> = std::iter::once(&head).chain(&self.rows).collect();
        let width = |column: usize| {
            all.iter().filter_map(|row| row.get(column)).map(|c| c.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..self.head.len()).map(width).collect();
        let mut text = format!("{}\n", self.title);
        for row in all {
            let cells = row.iter().zip(&widths).enumerate().map(|(n, (cell, width))| match n {
                0 => format!("{cell:<width$}"),
                _ => format!("{cell:>width$}"),
            });
            let line: Vec<String> = cells.collect();
            text.push_str(&format!("  {}\n", line.join("  ").trim_end()));
        }
        text
    }
}

/// The last two cells of a row: the aim, and whether `value` keeps it.
pub(crate) fn verdict(value: f64, aim: Option<AtMost>) -> [String; 2] {
    match aim {
        Some(AtMost(most)) => [format!("≤ {most}"), if value <= most { "✓" } else { "✗" }.to_owned()],
        None => [String::new(), String::new()],
    }
}
