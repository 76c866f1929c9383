//! The binary: the process's environment, stdin, stdout, stderr and exit status around [`cni_plugin::run()`].
#![forbid(unsafe_code)]

use std::io::{self, IsTerminal, Read, Write};
use std::process::ExitCode;

use cni_plugin::{Deadlines, crash, run};

fn main() -> ExitCode {
    let stdin = io::stdin();
    let mut config: Box<dyn Read> =
        if stdin.is_terminal() { Box::new(io::empty()) } else { Box::new(stdin.lock()) };
    let outcome = run(&|name| std::env::var_os(name), &mut config, &Deadlines::default());
    crash::point("plugin-before-print");

    let mut stderr = io::stderr().lock();
    // Nobody is left to be told when stderr is closed.
    let _ = stderr.write_all(outcome.stderr.as_bytes());
    let mut stdout = io::stdout().lock();
    match stdout.write_all(outcome.stdout.as_bytes()).and_then(|()| stdout.flush()) {
        Ok(()) => ExitCode::from(outcome.exit),
        Err(e) => {
            let _ = writeln!(stderr, "kube-ovn: cannot write the result to stdout: {e}");
            ExitCode::FAILURE
        }
    }
}
