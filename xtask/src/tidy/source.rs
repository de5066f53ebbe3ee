//! Enough of Rust's grammar to know which paths a file names: imports written out, comments and strings left aside.

/// The part of a file that ships: everything before its unit tests.
pub fn without_tests(text: &str) -> &str {
    let mut position = 0;
    for line in text.split_inclusive('\n') {
        if line.starts_with("#[cfg(test)]") {
            return &text[..position];
        }
        position += line.len();
    }
    text
}

/// All paths in the code, with grouped imports written out: `use a::{b, c::*}` names `a::b` and `a::c`.
pub fn paths(text: &str) -> Vec<String> {
    let tokens = tokens(text);
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        if matches!(&tokens[at], Token::Word(_)) {
            at = path(&tokens, at, &mut Vec::new(), &mut found);
        } else {
            at += 1;
        }
    }
    found
}

/// Whether `path` is `prefix` or lies below it.
pub fn is_below(path: &str, prefix: &str) -> bool {
    path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Word(String),
    Separator,
    Open,
    Close,
    Comma,
    Other(char),
}

/// Reads one path from `at`, branching at braces; answers where it ended.
fn path(tokens: &[Token], mut at: usize, prefix: &mut Vec<String>, found: &mut Vec<String>) -> usize {
    let depth = prefix.len();
    loop {
        match tokens.get(at) {
            Some(Token::Word(word)) => {
                prefix.push(word.clone());
                at += 1;
                if tokens.get(at) == Some(&Token::Separator) {
                    at += 1;
                    continue;
                }
            }
            Some(Token::Open) if !prefix.is_empty() => {
                at = group(tokens, at + 1, prefix, found);
                prefix.truncate(depth);
                return at;
            }
            // A star, a turbofish, an end.
            _ => {}
        }
        break;
    }
    if prefix.len() > depth {
        found.push(prefix.join("::"));
    }
    prefix.truncate(depth);
    at
}

fn group(tokens: &[Token], mut at: usize, prefix: &mut Vec<String>, found: &mut Vec<String>) -> usize {
    while let Some(token) = tokens.get(at) {
        match token {
            Token::Close => return at + 1,
            Token::Word(word) if word == "self" => {
                found.push(prefix.join("::"));
                at += 1;
            }
            Token::Word(_) => {
                at = path(tokens, at, prefix, found);
                // A new name for it changes nothing.
                if tokens.get(at) == Some(&Token::Word("as".to_owned())) {
                    at += 2;
                }
            }
            _ => at += 1,
        }
    }
    at
}

fn tokens(text: &str) -> Vec<Token> {
    let chars: Vec<char> = text.chars().collect();
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(&char) = chars.get(at) {
        let next = chars.get(at + 1).copied();
        at = match char {
            '/' if next == Some('/') => skip_line(&chars, at),
            '/' if next == Some('*') => skip_block_comment(&chars, at),
            '"' => skip_string(&chars, at + 1),
            '\'' => skip_quote(&chars, at),
            _ if is_word(char) => {
                let end = (at..chars.len()).find(|&end| !is_word(chars[end])).unwrap_or(chars.len());
                let word: String = chars[at..end].iter().collect();
                match skip_raw_string(&chars, end, &word) {
                    Some(after) => after,
                    None => {
                        tokens.push(Token::Word(word));
                        end
                    }
                }
            }
            ':' if next == Some(':') => {
                // In `use ::a` it starts a path and joins nothing.
                if at > 0 && !chars[at - 1].is_whitespace() {
                    tokens.push(Token::Separator);
                }
                at + 2
            }
            _ => {
                tokens.extend(match char {
                    '{' => Some(Token::Open),
                    '}' => Some(Token::Close),
                    ',' => Some(Token::Comma),
                    space if space.is_whitespace() => None,
                    other => Some(Token::Other(other)),
                });
                at + 1
            }
        };
    }
    tokens
}

fn is_word(char: char) -> bool {
    char == '_' || char.is_alphanumeric()
}

fn skip_line(chars: &[char], at: usize) -> usize {
    (at..chars.len()).find(|&end| chars[end] == '\n').unwrap_or(chars.len())
}

fn skip_block_comment(chars: &[char], mut at: usize) -> usize {
    let mut depth = 0;
    while at < chars.len() {
        match (chars[at], chars.get(at + 1)) {
            ('/', Some('*')) => (depth, at) = (depth + 1, at + 2),
            ('*', Some('/')) => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

fn skip_string(chars: &[char], mut at: usize) -> usize {
    while at < chars.len() {
        match chars[at] {
            '\\' => at += 2,
            '"' => return at + 1,
            _ => at += 1,
        }
    }
    at
}

/// A character, or a lifetime's tick.
fn skip_quote(chars: &[char], at: usize) -> usize {
    match (chars.get(at + 1), chars.get(at + 2)) {
        (Some('\\'), _) => {
            (at + 3..chars.len()).find(|&end| chars[end] == '\'').map_or(chars.len(), |end| end + 1)
        }
        (Some(_), Some('\'')) => at + 3,
        _ => at + 1,
    }
}

/// After the `r` of `r#"…"#`; none when this is no raw string.
fn skip_raw_string(chars: &[char], at: usize, word: &str) -> Option<usize> {
    if !matches!(word, "r" | "br" | "cr") {
        return None;
    }
    let hashes = chars[at..].iter().take_while(|char| **char == '#').count();
    if chars.get(at + hashes) != Some(&'"') {
        return None;
    }
    let is_end = |&end: &usize| {
        chars[end] == '"'
            && chars[end + 1..].iter().take(hashes).filter(|char| **char == '#').count() == hashes
    };
    Some((at + hashes + 1..chars.len()).find(is_end).map_or(chars.len(), |end| end + 1 + hashes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_imports_out() {
        assert_eq!(
            paths("use a::{b, c::{self, d}, e as f, g::*};"),
            ["use", "a::b", "a::c", "a::c::d", "a::e", "a::g"]
        );
        assert_eq!(paths("let x = tokio::time::sleep(1);"), ["let", "x", "tokio::time::sleep", "1"]);
        assert_eq!(
            paths("use ::a::b;"),
            ["use", "a::b"][..1].to_vec().into_iter().chain(["a::b"]).collect::<Vec<_>>()
        );
    }

    #[test]
    fn leaves_comments_and_strings_aside() {
        let code = "// tokio::a\n/* tokio::b /* tokio::c */ */ let a = \"tokio::d \\\" tokio::e\"; r#\"tokio::f\"# 'x' &'a y '\\'' z";
        assert!(!paths(code).iter().any(|path| path.starts_with("tokio")), "{:?}", paths(code));
        assert!(paths(code).contains(&"z".to_owned()));
    }

    #[test]
    fn unit_tests_do_not_ship() {
        assert_eq!(without_tests("a\n#[cfg(test)]\nmod tests {}\n"), "a\n");
        assert_eq!(without_tests("a\nb"), "a\nb");
    }

    #[test]
    fn below_means_whole_names() {
        assert!(is_below("rand::rng", "rand") && is_below("rand", "rand"));
        assert!(!is_below("random::x", "rand"));
    }
}
