//! Small projects in each language: who imports whom, and which tests reach what.

use std::time::{SystemTime, UNIX_EPOCH};

use proptest::prelude::*;

use super::build;
use super::graph::{self, Coverage, Entry, Node, Reach};
use super::language::Language;
use super::scan::scan;

struct Small {
    entries: Vec<Entry>,
    nodes: Vec<Node>,
}

impl Small {
    fn new(files: &[(&str, &str)]) -> Small {
        let mut entries: Vec<Entry> = files
            .iter()
            .map(|(path, text)| Entry {
                path: (*path).to_owned(),
                scanned: scan(path, text),
                ..Entry::default()
            })
            .collect();
        entries.sort_by(|a, b| a.path.cmp(&b.path));
        let nodes = graph::nodes(&entries);
        Small { entries, nodes }
    }

    fn node(&self, path: &str) -> &Node {
        let at = self.entries.iter().position(|entry| entry.path == path);
        &self.nodes[at.unwrap_or_else(|| panic!("no {path}"))]
    }

    fn imports(&self, path: &str) -> Vec<&str> {
        self.node(path).imports.iter().map(|at| self.entries[*at as usize].path.as_str()).collect()
    }

    fn coverage(&self, path: &str) -> Coverage {
        self.node(path).coverage
    }
}

#[test]
fn rust_modules_crates_and_tests() {
    let small = Small::new(&[
        ("Cargo.toml", "[package]\nname = \"app\"\n"),
        ("src/main.rs", "mod parser;\nuse my_core::Thing;\nfn main() {}\n"),
        (
            "src/parser.rs",
            "mod lexer;\nuse crate::other::X;\nuse super::parser::Y;\n#[cfg(test)]\nmod checks;\n",
        ),
        ("src/parser/lexer.rs", "use super::Token;\n"),
        ("src/parser/checks.rs", "use super::*;\n"),
        ("src/other/mod.rs", "pub mod deep;\n"),
        ("src/other/deep.rs", ""),
        ("core/Cargo.toml", "[package]\nname = \"my-core\"\n"),
        ("core/src/lib.rs", "pub mod thing;\n"),
        ("core/src/thing.rs", "#[cfg(test)]\nmod tests {}\n"),
        ("core/tests/it/main.rs", "mod helper;\nuse my_core::thing::Thing;\n"),
        ("core/tests/it/helper.rs", "use crate::nothing;\n"),
    ]);
    assert_eq!(small.imports("src/main.rs"), ["core/src/lib.rs", "src/parser.rs"]);
    assert_eq!(
        small.imports("src/parser.rs"),
        ["src/other/mod.rs", "src/parser/checks.rs", "src/parser/lexer.rs"]
    );
    assert_eq!(small.imports("src/parser/lexer.rs"), ["src/parser.rs"]);
    assert_eq!(small.imports("core/tests/it/main.rs"), ["core/src/thing.rs", "core/tests/it/helper.rs"]);
    assert!(small.node("src/parser/checks.rs").is_test && !small.node("src/parser/lexer.rs").is_test);
    assert_eq!(small.coverage("src/parser.rs"), Coverage::Covered);
    assert_eq!(small.coverage("src/parser/lexer.rs"), Coverage::Partial);
    assert_eq!(small.coverage("core/src/thing.rs"), Coverage::Covered);
    assert_eq!(small.coverage("src/main.rs"), Coverage::Untested);
    assert_eq!(small.coverage("Cargo.toml"), Coverage::NotMeant);
}

#[test]
fn python_packages_absolute_and_relative() {
    let small = Small::new(&[
        ("src/app/__init__.py", ""),
        (
            "src/app/core.py",
            "from . import util\nfrom .util import helper\nimport json\nimport app.models.user\n",
        ),
        ("src/app/util.py", "from ..app import core as c\n"),
        ("src/app/models/__init__.py", ""),
        ("src/app/models/user.py", "from app.util import *\n"),
        ("json.py", ""),
        ("elsewhere/json.py", ""),
        ("tests/test_util.py", "from app import util\n"),
        ("tests/test_user.py", "import pytest\n"),
    ]);
    assert_eq!(small.imports("src/app/core.py"), ["json.py", "src/app/models/user.py", "src/app/util.py"]);
    assert_eq!(small.imports("src/app/util.py"), ["src/app/core.py"]);
    assert_eq!(small.imports("src/app/models/user.py"), ["src/app/util.py"]);
    assert_eq!(small.coverage("src/app/util.py"), Coverage::Covered);
    // By its name alone.
    assert_eq!(small.coverage("src/app/models/user.py"), Coverage::Covered);
    assert_eq!(small.coverage("src/app/core.py"), Coverage::Partial);
    assert_eq!(small.coverage("elsewhere/json.py"), Coverage::Untested);
}

#[test]
fn scripts_relative_aliased_and_of_the_workspace() {
    let small = Small::new(&[
        ("package.json", "{\"name\":\"root\"}"),
        ("packages/ui/package.json", "{\"name\":\"@org/ui\"}"),
        ("packages/ui/src/index.ts", "export * from './button.js';\n"),
        ("packages/ui/src/button.tsx", ""),
        (
            "src/app.ts",
            "import { Button } from '@org/ui';\nimport x from '@/lib/x';\nimport React from 'react';\nconst y = require('./y');\n",
        ),
        ("src/lib/x.js", ""),
        ("src/y/index.js", ""),
        ("src/app.spec.ts", "import { app } from './app';\n"),
        ("src/__tests__/y.test.js", ""),
    ]);
    assert_eq!(small.imports("src/app.ts"), ["packages/ui/src/index.ts", "src/lib/x.js", "src/y/index.js"]);
    assert_eq!(small.imports("packages/ui/src/index.ts"), ["packages/ui/src/button.tsx"]);
    assert_eq!(small.coverage("src/app.ts"), Coverage::Covered);
    assert_eq!(small.coverage("src/lib/x.js"), Coverage::Partial);
    assert_eq!(small.coverage("packages/ui/src/button.tsx"), Coverage::Untested);
}

#[test]
fn go_packages_are_directories() {
    let small = Small::new(&[
        ("go.mod", "module example.org/m\n"),
        ("main.go", "package main\nimport (\n\t\"fmt\"\n\t\"example.org/m/store\"\n)\n"),
        ("store/a.go", "package store\n"),
        ("store/b.go", "package store\n"),
        ("store/a_test.go", "package store\n"),
    ]);
    assert_eq!(small.imports("main.go"), ["store/a.go", "store/b.go"]);
    assert_eq!(small.coverage("store/a.go"), Coverage::Covered);
    assert_eq!(small.coverage("store/b.go"), Coverage::Partial);
    assert_eq!(small.coverage("main.go"), Coverage::Untested);
}

#[test]
fn the_others_find_their_files() {
    let small = Small::new(&[
        (
            "src/main/java/org/a/A.java",
            "package org.a;\nimport org.b.B;\nimport static org.b.C.of;\nimport org.d.*;\n",
        ),
        ("src/main/java/org/b/B.java", "package org.b;\n"),
        ("src/main/java/org/b/C.java", "package org.b;\n"),
        ("src/main/java/org/d/D.java", "package org.d;\n"),
        ("src/test/java/org/a/ATest.java", "package org.a;\n"),
        ("c/main.c", "#include \"util/x.h\"\n#include <stdio.h>\n"),
        ("c/util/x.h", ""),
        ("c/util/x.c", "#include \"x.h\"\n"),
        ("include/y.hpp", ""),
        ("cpp/y.cpp", "#include <y.hpp>\n"),
        ("lib/thing/part.rb", ""),
        ("lib/thing.rb", "require 'thing/part'\nrequire_relative \"other\"\nrequire 'json'\n"),
        ("lib/other.rb", ""),
        ("spec/thing/part_spec.rb", ""),
        (
            "app/Http/Kernel.php",
            "<?php\nnamespace App\\Http;\nuse App\\Models\\User;\nrequire __DIR__ . '/boot.php';\n",
        ),
        ("app/Http/boot.php", "<?php\n"),
        ("app/Models/User.php", "<?php\n"),
        ("net/A.cs", "using My.Data;\nnamespace My.App;\n"),
        ("net/B.cs", "namespace My.Data;\n"),
        ("bin/run.sh", ". \"$(dirname \"$0\")/lib.sh\"\n"),
        ("bin/lib.sh", "f() { :; }\n"),
    ]);
    for (path, imports) in [
        (
            "src/main/java/org/a/A.java",
            &["src/main/java/org/b/B.java", "src/main/java/org/b/C.java", "src/main/java/org/d/D.java"][..],
        ),
        ("c/main.c", &["c/util/x.h"]),
        ("c/util/x.c", &["c/util/x.h"]),
        ("cpp/y.cpp", &["include/y.hpp"]),
        ("lib/thing.rb", &["lib/other.rb", "lib/thing/part.rb"]),
        ("app/Http/Kernel.php", &["app/Http/boot.php", "app/Models/User.php"]),
        ("net/A.cs", &["net/B.cs"]),
        ("bin/run.sh", &["bin/lib.sh"]),
    ] {
        assert_eq!(small.imports(path), imports, "{path}");
    }
    assert_eq!(small.coverage("src/main/java/org/a/A.java"), Coverage::Covered);
    assert_eq!(small.coverage("src/main/java/org/b/B.java"), Coverage::Partial);
    assert_eq!(small.coverage("lib/thing/part.rb"), Coverage::Covered);
}

#[test]
fn reach_goes_by_the_number_of_dependents() {
    let reach = [0, 1, 2, 3, 4, 6, 7, 99].map(Reach::of);
    assert_eq!(
        reach,
        [
            Reach::Low,
            Reach::Low,
            Reach::Medium,
            Reach::Medium,
            Reach::High,
            Reach::High,
            Reach::Critical,
            Reach::Critical
        ]
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn building_on_what_is_known_gives_what_building_anew_gives(
        edits in proptest::collection::vec((0usize..4, 0usize..4), 1..12),
    ) {
        let paths = ["a.py", "b.py", "lib/c.py", "tests/test_a.py"];
        let contents = ["import a\n", "import b\ndef f():\n    pass\n", "from lib import c\nx = 'no such column here'\n"];
        let place = tempfile::tempdir().unwrap();
        // Long after the last change: sizes and times are trusted.
        let later = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs().cast_signed() + 1_000;
        let mut known = None;
        for (path, content) in edits {
            let path = place.path().join(paths[path]);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            match contents.get(content) {
                Some(content) => std::fs::write(&path, content).unwrap(),
                None => drop(std::fs::remove_file(&path)),
            }
            let on_it = build::build(place.path(), known.take(), later).unwrap().index;
            let anew = build::build(place.path(), None, later).unwrap().index;
            prop_assert_eq!(on_it.as_bytes(), anew.as_bytes());
            prop_assert!(build::compare(place.path(), &on_it).none());
            known = Some(on_it);
        }
    }

    #[test]
    fn any_text_can_be_scanned(text in any::<String>(), code in "([a-z]{1,6}[ .(){};:,'\"\\n<>=#*/\\\\-]{1,3}){0,30}") {
        for language in 0..17 {
            let ending = ["md", "rs", "py", "js", "ts", "go", "java", "kt", "scala", "c", "cc", "cs", "rb", "php", "swift", "sh", "toml"];
            let path = format!("a.{}", ending[language]);
            prop_assert!(language == 16 || Language::of_path(&path).code() == u8::try_from(language).unwrap());
            scan(&path, &text);
            scan(&path, &code);
        }
    }
}
