//! Looks up what a task names: is it there, and where?
//!
//! With an index, all files, symbols and messages of the project are known, so that something can be said to be missing.
//! Without one, only the path that was named can be tried: what is not there may be somewhere else.

use super::context::Project;
use super::named::{Named, What};
use crate::index::{Coverage, File, Index, Language, Reach};

/// So many places are shown of what is in several.
const SHOWN: usize = 3;

/// What was looked for, and what was found.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Lookup {
    /// Names that are there, each with where.
    pub(crate) found: Vec<String>,
    /// Files that are surely not there, as questions.
    pub(crate) missing: Vec<String>,
    /// Files that are not where they are said to be, and nobody knows where else.
    pub(crate) elsewhere: Vec<String>,
    /// Questions that came up.
    pub(crate) questions: Vec<String>,
}

impl Lookup {
    /// Looks up all names of a task.
    pub(super) fn of(project: &Project, named: &[Named]) -> Lookup {
        let mut lookup = Lookup::default();
        for named in named {
            match (named.what, project.index()) {
                (What::File { line }, index) => lookup.file(project, index, named, line),
                (What::Path, index) => lookup.directory(project, index, named),
                (What::Symbol | What::Camel, Some(index)) => lookup.symbol(index, named),
                (What::Text, Some(index)) => lookup.text(index, named),
                _ => {}
            }
        }
        lookup
    }

    /// Something that the task names is there, and none of its files is missing.
    pub(super) fn has_essentials(&self) -> bool {
        !self.found.is_empty() && self.missing.is_empty() && self.elsewhere.is_empty()
    }

    fn file(&mut self, project: &Project, index: Option<&Index>, named: &Named, line: Option<u32>) {
        let path = named.text;
        let there = project.path_of(path);
        if let Some(file) = index
            .and_then(|index| there.as_deref().and_then(|there| index.find(there)).map(|at| index.file(at)))
        {
            return self.found_file(project, file, line);
        }
        if let Some(there) = there {
            // New since the index was built, or nothing that git should see.
            self.found.push(format!("`{there}`"));
            return self.ask_about_changes(project, &there);
        }
        let Some(index) = index else {
            if !named.may_be_absent {
                self.elsewhere.push(path.to_owned());
            }
            return;
        };
        let same: Vec<&str> = index.ending_with(path).map(|at| index.file(at).path()).collect();
        match same.as_slice() {
            [] if named.may_be_absent || project.is_new(path) => {}
            [] if !is_written(path) && !has_place(index, path) => self.questions.push(format!(
                "`{path}` is not in the {}: is it made by the program, or which file is meant?",
                whole(project)
            )),
            [] => {
                let whole = whole(project);
                self.missing.push(format!("`{path}` is not in the {whole}: which file is meant?"));
                let near = index.near(path);
                if !near.is_empty() {
                    self.questions.push(format!("Is `{path}` perhaps {}?", quoted(&near, " or ")));
                }
            }
            [only] => {
                if let Some(at) = index.find(only) {
                    self.found_file(project, index.file(at), line);
                }
            }
            several => {
                let count = several.len();
                self.found.push(format!("`{path}` ({count} files)"));
                if !named.may_be_absent {
                    let shown = quoted(&several[..count.min(SHOWN)], ", ");
                    let more = if count > SHOWN { " …" } else { "" };
                    self.questions
                        .push(format!("Which of the {count} files called `{path}` is meant: {shown}{more}?"));
                }
            }
        }
    }

    fn found_file(&mut self, project: &Project, file: File, line: Option<u32>) {
        let path = file.path();
        let mut known = Vec::new();
        let dependents = file.dependents().count();
        if file.is_test() {
            known.push("a test".to_owned());
        }
        if file.reach() > Reach::Low {
            known.push(format!("{dependents} files depend on it"));
        }
        if matches!(file.coverage(), Coverage::Untested | Coverage::Partial) && file.reach() > Reach::Low {
            known.push(format!("tests: {}", file.coverage().name()));
        }
        let known = if known.is_empty() { String::new() } else { format!(" ({})", known.join(", ")) };
        self.found.push(format!("`{path}`{known}"));
        if let Some(line) = line
            && line > file.lines()
            && file.lines() > 0
        {
            self.questions
                .push(format!("`{path}` has {} lines: what is meant by line {line}?", file.lines()));
        }
        self.ask_about_changes(project, path);
    }

    fn ask_about_changes(&mut self, project: &Project, path: &str) {
        if project.is_changed(path) {
            self.questions.push(format!(
                "`{path}` has changes that are not committed: are they part of this, or should they be committed first?"
            ));
        }
    }

    fn directory(&mut self, project: &Project, index: Option<&Index>, named: &Named) {
        if project.path_of(named.text).is_some() || index.is_some_and(|index| index.has_directory(named.text))
        {
            self.found.push(format!("`{}`", named.text));
        }
    }

    fn symbol(&mut self, index: &Index, named: &Named) {
        let mut places = index.symbol(named.text);
        match places.next() {
            Some(first) => {
                let others = places.count();
                let more = if others > 0 { format!(" and {others} more") } else { String::new() };
                self.found.push(format!(
                    "`{}` ({}:{}{more})",
                    named.text,
                    index.file(first.file).path(),
                    first.line
                ));
            }
            None if named.what == What::Symbol && !named.may_be_absent => self.questions.push(format!(
                "`{}` is a function of no file in the project: what is it called?",
                named.text
            )),
            None => {}
        }
    }

    fn text(&mut self, index: &Index, named: &Named) {
        if let Some(file) = index.text(named.text) {
            let begin: String = named.text.chars().take(40).collect();
            self.found.push(format!("\"{begin}\" ({})", index.file(file).path()));
        }
    }
}

/// Tells whether files of this kind are written by people: `report.csv` may only be there when the program runs.
fn is_written(path: &str) -> bool {
    Language::of_path(path).is_code() || [".md", ".rst", ".adoc"].iter().any(|ending| path.ends_with(ending))
}

/// Tells whether the directory of a path is there.
fn has_place(index: &Index, path: &str) -> bool {
    path.rsplit_once('/').is_some_and(|(directory, _)| index.has_directory(directory))
}

fn whole(project: &Project) -> &'static str {
    if project.root().git { "repository" } else { "project" }
}

fn quoted(names: &[&str], between: &str) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(between)
}
