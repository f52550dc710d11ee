//! A program that behaves as it is told, in the place of a program that does a task.
//!
//! It does what its flags say in the order they come, so that each test can read what happens from its command line.

use std::io::Write;
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

const HELP: &str = "\
fake-executor [FLAG…], done in order:
  --stdout TEXT        write a line on standard output
  --stderr TEXT        write a line on standard error
  --bytes N            write N bytes on standard output
  --cat                copy standard input to standard output
  --note FILE TEXT     append a line to a file, in one write
  --write FILE TEXT    write a file
  --sleep SECONDS      wait
  --trickle N SECONDS  write N lines, each after a pause
  --ignore-term        do not end at SIGTERM from here on
  --background SECONDS start a child that keeps the streams open so long, and do not wait for it
  --detach SECONDS     the same in a session of its own, without the streams
  --hang               never end
  --once FILE CODE     end with CODE if FILE is not there yet, and make it
  --fail CODE          end with CODE
  --abort              end by SIGABRT";

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    while let Some(flag) = arguments.next() {
        let mut next = || arguments.next().unwrap_or_default();
        let done = match flag.as_str() {
            "--stdout" => say(&mut std::io::stdout(), &next()),
            "--stderr" => say(&mut std::io::stderr(), &next()),
            "--bytes" => std::io::stdout().write_all(&vec![b'x'; next().parse().unwrap_or_default()]),
            "--cat" => std::io::copy(&mut std::io::stdin(), &mut std::io::stdout()).map(drop),
            "--note" => {
                let (file, text) = (next(), next());
                let opened = std::fs::OpenOptions::new().create(true).append(true).open(file);
                opened.and_then(|mut file| file.write_all(format!("{text}\n").as_bytes()))
            }
            "--write" => {
                let (file, text) = (next(), next());
                std::fs::write(file, text)
            }
            "--sleep" => {
                sleep(&next());
                Ok(())
            }
            "--trickle" => {
                let (count, pause) = (next().parse().unwrap_or_default(), next());
                (0..count).try_for_each(|number: u32| {
                    sleep(&pause);
                    say(&mut std::io::stdout(), &number.to_string())
                })
            }
            "--ignore-term" => ignore_term(),
            "--background" => child(&["--sleep", &next()], false),
            "--detach" => child(&["--sleep", &next()], true),
            "--hang" => loop {
                std::thread::sleep(Duration::from_secs(3600));
            },
            "--once" => {
                let (file, code) = (next(), next());
                if std::fs::OpenOptions::new().create_new(true).write(true).open(file).is_ok() {
                    return exit(&code);
                }
                Ok(())
            }
            "--fail" => return exit(&next()),
            "--abort" => std::process::abort(),
            _ => {
                let _ = say(&mut std::io::stderr(), HELP);
                return ExitCode::from(if flag == "--help" { 0 } else { 2 });
            }
        };
        if done.is_err() {
            return ExitCode::from(74);
        }
    }
    ExitCode::SUCCESS
}

fn exit(code: &str) -> ExitCode {
    ExitCode::from(code.parse::<u8>().unwrap_or(1))
}

fn say(stream: &mut dyn Write, text: &str) -> std::io::Result<()> {
    stream.write_all(format!("{text}\n").as_bytes())?;
    stream.flush()
}

fn sleep(seconds: &str) {
    std::thread::sleep(Duration::from_secs_f64(seconds.parse().unwrap_or_default()));
}

fn ignore_term() -> std::io::Result<()> {
    let flag = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    signal_hook::flag::register(signal_hook::consts::SIGTERM, flag).map(drop)
}

fn child(arguments: &[&str], detached: bool) -> std::io::Result<()> {
    let own = std::env::current_exe()?;
    let mut command = if detached {
        let mut command = Command::new("setsid");
        command.arg(own).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    } else {
        Command::new(own)
    };
    command.args(arguments).spawn().map(drop)
}
