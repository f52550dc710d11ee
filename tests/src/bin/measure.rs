//! Runs a command and writes into a file what it and its children have used: `measure FILE COMMAND…`.
//!
//! Ends with the command's own exit status, and hands all streams through, so that it can stand in a pipe.

use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitCode};
use std::time::Instant;

use nix::sys::resource::{UsageWho, getrusage};

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let (Some(file), Some(program)) = (arguments.next(), arguments.next()) else { return ExitCode::from(2) };
    let started = Instant::now();
    let Ok(status) = Command::new(program).args(arguments).status() else { return ExitCode::from(127) };
    let wall = started.elapsed();
    let Ok(usage) = getrusage(UsageWho::RUSAGE_CHILDREN) else { return ExitCode::from(4) };
    let seconds = |time: nix::sys::time::TimeVal| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6;
    // Linux counts in KiB, macOS in bytes.
    let unit = if cfg!(target_os = "macos") { 1 } else { 1024 };
    let text = format!(
        "{{\"cpu_s\":{:.6},\"wall_s\":{:.6},\"peak_bytes\":{}}}\n",
        seconds(usage.user_time()) + seconds(usage.system_time()),
        wall.as_secs_f64(),
        usage.max_rss() * unit,
    );
    if std::fs::write(file, text).is_err() {
        return ExitCode::from(4);
    }
    let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or_default());
    ExitCode::from(u8::try_from(code).unwrap_or(255))
}
