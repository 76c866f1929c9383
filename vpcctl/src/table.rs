//! Text in columns, as kubectl prints it.

/// Blanks between two columns.
const GAP: usize = 3;

/// Lines of cells under a header, each column as wide as its widest cell. No blanks at the end of a line.
pub(crate) fn render(header: &[&str], rows: &[Vec<String>]) -> String {
    let rows: Vec<Vec<String>> =
        rows.iter().map(|row| row.iter().map(|cell| printable(cell)).collect()).collect();
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells.chain(header.get(column).map(|cell| cell.chars().count())).max().unwrap_or_default()
    };
    let widths: Vec<usize> = (0..header.len()).map(width).collect();
    let mut text = line(header.iter().copied(), &widths);
    for row in &rows {
        text.push_str(&line(row.iter().map(String::as_str), &widths));
    }
    text
}

fn line<'a>(cells: impl Iterator<Item = &'a str>, widths: &[usize]) -> String {
    let mut line = String::new();
    for (cell, width) in cells.zip(widths) {
        line.push_str(cell);
        line.extend(std::iter::repeat_n(' ', width + GAP - cell.chars().count().min(*width)));
    }
    line.truncate(line.trim_end().len());
    line.push('\n');
    line
}

/// One line that does nothing to the terminal, whatever is in it.
pub(crate) fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows =
            [vec!["a".into(), "10.0.0.1".into(), String::new()], vec!["网络".into(), "x".into(), "z".into()]];

        assert_eq!(
            render(&["NAME", "IP", "LAST"], &rows),
            "NAME   IP         LAST\na      10.0.0.1\n网络     x          z\n"
        );
    }

    #[test]
    fn a_cell_cannot_control_the_terminal() {
        assert_eq!(render(&["A"], &[vec!["x\u{1b}[2J\ny".into()]]), "A\nx [2J y\n");
    }
}
