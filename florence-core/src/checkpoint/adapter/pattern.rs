//! Regular expressions of PEFT's settings, which Python's `re` reads.

use std::fmt;

use fancy_regex::{Regex, RegexBuilder};

/// Maximum length of an expression in bytes, size of its program and steps back of a search.
const MAX_LEN: usize = 1 << 16;
const MAX_PROGRAM: usize = 1 << 22;
const MAX_STEPS: usize = 100_000;

/// An expression that names of modules match as a whole.
#[derive(Clone)]
pub(super) enum Pattern {
    /// Plain words and dots; a dot is any character.
    Plain(String, Prefix),
    Regex(Box<Regex>),
}

/// What may stand before the expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Prefix {
    Nothing,
    /// Nothing, or anything that ends with a dot.
    Modules,
}

impl Pattern {
    /// The error says what is wrong with the expression.
    pub(super) fn new(expression: &str, prefix: Prefix) -> Result<Self, String> {
        let plain = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
        if expression.chars().all(plain) {
            return Ok(Self::Plain(expression.to_owned(), prefix));
        }
        Self::regex(&match prefix {
            Prefix::Nothing => {
                // By itself, so that no parenthesis of it closes ours.
                Self::regex(expression)?;
                format!("\\A(?:{expression})\\z")
            }
            // As PEFT puts it together.
            Prefix::Modules => format!("\\A(.*\\.)?({expression})\\z"),
        })
        .map(|regex| Self::Regex(Box::new(regex)))
    }

    /// Compiles an expression within limits.
    pub(super) fn regex(expression: &str) -> Result<Regex, String> {
        if expression.len() > MAX_LEN {
            return Err(format!("{} bytes, at most {MAX_LEN}", expression.len()));
        }
        let mut builder = RegexBuilder::new(expression);
        builder.backtrack_limit(MAX_STEPS);
        builder.delegate_size_limit(MAX_PROGRAM);
        builder.delegate_dfa_size_limit(MAX_PROGRAM);
        builder.build().map_err(|e| e.to_string())
    }

    /// Whether the name of a module matches. The error is a search that takes too long.
    pub(super) fn matches(&self, module: &str) -> Result<bool, String> {
        match self {
            Self::Plain(words, prefix) => Ok(plain_match(words, *prefix, module)),
            Self::Regex(regex) => regex.is_match(module).map_err(|e| e.to_string()),
        }
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain(words, _) => f.write_str(words),
            Self::Regex(regex) => f.write_str(regex.as_str()),
        }
    }
}

fn plain_match(words: &str, prefix: Prefix, module: &str) -> bool {
    let (len, all) = (words.chars().count(), module.chars().count());
    if len > all || (prefix == Prefix::Nothing && len != all) {
        return false;
    }
    let (mut end, before) = (
        module.chars().skip(all - len),
        module.chars().take(all - len),
    );
    words
        .chars()
        .all(|c| end.next().is_some_and(|m| c == '.' || c == m))
        && before.last().is_none_or(|c| c == '.')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(expression: &str, prefix: Prefix, module: &str) -> bool {
        Pattern::new(expression, prefix)
            .unwrap()
            .matches(module)
            .unwrap()
    }

    #[test]
    fn a_key_is_a_module_or_the_end_of_one() {
        for (key, expected) in [
            ("fc2", true),
            ("layers.0.fc2", true),
            ("layers_0.fc2", false),
            ("c2", false),
            ("decoder.layers.0.fc2", true),
            ("a.decoder.layers.0.fc2", false),
            (r"^decoder\.layers\.0\.fc2", true),
            (r"^layers\.0\.fc2", false),
            (r"layers\.\d\.fc[12]", true),
            ("fc2|fc3", true),
            (r"(?<!x\.)fc2", true),
        ] {
            assert_eq!(
                matches(key, Prefix::Modules, "decoder.layers.0.fc2"),
                expected,
                "{key}"
            );
        }
    }

    #[test]
    fn an_expression_matches_as_a_whole() {
        assert!(matches(r".*\.(fc1|fc2)", Prefix::Nothing, "a.b.fc1"));
        assert!(!matches(r"fc[12]", Prefix::Nothing, "a.b.fc1"));
        assert!(!matches("fc1", Prefix::Nothing, "a.fc1"));
        assert!(matches("a.fc1", Prefix::Nothing, "a.fc1"));
        assert!(matches(r"^a(?=\.).*fc1$", Prefix::Nothing, "a.b.fc1"));
    }

    #[test]
    fn bad_expressions_are_errors() {
        for bad in ["(", "a{1000000}{1000000}", "[", r"(?P<x>a)(?P=y)"] {
            Pattern::new(bad, Prefix::Nothing).unwrap_err();
        }
        Pattern::new(&format!("({})", "a|".repeat(MAX_LEN)), Prefix::Nothing).unwrap_err();
        let slow = Pattern::new(r"(?=(a+)+\1b)(a|a)*c", Prefix::Nothing).unwrap();
        slow.matches(&"a".repeat(200)).unwrap_err();
    }
}
