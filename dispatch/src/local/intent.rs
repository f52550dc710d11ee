//! What a mechanical task asks for, as types: all that this backend can do, and nothing else.
//!
//! An intent is made from text alone. Whether the files, names and revisions in it exist is found out when it is
//! carried out.

/// One thing to be done. Nothing here can write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Intent {
    /// Which files there are, or how many.
    Files { scope: Scope, show: Show },
    /// Which directories there are, or how many.
    Directories { scope: Scope, deep: bool, show: Show },
    /// What is directly in a directory.
    List { place: Place },
    /// The structure of a directory.
    Tree { place: Place, depth: Option<usize> },
    /// Which of the files are the largest.
    Largest { scope: Scope, by: Size, count: usize },
    /// Where something occurs, in which files, or how often.
    Search { pattern: Pattern, scope: Scope, show: Show },
    /// How many lines files have.
    Lines { scope: Scope },
    /// The content of a file.
    Read { file: Place, part: Part },
    /// Whether there is such a file or directory.
    Exists { place: Place },
    /// The version of a dependency, a language, or of the project itself.
    Version { of: Versioned },
    /// The declared dependencies, of all manifests in a directory.
    Dependencies { of: Place },
    /// What git knows.
    Git(Git),
    /// The project's own commands for these purposes.
    Run(Run),
    /// Exactly this program with these arguments.
    Command { argv: Vec<String> },
}

/// How a result is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Show {
    /// Each match, with its place.
    Matches,
    /// The files alone.
    Files,
    /// The number alone.
    Count,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Size {
    Bytes,
    Lines,
}

/// A file or directory as the task calls it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    /// The path as written; empty is the root.
    pub(super) path: String,
    /// Whether it can only be a path. If not (`in production`) and there is none, the task was not understood.
    pub(super) sure: bool,
}

impl Place {
    pub(super) fn root() -> Self {
        Place { path: String::new(), sure: true }
    }

    pub(super) fn is_root(&self) -> bool {
        self.path.is_empty()
    }
}

/// Which files a task is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Scope {
    /// The files and directories to look in; none is the root.
    pub(super) under: Vec<Place>,
    /// The files and directories to leave out.
    pub(super) except: Vec<Place>,
    /// What a file must be. All have to hold.
    pub(super) filters: Vec<Filter>,
}

/// What a file must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Filter {
    /// Of this kind (a name in [`super::kind::KINDS`]).
    Kind(&'static str),
    /// Of this extension, without the dot.
    Extension(String),
    /// Of exactly this name, or this path if it has a slash.
    Name(String),
    /// Matched by this glob.
    Glob(String),
    /// With this in its name.
    NameContains(String),
    /// With this at the start of its name.
    NameStarts(String),
    /// With this at the end of its name.
    NameEnds(String),
    /// Larger than so many bytes.
    LargerThan(u64),
    /// With more than so many lines.
    LongerThan(u64),
    /// Without any byte.
    Empty,
}

/// What is looked for in files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern {
    pub(super) kind: PatternKind,
    /// The names or texts, any of which will do.
    pub(super) texts: Vec<String>,
    pub(super) insensitive: bool,
    /// Whether the texts can only be meant literally. If not and they do not occur, the task was not understood.
    pub(super) sure: bool,
}

/// How the text of a pattern is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum PatternKind {
    /// As it stands.
    Literal,
    /// As a whole word.
    Word,
    /// As a regular expression (Rust `regex` syntax).
    Regex,
    /// As the name of something that is called.
    Call,
    /// As the name of a module or library that is imported.
    Import,
    /// As the name of something that is defined; what, if it was said (`function`, `type`, …).
    Definition(Option<&'static str>),
}

/// Which part of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Whole,
    /// From this line to that one, counted from 1, both included.
    Lines(u64, u64),
    First(u64),
    Last(u64),
}

/// What has a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Versioned {
    /// The project in this repository.
    Project,
    /// A dependency or a language.
    Name { name: String, sure: bool },
}

/// A question to git.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Git {
    /// The state of the working tree.
    Status,
    /// Which files have which state.
    Changed(Changed),
    /// Whether nothing is uncommitted.
    Clean,
    /// Commits, newest first.
    Log(Log),
    /// How many commits.
    CountCommits(Log),
    /// What differs.
    Diff {
        what: Diff,
        paths: Vec<Place>,
        show: DiffShow,
    },
    /// One commit.
    Show {
        revision: String,
        show: DiffShow,
    },
    /// The branch that is checked out.
    Branch,
    /// The commit that is checked out.
    Head,
    Branches {
        remote: bool,
        count: bool,
    },
    Tags {
        latest: bool,
        count: bool,
    },
    /// The last commit that touched a file.
    LastChange {
        file: Place,
    },
    /// Who wrote which line.
    Blame {
        file: Place,
        lines: Option<(u64, u64)>,
    },
    /// Who has committed, and how often.
    Authors {
        paths: Vec<Place>,
        count: bool,
    },
    /// Whether git knows a file.
    Tracked {
        file: Place,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Changed {
    Any,
    Modified,
    Staged,
    Untracked,
    Deleted,
    Conflicted,
}

/// Which commits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Log {
    pub(super) count: Option<u64>,
    pub(super) author: Option<String>,
    pub(super) since: Option<Since>,
    pub(super) revision: Option<String>,
    pub(super) paths: Vec<Place>,
    /// A text that the message contains.
    pub(super) message: Option<String>,
}

/// From when on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Since {
    /// A date in a form that only can be one.
    Date(String),
    /// After this revision.
    Revision(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Diff {
    /// The working tree against the index.
    Unstaged,
    /// The index against the last commit.
    Staged,
    /// The working tree against the last commit.
    Uncommitted,
    /// The working tree against a revision.
    Since(String),
    /// One revision against another.
    Between(String, String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DiffShow {
    Patch,
    Stat,
    Names,
}

/// A run of the project's own commands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Run {
    /// What for, in order, each once.
    pub(super) purposes: Vec<shared::project::Purpose>,
    /// Whether a purpose that the project has no command for is left out.
    pub(super) as_available: bool,
    /// Only by this tool (`cargo`, `clippy`, `pytest`, `npm`, `make`).
    pub(super) tool: Option<String>,
    /// Only the tests with this name.
    pub(super) test: Option<String>,
    /// Only the tests in this file, directory or package.
    pub(super) place: Option<Place>,
    /// Only the tests of this package.
    pub(super) package: Option<String>,
}
