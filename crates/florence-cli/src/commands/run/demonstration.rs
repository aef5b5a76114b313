//! What is said about the model that ships to who did not choose it.

use crate::args::RunArgs;

const NOTICE: &str = "florence-nano answers, a demonstration model that knows coloured shapes and printed words; its \
    confidences are low. For photographs: --model DIR (see README, Models)";

/// The notice, where a person reads stderr and no model was named. Scripts and pipes get none.
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
            Command::Run(args) => args,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn only_who_reads_and_did_not_choose_is_told() {
        let told = notice(&args(&[]), true).unwrap();
        assert!(told.contains("demonstration model") && told.contains("--model DIR"));
        assert_eq!(told.lines().count(), 1);
        assert_eq!(notice(&args(&[]), false), None);
        assert_eq!(notice(&args(&["--json"]), true), None);
        assert_eq!(notice(&args(&["--model", "nano"]), true), None);
        assert_eq!(
            notice(&args(&["--model", "Florence-2-base-ft"]), true),
            None
        );
    }
}
