//! Writes what is generated from the code: `generate schemas DIR`, `generate share DIR`.
//!
//! `schemas` are the JSON Schemas of the record's sections, which are checked in; `share` is man pages and shell
//! completions, laid out as below a prefix.

use std::io;
use std::path::Path;
use std::process::ExitCode;

use clap::CommandFactory;
use shared::{Generate, section};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["schemas", directory] => schemas(Path::new(directory)),
        ["share", directory] => share(Path::new(directory)),
        _ => Err(io::Error::other("usage: generate schemas DIR | generate share DIR")),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            use io::Write;
            let _ = writeln!(io::stderr(), "generate: error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn schemas(directory: &Path) -> io::Result<()> {
    std::fs::create_dir_all(directory)?;
    for (name, schema) in section::schemas() {
        let text = serde_json::to_string_pretty(&schema)?;
        std::fs::write(directory.join(format!("{name}.json")), text + "\n")?;
    }
    Ok(())
}

fn share(directory: &Path) -> io::Result<()> {
    let commands = [
        classify::Args::command(),
        dispatch::Args::command(),
        gates::Args::command(),
        verify::Args::command(),
        converge::Args::command(),
    ];
    for command in commands {
        let name = command.get_name().to_owned();
        for (kind, path) in [
            (Generate::Man, format!("man/man1/{name}.1")),
            (Generate::CompleteBash, format!("bash-completion/completions/{name}")),
            (Generate::CompleteZsh, format!("zsh/site-functions/_{name}")),
            (Generate::CompleteFish, format!("fish/vendor_completions.d/{name}.fish")),
        ] {
            let path = directory.join(path);
            std::fs::create_dir_all(path.parent().unwrap_or(directory))?;
            let mut file = std::fs::File::create(&path)?;
            kind.write(command.clone(), &mut file)?;
        }
    }
    Ok(())
}
