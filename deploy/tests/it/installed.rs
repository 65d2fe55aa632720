//! Programs that some checks need, and that not every machine has.

use std::path::Path;
use std::process::Command;

/// What a program prints, run in a folder; `None` with a printed line where it isn't installed.
pub fn output(program: &str, arguments: &[&str], folder: &Path) -> Option<String> {
    let ran = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .output();
    let output = match ran {
        Ok(output) => output,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            println!("skipped: {program} is not installed");
            return None;
        }
        Err(error) => panic!("{program}: {error}"),
    };
    let told = String::from_utf8_lossy(&output.stderr);
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{program} {arguments:?}: {told}{printed}"
    );
    Some(printed)
}
