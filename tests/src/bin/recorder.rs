//! Stands where an agent CLI is looked for, and prints what the real one printed.
//!
//! * `RECORDER_FILE`: the recording.
//! * `RECORDER_PROGRAM`: the real program, which is run and recorded; without it, the recording is printed again.
//! * `RECORDER_PATH`: where the real program finds what it needs itself.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use tests::recording::{self, Line, Writer};

fn main() -> ExitCode {
    let Some(file) = std::env::var_os("RECORDER_FILE").map(PathBuf::from) else {
        return complain("there is no RECORDER_FILE");
    };
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match std::env::var_os("RECORDER_PROGRAM") {
        Some(program) => record(Path::new(&program), &arguments, &file),
        None => replay(&arguments, &file),
    };
    done.unwrap_or_else(|error| complain(&error.to_string()))
}

fn record(program: &Path, arguments: &[String], file: &Path) -> std::io::Result<ExitCode> {
    let place = |path: Option<PathBuf>| path.map(|path| path.display().to_string()).unwrap_or_default();
    let home = place(std::env::var_os("HOME").map(PathBuf::from));
    let directory = place(std::env::current_dir().ok());
    let installed = place(program.ancestors().nth(2).map(Path::to_owned));
    let writer =
        Writer::create(file, vec![(directory, "/tree"), (home, "/home/me"), (installed, "/opt/program")])?;
    let mut child = Command::new(program)
        .args(arguments)
        .env("PATH", std::env::var_os("RECORDER_PATH").unwrap_or_default())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    std::thread::scope(|scope| {
        scope.spawn(|| pass(stderr, std::io::stderr(), |line| writer.add(Line::Err(line))));
        pass(stdout, std::io::stdout(), |line| writer.add(Line::Out(line)));
    });
    let status = child.wait()?;
    if let Some(result) = result_file(arguments).and_then(|path| std::fs::read_to_string(path).ok()) {
        writer.add(Line::Result(result))?;
    }
    let code = status.code().unwrap_or(1);
    writer.add(Line::Exit(code))?;
    Ok(ExitCode::from(u8::try_from(code).unwrap_or(1)))
}

fn pass(from: Option<impl Read>, mut to: impl Write, keep: impl Fn(String) -> std::io::Result<()>) {
    let Some(from) = from else { return };
    let mut from = BufReader::new(from);
    let mut line = Vec::new();
    while from.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
        // Whoever reads may have gone; a recording that can not be written shows by what is missing in it.
        let _ = to.write_all(&line).and_then(|()| to.flush());
        let _ = keep(String::from_utf8_lossy(&line).trim_end_matches('\n').to_owned());
        line.clear();
    }
}

fn replay(arguments: &[String], file: &Path) -> std::io::Result<ExitCode> {
    std::io::stdin().read_to_end(&mut Vec::new())?;
    let (mut stdout, mut stderr) = (std::io::stdout(), std::io::stderr());
    for line in recording::read(file)? {
        match line {
            Line::Made { .. } => {}
            Line::Out(text) => writeln!(stdout, "{text}")?,
            Line::Err(text) => writeln!(stderr, "{text}")?,
            Line::Result(text) => {
                if let Some(path) = result_file(arguments) {
                    std::fs::write(path, text)?;
                }
            }
            Line::Exit(code) => return Ok(ExitCode::from(u8::try_from(code).unwrap_or(1))),
        }
    }
    stdout.flush()?;
    // The real one had to be ended, too.
    loop {
        std::thread::sleep(Duration::from_secs(3600));
    }
}

/// Returns the file that mini-swe-agent is told to write to.
fn result_file(arguments: &[String]) -> Option<&str> {
    let place = arguments.iter().position(|argument| argument == "-o")?;
    arguments.get(place + 1).map(String::as_str).filter(|path| path.contains('/'))
}

fn complain(what: &str) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "recorder: {what}");
    ExitCode::from(70)
}
