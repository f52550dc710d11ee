//! Five command lines that feel like one: help, versions, and the same name for the same thing.

use std::collections::BTreeMap;

use clap::{Arg, Command, CommandFactory};
use tests::Shell;
use tests::tools::TOOLS;

fn commands() -> Vec<Command> {
    let mut commands = vec![
        classify::Args::command(),
        dispatch::Args::command(),
        gates::Args::command(),
        verify::Args::command(),
        converge::Args::command(),
    ];
    commands.iter_mut().for_each(Command::build);
    commands
}

#[test]
fn definitions_are_sound_and_named_after_their_programs() {
    let names: Vec<String> = commands().iter().map(|command| command.get_name().to_owned()).collect();
    assert_eq!(names, TOOLS);
    commands().into_iter().for_each(Command::debug_assert);
}

#[test]
fn help_says_what_it_is_for_and_shows_examples() {
    for tool in TOOLS {
        for flag in ["-h", "--help"] {
            let output = Shell::new().run(&format!("{tool} {flag}")).succeeds().tells_nothing();
            let help = &output.stdout;
            assert!(help.contains("Usage: "), "{output}");
            assert!(help.contains("Common options:"), "{output}");
            assert!(help.to_lowercase().contains("\nexamples:"), "{tool} {flag} shows no examples\n{output}");
            assert!(
                help.to_lowercase().contains("exit status"),
                "{tool} {flag} says nothing about its status"
            );
            assert!(
                help.matches(&format!("{tool} ")).count() >= 4,
                "{tool} {flag} has few examples\n{output}"
            );
            let widest = help.lines().map(|line| line.chars().count()).max().unwrap_or_default();
            assert!(widest <= 120, "{tool} {flag} is {widest} columns wide");
            assert!(!help.contains('\u{1b}'), "colours into a pipe");
        }
    }
}

#[test]
fn options_stand_in_groups_and_each_says_what_it_does() {
    for command in commands() {
        let tool = command.get_name().to_owned();
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        assert!((20..=120).contains(&about.len()), "{tool}: {about}");
        for argument in command.get_arguments().filter(|argument| !argument.is_hide_set()) {
            let name = argument.get_id();
            let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
            assert!(!help.is_empty(), "{tool} {name} has no help");
            assert!(!help.ends_with('.'), "{tool} {name}: {help}");
            assert!(help.starts_with(char::is_uppercase), "{tool} {name}: {help}");
        }
        let headings: Vec<_> = command.get_arguments().filter_map(Arg::get_help_heading).collect();
        assert!(headings.contains(&"Common options"), "{tool}: {headings:?}");
    }
}

#[test]
fn versions_are_the_same() {
    let version = env!("CARGO_PKG_VERSION_MAJOR");
    assert_eq!(version, "0", "this package is never published");
    let versions: Vec<String> = TOOLS
        .iter()
        .map(|tool| {
            let output = Shell::new().run(&format!("{tool} --version")).succeeds().tells_nothing();
            let (name, version) = output.stdout.trim().split_once(' ').expect("a name and a version");
            assert_eq!(name, *tool);
            assert_eq!(Shell::new().run(&format!("{tool} -V")).succeeds().stdout, output.stdout);
            version.to_owned()
        })
        .collect();
    assert!(versions.windows(2).all(|two| two[0] == two[1]), "{versions:?}");
}

#[test]
fn an_unknown_option_names_the_one_that_was_meant() {
    for tool in TOOLS {
        for (typed, meant) in [("--verbos", "--verbose"), ("--colour", "--color"), ("--confg x", "--config")]
        {
            let output = Shell::new().run_on("{\"task\":\"x\"}\n", &format!("{tool} {typed}")).exits(2);
            assert_eq!(output.stdout, "", "something was done\n{output}");
            output.tells(&["error: ", typed.split(' ').next().unwrap_or_default(), meant, "--help"]);
        }
        Shell::new().run(&format!("{tool} --color sometimes")).exits(2).tells(&["auto", "always", "never"]);
        Shell::new().run(&format!("{tool} --max-line lots")).exits(2).tells(&["lots", "--max-line"]);
        Shell::new().run(&format!("{tool} --quiet --verbose")).exits(2);
    }
}

/// What a user knows of one program holds for the others.
#[test]
fn an_option_means_the_same_everywhere() {
    #[derive(PartialEq, Debug)]
    struct Meaning {
        short: Option<char>,
        takes_value: bool,
        value: Vec<String>,
    }
    let mut known: BTreeMap<String, (String, Meaning)> = BTreeMap::new();
    let mut shorts: BTreeMap<char, (String, String)> = BTreeMap::new();
    let mut differences = Vec::new();
    for command in commands() {
        let tool = command.get_name().to_owned();
        for argument in command.get_arguments() {
            let Some(long) = argument.get_long() else { continue };
            let names = argument.get_value_names().unwrap_or_default();
            let takes_value = argument.get_action().takes_values();
            let value =
                if takes_value { names.iter().map(ToString::to_string).collect() } else { Vec::new() };
            let meaning = Meaning { short: argument.get_short(), takes_value, value };
            if let Some(short) = meaning.short {
                let (first, name) = shorts.entry(short).or_insert((tool.clone(), long.to_owned()));
                if name != long {
                    differences.push(format!("-{short} is --{name} in {first}, --{long} in {tool}"));
                }
            }
            match known.get(long) {
                Some((first, other)) if *other != meaning => {
                    differences.push(format!("--{long}: {first} {other:?}, {tool} {meaning:?}"));
                }
                Some(_) => {}
                None => {
                    known.insert(long.to_owned(), (tool.clone(), meaning));
                }
            }
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    for long in
        ["quiet", "verbose", "color", "config", "max-line", "generate", "exit-status", "help", "version"]
    {
        assert!(known.contains_key(long), "no --{long}");
    }
}

#[test]
fn the_common_options_are_in_all_five_with_the_same_words() {
    let of = |command: &Command| -> Vec<(String, String)> {
        let common =
            command.get_arguments().filter(|argument| argument.get_help_heading() == Some("Common options"));
        let mut common: Vec<_> = common
            .filter(|argument| !["help", "version"].contains(&argument.get_id().as_str()))
            .map(|argument| {
                let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
                (argument.get_long().unwrap_or_default().to_owned(), help)
            })
            .collect();
        common.sort();
        common
    };
    let all: Vec<_> = commands().iter().map(of).collect();
    assert!(all[0].len() >= 6, "{:?}", all[0]);
    assert!(all.iter().all(|common| *common == all[0]), "{all:#?}");
}

#[test]
fn man_pages_and_completions_come_from_the_program() {
    for tool in TOOLS {
        let shell = Shell::new();
        let man = shell.run(&format!("{tool} --generate man")).succeeds().tells_nothing().stdout;
        assert!(man.contains(&format!(".TH {tool} 1")), "{man}");
        assert!(man.contains("Examples"), "{tool}: the man page has no examples");
        for kind in ["complete-bash", "complete-zsh", "complete-fish"] {
            let completion = shell.run(&format!("{tool} --generate {kind}")).succeeds().stdout;
            assert!(completion.contains("max-line"), "{tool} {kind}: {completion}");
        }
        // What bash completes with has at least to be bash.
        shell
            .run(&format!("{tool} --generate complete-bash > c; ! command -v bash > /dev/null || bash -n c"))
            .succeeds();
        shell.run(&format!("{tool} --generate poem")).exits(2).tells(&["man", "complete-bash"]);
    }
}

#[test]
fn quiet_is_quiet_and_verbose_talks_on_standard_error_alone() {
    let input = "{\"id\":\"a\",\"task\":{\"text\":\"say hello\",\"run\":[\"echo\",\"hello\"]}}\n";
    for tool in ["classify", "dispatch", "gates", "verify", "converge -n 1 -c cat"] {
        let shell = Shell::new();
        let quiet = shell.run_on(input, &format!("{tool} --quiet")).succeeds().tells_nothing();
        let verbose = shell.run_on(input, &format!("{tool} --verbose")).succeeds();
        assert_eq!(quiet.records().len(), verbose.records().len(), "{tool}");
    }
}
