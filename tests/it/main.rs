//! The promises that more than one program has to keep, tested as their users would meet them.

mod agents;
mod ask;
mod bad_input;
mod compound;
mod config;
mod docs;
mod escalate;
mod exits;
mod flags;
mod http;
mod layers;
mod peers;
mod pipes;
mod protocol;
mod race;
mod resume;
mod schedule;

/// A module that is not named above would be compiled by nobody, and its tests would pass by not being there.
#[test]
fn every_file_of_this_directory_is_a_module() {
    let main = include_str!("main.rs");
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/it");
    for entry in std::fs::read_dir(directory).expect("the directory of this file") {
        let name = entry.expect("an entry").file_name().into_string().expect("a name of ours");
        let Some(module) = name.strip_suffix(".rs").filter(|module| *module != "main") else { continue };
        assert!(main.contains(&format!("mod {module};")), "it/{name} is not in it/main.rs");
    }
}
