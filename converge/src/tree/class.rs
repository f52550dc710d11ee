//! What kind of file a path is: the work itself, an agent's notes about it, or made from it by a program.
//!
//! Only the work tells whether a loop gets anywhere. In five recorded agent loops 22 % of the commits changed notes and
//! plans alone, and one agent ended by rewording its to-do list for hours: a hash over everything never comes to rest.
//! In doubt a file is the work, because specifications and plans are the work of some stages.

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use shared::Problem;

/// A kind of file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Class {
    /// The work itself: sources, tests, documents.
    Code,
    /// Notes that an agent keeps for itself.
    Bookkeeping,
    /// What a program makes from other files.
    Generated,
}

impl Class {
    /// All kinds.
    pub(crate) const ALL: [Class; 3] = [Class::Code, Class::Bookkeeping, Class::Generated];

    /// Returns the name of the kind.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Class::Code => "code",
            Class::Bookkeeping => "bookkeeping",
            Class::Generated => "generated",
        }
    }
}

/// Names that agent loops give to their notes. A whole name, in any folder, so that `docs/plans/` is not among them.
const BOOKKEEPING: &[&str] = &[
    "**/{todo,todos,progress,status,scratchpad,scratch,worklog,journal,fix_plan,@fix_plan,implementation_plan}.{md,txt}",
    "**/{todo,progress}",
    "**/{prd,reflexion,progress}.json",
    "**/{.agent,.ralph,.claude,.cursor,.codex,.aider*}/**",
    "**/.aider.*",
    "**/*.log",
];

/// Lock files, caches of tools and outputs of compilers that projects commit or forget to ignore.
const GENERATED: &[&str] = &[
    "**/{Cargo,poetry,uv,Gemfile,composer,flake,pdm,deno,mix,pubspec,Podfile,yarn}.lock",
    "**/{package-lock,npm-shrinkwrap,composer.lock}.json",
    "**/pnpm-lock.yaml",
    "**/{go,go.work}.sum",
    "**/bun.{lock,lockb}",
    "**/{__pycache__,node_modules,.pytest_cache,.mypy_cache,.ruff_cache,.tox,.gradle,.next,.nuxt,coverage}/**",
    "**/*.{pyc,pyo,class,o,obj,min.js,min.css,map,tsbuildinfo}",
    "**/*_pb2{,_grpc}.py",
    "**/*.pb.{go,cc,h}",
    "**/{.coverage,.DS_Store}",
];

/// Tells the kinds of files apart. What the user says comes before what is built in.
#[derive(Debug, Default)]
pub(crate) struct Classes {
    /// In the order they are asked.
    rules: Vec<(GlobSet, Class)>,
}

impl Classes {
    /// Returns the built-in rules with these globs before them.
    pub(crate) fn new(
        code: &[String],
        bookkeeping: &[String],
        generated: &[String],
    ) -> Result<Classes, Problem> {
        let set = |globs: &mut dyn Iterator<Item = &str>| -> Result<GlobSet, Problem> {
            let mut builder = GlobSetBuilder::new();
            for glob in globs {
                let problem = |error| Problem::new(format!("`{glob}` is no glob")).because(error);
                builder.add(
                    GlobBuilder::new(glob)
                        .literal_separator(true)
                        .case_insensitive(true)
                        .build()
                        .map_err(problem)?,
                );
            }
            builder.build().map_err(|error| Problem::new("the globs can not be used together").because(error))
        };
        let own = |globs: &[String]| set(&mut globs.iter().map(String::as_str));
        Ok(Classes {
            rules: vec![
                (own(code)?, Class::Code),
                (own(bookkeeping)?, Class::Bookkeeping),
                (own(generated)?, Class::Generated),
                (set(&mut BOOKKEEPING.iter().copied())?, Class::Bookkeeping),
                (set(&mut GENERATED.iter().copied())?, Class::Generated),
            ],
        })
    }

    /// Returns the kind of a file, by its path in the tree.
    pub(crate) fn of(&self, path: &std::path::Path) -> Class {
        let path = globset::Candidate::new(path);
        let rule = self.rules.iter().find(|(globs, _)| globs.is_match_candidate(&path));
        rule.map_or(Class::Code, |(_, class)| *class)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_work_is_told_from_notes_and_from_what_is_made_of_it() {
        let own = |glob: &str| vec![glob.to_owned()];
        let classes = Classes::new(&own("docs/todo.md"), &own("notes/**"), &own("**/*.gen.ts")).unwrap();
        for (path, class) in [
            ("src/main.rs", Class::Code),
            ("README.md", Class::Code),
            ("context/plans/002-plan.md", Class::Code),
            ("docs/progress-bar.md", Class::Code),
            ("src/status.rs", Class::Code),
            ("docs/todo.md", Class::Code),
            ("TODO.md", Class::Bookkeeping),
            ("agent/TODO.md", Class::Bookkeeping),
            ("fix_plan.md", Class::Bookkeeping),
            ("scripts/ralph/prd.json", Class::Bookkeeping),
            (".claude/settings.json", Class::Bookkeeping),
            ("run.log", Class::Bookkeeping),
            ("notes/today.rs", Class::Bookkeeping),
            ("Cargo.lock", Class::Generated),
            ("web/package-lock.json", Class::Generated),
            ("pkg/__pycache__/a.pyc", Class::Generated),
            ("api.gen.ts", Class::Generated),
            ("dist/app.min.js", Class::Generated),
        ] {
            assert_eq!(classes.of(path.as_ref()), class, "{path}");
        }
        assert!(Classes::new(&own("{"), &[], &[]).is_err());
    }
}
