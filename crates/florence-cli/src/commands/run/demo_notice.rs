//! Notice that the built-in demo model answers.

use crate::args::RunArgs;

const NOTICE: &str = "using florence-nano, a demo model that knows only colored shapes and printed words; its \
    confidences are low. For photographs: --model NAME (see florence models)";

/// The notice, if stderr is a terminal and no `--model` was given. Scripts and pipes get none.
pub(super) fn notice(args: &RunArgs, is_terminal: bool) -> Option<&'static str> {
    (is_terminal && !args.json && args.model.model.is_none()).then_some(NOTICE)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::args::{Cli, Command};

    fn args(more: &[&str]) -> RunArgs {
        let args = ["florence", "run", "--task", "od", "a.png"];
        match Cli::parse_from([&args, more].concat()).command {
            Command::Run(args) => *args,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_notice_is_for_terminals_without_a_model() {
        let text = notice(&args(&[]), true).unwrap();
        assert!(text.contains("demo model") && text.contains("--model NAME"));
        assert_eq!(text.lines().count(), 1);
        assert_eq!(notice(&args(&[]), false), None);
        assert_eq!(notice(&args(&["--json"]), true), None);
        assert_eq!(notice(&args(&["--model", "nano"]), true), None);
        assert_eq!(
            notice(&args(&["--model", "Florence-2-base-ft"]), true),
            None
        );
    }
}
