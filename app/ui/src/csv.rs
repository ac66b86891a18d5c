//! Tables as files that spreadsheets open.

/// RFC 4180, with a byte order mark so that spreadsheets read it as UTF-8. A cell that a
/// spreadsheet would run as a formula is kept as text.
pub fn write(head: &[String], rows: &[Vec<String>]) -> String {
    let mut out = String::from("\u{feff}");
    for row in std::iter::once(head).chain(rows.iter().map(Vec::as_slice)) {
        let cells: Vec<String> = row.iter().map(|c| cell(c)).collect();
        out.push_str(&cells.join(","));
        out.push_str("\r\n");
    }
    out
}

fn cell(text: &str) -> String {
    let is_number = text.parse::<f64>().is_ok();
    let guarded = if !is_number && text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{text}")
    } else {
        text.to_owned()
    };
    if guarded.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", guarded.replace('"', "\"\""))
    } else {
        guarded
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn names_with_commas_quotes_and_formulas_stay_one_cell_of_text() {
        let head = ["Time".to_owned(), "a,b".to_owned()];
        let rows = [vec!["say \"hi\"".to_owned(), "=1+1".to_owned()], vec!["-1.5".to_owned(), String::new()]];
        assert_eq!(
            super::write(&head, &rows),
            "\u{feff}Time,\"a,b\"\r\n\"say \"\"hi\"\"\",'=1+1\r\n-1.5,\r\n"
        );
    }
}
