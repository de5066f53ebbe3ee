//! The kept corpora: text files, so that they can be read, compared and merged.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// The most that one target's corpus has.
pub const MOST_BYTES: usize = 24 << 10;

/// Where a target's corpus is.
pub fn path(target: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("corpus/{target}.txt"))
}

/// A target's corpus as it is kept; empty if there is none.
pub fn text(target: &str) -> String {
    fs::read_to_string(path(target)).unwrap_or_default()
}

/// A target's kept inputs.
///
/// # Panics
/// When a line isn't the escapes of a byte string.
pub fn inputs(target: &str) -> Vec<Vec<u8>> {
    let is_input = |line: &&str| !line.is_empty() && !line.starts_with('#');
    text(target).lines().filter(is_input).map(unescaped).collect()
}

/// An input as a line.
pub fn escaped(input: &[u8]) -> String {
    let line = input.escape_ascii().to_string();
    // A line that begins like this would be a remark.
    match line.strip_prefix('#') {
        Some(rest) => format!("\\x23{rest}"),
        None => line,
    }
}

/// Writes a target's kept inputs as files into `folder`, as libFuzzer reads them.
///
/// # Errors
/// When they can't be written.
pub fn write(target: &str, folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    inputs(target)
        .iter()
        .enumerate()
        .try_for_each(|(number, input)| fs::write(folder.join(format!("kept-{number:03}")), input))
}

/// A line as an input.
fn unescaped(line: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(line.len());
    let mut rest = line.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'\\' {
            out.push(byte);
            continue;
        }
        let Some((&kind, after)) = rest.split_first() else { panic!("a line ends in an escape: {line}") };
        rest = after;
        out.push(match kind {
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'x' => {
                let digits = rest.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
                rest = rest.get(2..).unwrap_or_default();
                let value = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
                value.unwrap_or_else(|| panic!("a wrong escape: {line}"))
            }
            other => other,
        });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_bring_back_any_bytes() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(unescaped(&escaped(&all)), all);
        assert!(!escaped(&all).contains('\n'));
        assert_eq!(unescaped(&escaped(b"#1")), b"#1");
        assert!(!escaped(b"#1").starts_with('#'));
    }
}
