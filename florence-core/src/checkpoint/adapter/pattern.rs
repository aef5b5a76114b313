//! Regular expressions of PEFT's settings, which Python's `re` reads.

use std::fmt;

use fancy_regex::{Regex, RegexBuilder};

/// Maximum length of an expression in bytes, and size of its program.
const MAX_LEN: usize = 1 << 15;
const MAX_PROGRAM: usize = 1 << 21;

/// The same for expressions that may have assertions or back references: those are several programs.
const MAX_FANCY_LEN: usize = 1 << 11;
const MAX_FANCY_PROGRAM: usize = 1 << 17;

/// Maximum number of steps back of a search.
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
        let regex = match prefix {
            Prefix::Nothing => {
                // By itself, so that no parenthesis of it closes ours.
                Self::regex(expression, "", "")?;
                Self::regex(expression, r"\A(?:", r")\z")?
            }
            // As PEFT puts it together.
            Prefix::Modules => Self::regex(expression, r"\A(.*\.)?(", r")\z")?,
        };
        Ok(Self::Regex(Box::new(regex)))
    }

    /// Compiles an expression within limits, with something before and after it.
    pub(super) fn regex(expression: &str, before: &str, after: &str) -> Result<Regex, String> {
        let mut escapes = expression.split('\\').skip(1);
        let is_fancy = expression.contains("(?") || escapes.any(|rest| !rest.starts_with('.'));
        let (max_len, max_program) = match is_fancy {
            true => (MAX_FANCY_LEN, MAX_FANCY_PROGRAM),
            false => (MAX_LEN, MAX_PROGRAM),
        };
        if expression.len() > max_len {
            return Err(format!("{} bytes, at most {max_len}", expression.len()));
        }
        let mut builder = RegexBuilder::new(&format!("{before}{expression}{after}"));
        builder.backtrack_limit(MAX_STEPS);
        builder.delegate_size_limit(max_program);
        builder.delegate_dfa_size_limit(max_program);
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
    fn expressions_that_tools_write_fit_the_limits() {
        let all: Vec<String> = (0..300)
            .map(|i| format!(r"decoder\.layers\.{i}\.fc1"))
            .collect();
        for (expression, module) in [
            (
                r"^(language_model(?=\.).*\.(fc1|fc2|q_proj))$",
                "language_model.a.fc1",
            ),
            (
                r".*\.layers\.\d+\.(self_attn|encoder_attn)\.\w+_proj",
                "a.layers.11.self_attn.q_proj",
            ),
            (
                r"(?:.*?(?:language|text).*?(?:self_attn|mlp).*?(?:q|k)_proj.*?)",
                "language.self_attn.q_proj",
            ),
            (
                r"(?!.*vision_tower)[\w.]+\.fc[12]",
                "language_model.layers.0.fc2",
            ),
            (
                &format!(".*({})", all.join("|")),
                "model.decoder.layers.299.fc1",
            ),
        ] {
            assert!(matches(expression, Prefix::Nothing, module), "{expression}");
        }
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
