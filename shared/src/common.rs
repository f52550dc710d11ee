//! The options that all five programs share, and how each of them starts.

use std::io::Write;
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{Parser, ValueEnum};

use crate::diagnostic::Level;
use crate::{Exit, Io, interrupt, units, warden};

/// A line longer than this is no record; see `--max-line`.
pub const MAX_LINE: u64 = 256 << 20;

/// The options that mean the same in all five programs.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Common options")]
pub struct Common {
    /// Say nothing but errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,

    /// Say all there is to tell
    #[arg(short, long, global = true)]
    pub verbose: bool,

    /// When to use colours: auto, always or never
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        default_value = "auto",
        hide_possible_values = true,
        env = "SPECPIPE_COLOR",
        hide_env = true
    )]
    pub color: Color,

    /// Read this file instead of the nearest specpipe.toml
    #[arg(long, global = true, value_name = "FILE", env = "SPECPIPE_CONFIG", hide_env = true)]
    pub config: Option<PathBuf>,

    /// The longest line that is still read as a record
    #[arg(long, global = true, value_name = "SIZE", default_value = "256MiB", value_parser = units::parse_size,
          env = "SPECPIPE_MAX_LINE", hide_env = true)]
    pub max_line: u64,

    /// Print the man page (man) or a completion (complete-bash, complete-zsh, complete-fish) and end
    #[arg(long, global = true, value_name = "KIND", exclusive = true, hide_possible_values = true)]
    pub generate: Option<Generate>,
}

impl Common {
    /// Returns how much is to be said.
    pub fn level(&self) -> Level {
        match (self.quiet, self.verbose) {
            (true, _) => Level::Quiet,
            (_, true) => Level::Verbose,
            _ => Level::Normal,
        }
    }
}

/// When to use colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Also into a pipe or a file.
    Always,
    /// Not at all.
    Never,
}

impl From<Color> for anstream::ColorChoice {
    fn from(color: Color) -> Self {
        match color {
            Color::Auto => anstream::ColorChoice::Auto,
            Color::Always => anstream::ColorChoice::Always,
            Color::Never => anstream::ColorChoice::Never,
        }
    }
}

/// What `--generate` prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Generate {
    /// The man page, as roff.
    Man,
    /// The completion for bash.
    CompleteBash,
    /// The completion for zsh.
    CompleteZsh,
    /// The completion for fish.
    CompleteFish,
}

impl Generate {
    /// Writes the man page or completion of a command.
    pub fn write(self, mut command: clap::Command, output: &mut dyn Write) -> std::io::Result<()> {
        use clap_complete::{Shell, generate};
        let name = command.get_name().to_owned();
        let shell = match self {
            Generate::Man => return clap_mangen::Man::new(command).render(&mut Box::new(output)),
            Generate::CompleteBash => Shell::Bash,
            Generate::CompleteZsh => Shell::Zsh,
            Generate::CompleteFish => Shell::Fish,
        };
        let mut text = Vec::new();
        generate(shell, &mut command, name, &mut text);
        output.write_all(&text)
    }
}

/// The command line of a program, as it was typed.
pub trait CommandLine: Parser {
    /// Returns the options that all programs share.
    fn common(&self) -> &Common;
}

/// Runs a program: parses its command line and gives it the standard streams.
pub fn main<A: CommandLine>(tool: &'static str, run: fn(A, Io) -> Exit) -> Exit {
    if let Some(exit) = warden::main() {
        return exit;
    }
    let args = match A::try_parse() {
        Ok(args) => args,
        Err(mut error) => {
            // clap advises to put an unknown option after `--`, where it would be run as a program.
            if error.kind() == ErrorKind::UnknownArgument {
                error.remove(clap::error::ContextKind::Suggested);
            }
            // Printing the help into a closed pipe is as fine as printing anything else there.
            let _ = error.print();
            return match error.kind() {
                ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Exit::Ok,
                _ => Exit::Usage,
            };
        }
    };
    let common = args.common().clone();
    let mut io = Io::standard(tool, &common);
    if let Some(generate) = common.generate {
        return match generate.write(A::command(), &mut io.output) {
            Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
                io.diagnostics.fatal(&crate::writer::cannot_write(error))
            }
            _ => Exit::Ok,
        };
    }
    interrupt::install();
    let diagnostics = io.diagnostics.clone();
    let exit = run(args, io);
    if !interrupt::requested() {
        warden::dismiss();
    }
    diagnostics.finish();
    if interrupt::requested() { Exit::Interrupted } else { exit }
}
