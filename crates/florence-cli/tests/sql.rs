//! `florence sql`, with and without the program that it hands over to.

use std::process::Command;

fn florence() -> Command {
    Command::new(env!("CARGO_BIN_EXE_florence"))
}

#[test]
fn without_florence_sql_it_says_how_to_install_it() {
    let dir = tempfile::tempdir().unwrap();
    let output = florence()
        .args(["sql", "SELECT 1"])
        .env("PATH", dir.path())
        .output()
        .unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(
        error.contains("`cargo install florence-datafusion`"),
        "{error}"
    );
    assert_eq!(output.status.code(), Some(1));
}

#[cfg(unix)]
#[test]
fn florence_sql_gets_all_arguments_and_its_exit_code_is_returned() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let program = dir.path().join("florence-sql");
    std::fs::write(&program, "#!/bin/sh\nprintf '%s\\n' \"$@\"\nexit 7\n").unwrap();
    std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
    let args = ["sql", "--help", "-c", "SELECT 1", "--", "-x"];
    let output = florence()
        .args(args)
        .env("PATH", dir.path())
        .output()
        .unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    assert_eq!(printed, "--help\n-c\nSELECT 1\n--\n-x\n");
    assert_eq!(output.status.code(), Some(7));
}
