//! Tables for spreadsheets (RFC 4180). Pure.

use shared::unit::Timestamp;

/// RFC 3339.
pub fn time(at: Timestamp) -> String {
    match serde_json::to_value(at) {
        Ok(serde_json::Value::String(text)) => text,
        _ => String::new(),
    }
}

/// A line of a table.
pub fn line(cells: &[&str]) -> String {
    cells.iter().map(|text| cell(text)).collect::<Vec<_>>().join(",") + "\r\n"
}

/// A cell that a spreadsheet shows as it is: none that it would take for a formula, none that ends early.
pub fn cell(text: &str) -> String {
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '|', '%'])
        || text.starts_with(['\u{FF1D}', '\u{FF0B}', '\u{FF0D}', '\u{FF20}']);
    let text = if is_formula { format!("'{text}") } else { text.to_owned() };
    if text.contains(['"', ',', '\r', '\n', ';', '\t', '\'']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula_and_none_breaks_out() {
        assert_eq!(cell("plain text"), "plain text");
        assert_eq!(cell("=1+1"), "\"'=1+1\"");
        assert_eq!(cell("a,b\"c\"\r\nd"), "\"a,b\"\"c\"\"\r\nd\"");
        for text in ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "|x", "%x", "＝1"] {
            let shown = cell(text);
            assert!(shown.trim_start_matches('"').starts_with('\''), "{shown}");
        }
        assert_eq!(cell(""), "");
    }
}
