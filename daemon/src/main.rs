//! `kube-ovn-daemon`: flags → configuration → job.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use daemon::args::Args;
use daemon::config::{Job, LogConfig};
use daemon::{app, install};
use tracing_subscriber::EnvFilter;

/// The kernel work runs on threads of its own; the rest is short.
const WORKERS: usize = 2;
/// Exit status of a usage error, as in sysexits.h.
const USAGE: u8 = 64;

fn main() -> ExitCode {
    let args = match Args::parse(std::env::args_os()) {
        Ok(args) => args,
        Err(error) => {
            let _ = error.print();
            return if error.use_stderr() { ExitCode::from(USAGE) } else { ExitCode::SUCCESS };
        }
    };
    match start(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn start(args: &Args) -> anyhow::Result<()> {
    log(&LogConfig::from_args(args)?)?;
    let host_name = nix::unistd::gethostname().unwrap_or_default();
    match Job::from_args(args, |name| std::env::var(name).ok(), &host_name.to_string_lossy())? {
        Job::InstallCniConfig(config) => Ok(install::install(&config)?),
        Job::Serve(config) => {
            // Nothing of the daemon's is anybody else's to read or to connect to.
            nix::sys::stat::umask(nix::sys::stat::Mode::from_bits_truncate(0o077));
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(WORKERS)
                .max_blocking_threads(daemon::sandbox::KERNEL_WORKERS * 2)
                .enable_all()
                .build()?;
            runtime.block_on(app::run(*config))
        }
    }
}

fn log(config: &LogConfig) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(&config.filter)?;
    let to_stderr = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if config.is_json {
        to_stderr.json().flatten_event(true).init();
    } else {
        to_stderr.with_ansi(false).with_target(false).init();
    }
    Ok(())
}
