//! A model server made of a script, as a program: see `tests::fake_model`.

use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use tests::fake_model::{Log, Script, Server};

/// Serves scripted answers of a model on a port of the loopback interface.
#[derive(Parser)]
struct Args {
    /// The script: one JSON object a line; without it every question is answered `ok`.
    #[arg(long, value_name = "FILE")]
    script: Option<PathBuf>,
    /// The port; 0 takes a free one.
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    port: u16,
    /// Where to write the number of the port, beside standard output.
    #[arg(long, value_name = "FILE")]
    port_file: Option<PathBuf>,
    /// Where to write every request, one JSON object a line.
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
    /// Ends when standard input ends.
    #[arg(long)]
    until_eof: bool,
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "fake-model: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<(), Box<dyn std::error::Error>> {
    let script = match &args.script {
        Some(path) => Script::parse(&std::fs::read_to_string(path)?)?,
        None => Script::default(),
    };
    let log = args.log.as_deref().map(Log::to_file).transpose()?.unwrap_or_default();
    let server = Server::on_port(args.port, script, log)?;
    if let Some(path) = &args.port_file {
        // Whoever waits for the file must not find it empty.
        let unfinished = path.with_extension("new");
        std::fs::write(&unfinished, format!("{}\n", server.port()))?;
        std::fs::rename(&unfinished, path)?;
    }
    let mut output = std::io::stdout();
    writeln!(output, "{{\"port\":{}}}", server.port())?;
    output.flush()?;
    if args.until_eof {
        std::io::stdin().read_to_end(&mut Vec::new())?;
        writeln!(output, "{}", serde_json::to_string(&server.totals())?)?;
    } else {
        server.wait();
    }
    Ok(())
}
