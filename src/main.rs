//! The `moisson` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    moisson::cli::main()
}
