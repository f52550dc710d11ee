//! A project with secrets around it, and a model to work in it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::harness::{Place, Ran, finish};
use crate::model::Model;

/// What must never be told to a model.
pub(crate) const SECRET: &str = "xyzzy-3f9c-never-tell";

/// The key of the model's server.
pub(crate) const KEY: &str = "sk-test-0123456789abcdef";

pub(crate) struct Site {
    pub(crate) place: Place,
}

impl Site {
    /// Returns a repository with these files, secrets in the home directory and next to the project.
    pub(crate) fn new(files: &[(&str, &str)]) -> Site {
        let place = Place::new();
        for (name, text) in files {
            place.write(name, text);
        }
        place.write("kept.txt", "kept\n");
        place.git(&["init", "-q", "-b", "main"]);
        place.git(&["add", "-A"]);
        place.git(&["-c", "user.name=t", "-c", "user.email=t@localhost", "commit", "-q", "-m", "start"]);
        let site = Site { place };
        std::fs::create_dir(site.base().join("tmp")).unwrap();
        site.outside("home/.ssh/id_ed25519", SECRET);
        site.outside("home/.bashrc", "# nothing\n");
        site.outside("neighbour/secret.txt", SECRET);
        site.outside("neighbour/.git/config", SECRET);
        site
    }

    /// The directory that holds the project, the home and a neighbour.
    pub(crate) fn base(&self) -> PathBuf {
        self.place.path().parent().unwrap().to_owned()
    }

    pub(crate) fn outside(&self, name: &str, text: &str) {
        let path = self.base().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub(crate) fn run(&self, model: &Model, backend: &str, input: &str) -> Ran {
        finish(self.command(model, backend, ""), input)
    }

    pub(crate) fn command(&self, model: &Model, backend: &str, more: &str) -> std::process::Command {
        let mut command = self.place.command(&format!("--no-local --backend {backend} --model m {more}"));
        let name = backend.to_uppercase();
        command.env(format!("{name}_API_KEY"), KEY).env(format!("{name}_BASE_URL"), model.url());
        command.env("SITE_TOKEN", SECRET).env("TMPDIR", self.base().join("tmp"));
        command
    }

    /// Expects that all around is as it was.
    #[track_caller]
    pub(crate) fn is_as(&self, before: &BTreeMap<String, String>) {
        let now = self.around();
        let differs =
            |(path, was): (&String, &String)| (now.get(path) != Some(was)).then(|| format!("{path}: {was}"));
        let mut different: Vec<String> = before.iter().filter_map(differs).collect();
        different.extend(
            now.keys().filter(|path| !before.contains_key(*path)).map(|path| format!("{path} is new")),
        );
        assert_eq!(different, Vec::<String>::new(), "nothing around the worktrees is different");
    }

    /// Returns all that is around the worktrees: every file, link and directory with its content and mode, but our state.
    pub(crate) fn around(&self) -> BTreeMap<String, String> {
        let mut found = BTreeMap::new();
        let skip = [self.place.path().join(".specpipe"), self.base().join("bin")];
        look(&self.base(), &skip, &mut found);
        // git keeps a branch and its objects for every worktree, and we what we know of it.
        found.retain(|path, _| {
            let git = self.place.path().join(".git").display().to_string();
            !["/objects", "/refs", "/logs", "/worktrees", "/packed-refs", "/specpipe"]
                .iter()
                .any(|name| path.starts_with(&format!("{git}{name}")))
        });
        found
    }
}

fn look(path: &Path, skip: &[PathBuf], found: &mut BTreeMap<String, String>) {
    use std::os::unix::fs::MetadataExt;
    if skip.iter().any(|skip| path == skip) {
        return;
    }
    let metadata = std::fs::symlink_metadata(path).unwrap();
    let content = if metadata.is_file() {
        blake3::hash(&std::fs::read(path).unwrap()).to_hex().to_string()
    } else if metadata.is_symlink() {
        std::fs::read_link(path).unwrap().display().to_string()
    } else {
        String::new()
    };
    found.insert(path.display().to_string(), format!("{:o} {content}", metadata.mode()));
    if metadata.is_dir() {
        for entry in std::fs::read_dir(path).unwrap() {
            look(&entry.unwrap().path(), skip, found);
        }
    }
}

/// Returns a record of a task for an executor.
pub(crate) fn task(id: &str, text: &str, executor: &str) -> String {
    json!({"id": id, "task": {"text": text, "executor": executor}}).to_string() + "\n"
}

/// Returns the lines of a transcript.
pub(crate) fn transcript(record: &Value) -> Vec<Value> {
    let path = record["dispatch"]["transcript"].as_str().expect("there is a transcript");
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Tells whether shells can be confined here; says so if not.
pub(crate) fn can_confine() -> bool {
    static CAN: std::sync::LazyLock<bool> = std::sync::LazyLock::new(|| {
        let site = Site::new(&[]);
        let model = Model::start(|asked| match asked.turn() {
            0 => crate::model::calls([("Bash", json!({"command": "echo here"}))]),
            _ => crate::model::says(&asked.results()[0].1),
        });
        let ran = site.run(&model, "anthropic", &task("a", "look", "validate")).exits(0);
        let said = ran.record("a")["dispatch"]["output"].as_str().unwrap_or_default().to_owned();
        let can = said.starts_with("here");
        assert!(can || said.contains("can not be confined"), "{said}");
        if !can {
            use std::io::Write;
            let _ = writeln!(std::io::stderr(), "not all is tested here: {said}");
        }
        can
    });
    *CAN
}
