//! Searching for what people type.

/// For `LIKE … ESCAPE '\\'`: whatever holds this text, which stands for itself.
pub fn pattern(search: &str) -> String {
    let mut pattern = String::from("%");
    for c in search.chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern + "%"
}

#[cfg(test)]
mod tests {
    use super::pattern;

    #[test]
    fn what_is_searched_for_stands_for_itself() {
        assert_eq!(pattern("Ada"), "%Ada%");
        assert_eq!(pattern("100%_\\"), r"%100\%\_\\%");
    }
}
