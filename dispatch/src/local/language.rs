//! How imports and definitions are written, by file extension.
//!
//! These are patterns over text, not parsers: they may take a line in a string for code. They list every
//! candidate with its place; a reader decides. `NAME` stands for the name that is looked for.

use regex::bytes::{Regex, RegexBuilder};

/// A way to write something, in the files with these extensions.
struct Form {
    extensions: &'static [&'static str],
    /// What is defined, for definitions.
    what: &'static str,
    pattern: &'static str,
}

const fn form(extensions: &'static [&'static str], what: &'static str, pattern: &'static str) -> Form {
    Form { extensions, what, pattern }
}

const RUST: &[&str] = &["rs"];
const PYTHON: &[&str] = &["py", "pyi"];
const SCRIPT: &[&str] = &["js", "jsx", "mjs", "cjs", "ts", "tsx", "mts", "cts", "vue", "svelte"];
const GO: &[&str] = &["go"];
const JVM: &[&str] = &["java", "kt", "kts", "scala", "groovy"];
const C: &[&str] = &["c", "h", "cc", "cpp", "cxx", "hh", "hpp", "hxx"];
const CSHARP: &[&str] = &["cs"];
const RUBY: &[&str] = &["rb", "rake"];
const PHP: &[&str] = &["php"];
const SHELL: &[&str] = &["sh", "bash", "zsh"];
const SWIFT: &[&str] = &["swift"];
const ELIXIR: &[&str] = &["ex", "exs"];
const STYLE: &[&str] = &["css", "scss", "sass", "less"];
const PROTO: &[&str] = &["proto"];
const SQL: &[&str] = &["sql"];

/// `NAME` is a module path with `/`, `.` or `::`, whatever the language has.
const IMPORTS: &[Form] = &[
    form(
        RUST,
        "",
        r"^[ \t]*(?:pub(?:\([^)\n]*\))?[ \t]+)?use[ \t]+(?:::|crate::|self::|super::)*NAME(?:::|;|[ \t])",
    ),
    form(RUST, "", r"^[ \t]*(?:pub[ \t]+)?extern[ \t]+crate[ \t]+NAME\b"),
    form(RUST, "", r"^[ \t]*(?:pub(?:\([^)\n]*\))?[ \t]+)?use[ \t]+[^;]*\bNAME\b"),
    form(PYTHON, "", r"^[ \t]*import[ \t]+(?:[\w. ]+,[ \t]*)*NAME(?:[.,\s#]|$)"),
    form(PYTHON, "", r"^[ \t]*from[ \t]+\.*NAME(?:\.[\w.]+)?[ \t]+import\b"),
    form(PYTHON, "", r"^[ \t]*from[ \t]+[\w.]+[ \t]+import[ \t]+(?:\([^)]*|[^\n(]*)\bNAME\b"),
    form(
        SCRIPT,
        "",
        r#"(?:\bfrom|\bimport|\brequire[ \t]*\(|\bimport[ \t]*\()[ \t]*['"](?:NAME|[^'"\n]*/NAME)(?:/[^'"\n]*|\.\w+)?['"]"#,
    ),
    form(SCRIPT, "", r"^[ \t]*(?:import|export)\b[^;'\x22]*\bNAME\b[^;'\x22]*\bfrom\b"),
    form(
        GO,
        "",
        r#"^[ \t]*(?:import[ \t]+)?(?:[\w.]+[ \t]+)?"(?:[^"\n]*/)?NAME(?:/[^"\n]*)?"[ \t]*(?://.*)?$"#,
    ),
    form(JVM, "", r"^[ \t]*import[ \t]+(?:static[ \t]+)?(?:[\w.]+\.)?NAME(?:[.;\s]|$)"),
    form(C, "", r#"^[ \t]*#[ \t]*include[ \t]*[<"](?:[^>"\n]*/)?NAME(?:\.\w+|/[^>"\n]*)?[>"]"#),
    form(CSHARP, "", r"^[ \t]*(?:global[ \t]+)?using[ \t]+(?:static[ \t]+)?(?:[\w.]+\.)?NAME[.;]"),
    form(RUBY, "", r#"^[ \t]*require(?:_relative)?[ \t]*\(?[ \t]*['"](?:[^'"\n]*/)?NAME(?:/[^'"\n]*)?['"]"#),
    form(PHP, "", r"^[ \t]*use[ \t]+(?:function[ \t]+|const[ \t]+)?\\?(?:[\w\\]+\\)?NAME(?:[\\;\s,]|$)"),
    form(PHP, "", r#"^[ \t]*(?:require|include)(?:_once)?\b[^;\n]*\bNAME\b"#),
    form(SHELL, "", r"^[ \t]*(?:source|\.)[ \t]+[^\n#;]*\bNAME\b"),
    form(SWIFT, "", r"^[ \t]*(?:@\w+[ \t]+)?import[ \t]+(?:\w+[ \t]+)?NAME\b"),
    form(ELIXIR, "", r"^[ \t]*(?:alias|import|use|require)[ \t]+(?:[\w.]+\.)?NAME\b"),
    form(STYLE, "", r#"@(?:import|use|forward)[ \t]+(?:url\()?['"](?:[^'"\n]*/)?_?NAME(?:\.\w+)?['"]"#),
    form(PROTO, "", r#"^[ \t]*import[ \t]+(?:public[ \t]+)?"(?:[^"\n]*/)?NAME(?:\.proto)?""#),
];

const DEFINITIONS: &[Form] = &[
    form(RUST, "function", r"\bfn[ \t]+(?:r#)?NAME\b"),
    form(RUST, "type", r"\b(?:struct|enum|trait|union|type)[ \t]+NAME\b"),
    form(RUST, "value", r"\b(?:const|static)[ \t]+(?:mut[ \t]+)?NAME[ \t]*:"),
    form(RUST, "module", r"\bmod[ \t]+NAME\b"),
    form(RUST, "macro", r"\bmacro_rules![ \t]*NAME\b"),
    form(PYTHON, "function", r"^[ \t]*(?:async[ \t]+)?def[ \t]+NAME\b"),
    form(PYTHON, "type", r"^[ \t]*class[ \t]+NAME\b"),
    form(PYTHON, "value", r"^NAME[ \t]*(?::[^=\n]+)?=[^=]"),
    form(SCRIPT, "function", r"\bfunction\b[ \t]*\*?[ \t]*NAME\b"),
    form(
        SCRIPT,
        "function",
        r"^[ \t]*(?:(?:public|private|protected|static|async|override|get|set)[ \t]+)*NAME[ \t]*(?:<[^>\n]*>)?\([^;{}\n]*\)[ \t]*(?::[^{;\n]+)?\{",
    ),
    form(
        SCRIPT,
        "function",
        r"\b(?:const|let|var)[ \t]+NAME\b[^=\n]*=[ \t]*(?:async[ \t]*)?(?:\([^\n]*=>|\w+[ \t]*=>|function\b)",
    ),
    form(SCRIPT, "type", r"\b(?:class|interface|enum|type|namespace)[ \t]+NAME\b"),
    form(SCRIPT, "value", r"\b(?:const|let|var)[ \t]+NAME\b"),
    form(GO, "function", r"^func[ \t]+(?:\([^)\n]*\)[ \t]*)?NAME\b"),
    form(GO, "type", r"^[ \t]*(?:type[ \t]+)?NAME[ \t]+(?:struct|interface|func)\b"),
    form(GO, "type", r"^type[ \t]+NAME\b"),
    form(GO, "value", r"^[ \t]*(?:var|const)[ \t]+NAME\b"),
    form(JVM, "type", r"\b(?:class|interface|enum|record|@interface|object|trait)[ \t]+NAME\b"),
    form(JVM, "function", r"\b(?:fun|def)[ \t]+(?:<[^>\n]*>[ \t]*)?(?:\w+\.)?NAME\b"),
    form(JVM, "function", r"^[ \t]+(?:[\w<>\[\],.?@]+[ \t]+)+NAME[ \t]*\([^;\n]*$"),
    form(JVM, "value", r"\b(?:val|var)[ \t]+NAME\b"),
    form(C, "macro", r"^[ \t]*#[ \t]*define[ \t]+NAME\b"),
    form(
        C,
        "type",
        r"\b(?:struct|enum|union|class|namespace|concept)(?:[ \t]+class)?[ \t]+NAME\b[^;\n]*(?:\{|$|:)",
    ),
    form(
        C,
        "type",
        r"\btypedef\b[^;{}]*(?:\{[^{}]*\})?[^;{}]*\bNAME[ \t]*;|^[ \t]*\}[ \t]*NAME[ \t]*;|\busing[ \t]+NAME[ \t]*=",
    ),
    form(C, "function", r"^[A-Za-z_][\w \t\*&:<>,~]*\bNAME[ \t]*\([^;\n]*$"),
    form(CSHARP, "type", r"\b(?:class|interface|enum|record|struct|delegate)[ \t]+NAME\b"),
    form(CSHARP, "function", r"^[ \t]+(?:[\w<>\[\],.?]+[ \t]+)+NAME[ \t]*(?:<[^>\n]*>)?\([^;\n]*$"),
    form(RUBY, "function", r"^[ \t]*def[ \t]+(?:self\.)?NAME\b"),
    form(RUBY, "type", r"^[ \t]*(?:class|module)[ \t]+(?:\w+::)*NAME\b"),
    form(RUBY, "value", r"^[ \t]*NAME[ \t]*=[^=]"),
    form(PHP, "function", r"\bfunction[ \t]+&?NAME\b"),
    form(PHP, "type", r"\b(?:class|interface|trait|enum)[ \t]+NAME\b"),
    form(PHP, "value", r"\bconst[ \t]+NAME\b"),
    form(SHELL, "function", r"^[ \t]*(?:function[ \t]+NAME\b|NAME[ \t]*\(\))"),
    form(SHELL, "value", r"^[ \t]*(?:export[ \t]+|readonly[ \t]+|local[ \t]+)*NAME="),
    form(SWIFT, "function", r"\bfunc[ \t]+NAME\b"),
    form(SWIFT, "type", r"\b(?:class|struct|enum|protocol|actor|typealias|extension)[ \t]+NAME\b"),
    form(SWIFT, "value", r"\b(?:let|var)[ \t]+NAME\b"),
    form(ELIXIR, "function", r"^[ \t]*defp?[ \t]+NAME\b"),
    form(ELIXIR, "type", r"^[ \t]*defmodule[ \t]+(?:[\w.]+\.)?NAME\b"),
    form(ELIXIR, "macro", r"^[ \t]*defmacrop?[ \t]+NAME\b"),
    form(PROTO, "type", r"^[ \t]*(?:message|enum|service)[ \t]+NAME\b"),
    form(PROTO, "function", r"^[ \t]*rpc[ \t]+NAME\b"),
    form(
        SQL,
        "type",
        r"(?i)\bcreate[ \t]+(?:or[ \t]+replace[ \t]+)?(?:temp(?:orary)?[ \t]+)?(?:table|view|type|materialized[ \t]+view)[ \t]+(?:if[ \t]+not[ \t]+exists[ \t]+)?(?:\w+\.)?[`\x22]?NAME\b",
    ),
    form(
        SQL,
        "function",
        r"(?i)\bcreate[ \t]+(?:or[ \t]+replace[ \t]+)?(?:function|procedure|trigger)[ \t]+(?:\w+\.)?[`\x22]?NAME\b",
    ),
];

/// Patterns that depend on the language of a file.
pub(super) struct ByLanguage {
    /// What a file must contain for any of the forms to match: most files are done with after one fast look.
    probe: Regex,
    forms: Vec<(&'static [&'static str], Regex)>,
}

impl ByLanguage {
    /// Returns what finds imports of these modules.
    pub(super) fn imports(names: &[String], insensitive: bool) -> Result<Self, String> {
        let mut forms = Vec::new();
        for name in names {
            for form in IMPORTS {
                forms.push((
                    form.extensions,
                    compile(form.pattern, &import_name(name, form.extensions), insensitive)?,
                ));
            }
        }
        Ok(ByLanguage { probe: probe(names, insensitive)?, forms })
    }

    /// Returns what finds definitions of these names.
    pub(super) fn definitions(
        names: &[String],
        what: Option<&str>,
        insensitive: bool,
    ) -> Result<Self, String> {
        let mut forms = Vec::new();
        for name in names {
            // Definitions are written without their path.
            let last = last_part(name);
            for form in DEFINITIONS.iter().filter(|form| what.is_none_or(|what| what == form.what)) {
                forms.push((form.extensions, compile(form.pattern, &regex::escape(last), insensitive)?));
            }
        }
        Ok(ByLanguage { probe: probe(names, insensitive)?, forms })
    }

    /// Returns the patterns for a file of this name and content.
    pub(super) fn patterns(&self, name: &str, text: &[u8]) -> Vec<&Regex> {
        if !self.probe.is_match(text) {
            return Vec::new();
        }
        let Some((_, extension)) = name.rsplit_once('.') else { return Vec::new() };
        let extension = extension.to_lowercase();
        self.forms
            .iter()
            .filter(|(extensions, _)| extensions.contains(&extension.as_str()))
            .map(|(_, regex)| regex)
            .collect()
    }
}

/// Returns what finds the last part of any of the names, as any language may write it.
fn probe(names: &[String], insensitive: bool) -> Result<Regex, String> {
    let parts: Vec<String> = names
        .iter()
        .flat_map(|name| {
            let last = last_part(name.trim_end_matches(".hpp").trim_end_matches(".h"));
            [last.to_owned(), last.replace('-', "_")]
        })
        .map(|part| regex::escape(&part))
        .collect();
    compile("NAME", &format!("(?:{})", parts.join("|")), insensitive)
}

/// Returns the name at the end of a path of names.
pub(super) fn last_part(name: &str) -> &str {
    name.rsplit([':', '.', '#', '/']).find(|part| !part.is_empty()).unwrap_or(name)
}

/// Returns the name as an import in that language would say it.
fn import_name(name: &str, extensions: &[&str]) -> String {
    match extensions {
        // Crates with a hyphen are imported with an underscore.
        RUST => regex::escape(&name.replace('-', "_")),
        PYTHON => regex::escape(&name.replace('-', "_")),
        SCRIPT => regex::escape(name.trim_start_matches("./").trim_start_matches("../")),
        C => regex::escape(name.strip_suffix(".h").or_else(|| name.strip_suffix(".hpp")).unwrap_or(name)),
        _ => regex::escape(name),
    }
}

fn compile(pattern: &str, name: &str, insensitive: bool) -> Result<Regex, String> {
    RegexBuilder::new(&pattern.replace("NAME", name))
        .multi_line(true)
        .case_insensitive(insensitive)
        .build()
        .map_err(|error| format!("cannot search for `{name}`: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matched(forms: &ByLanguage, file: &str, text: &str) -> bool {
        forms.patterns(file, text.as_bytes()).iter().any(|regex| regex.is_match(text.as_bytes()))
    }

    #[test]
    fn imports_are_known_in_every_language() {
        for (file, name, text) in [
            ("a.rs", "serde_json", "use serde_json::Value;"),
            ("a.rs", "serde-json", "pub(crate) use serde_json;"),
            ("a.rs", "std::fs", "use std::fs;"),
            ("a.rs", "Value", "use serde_json::{Map,\n    Value};"),
            ("a.py", "numpy", "import os, numpy as np"),
            ("a.py", "os.path", "from os.path import join"),
            ("a.py", "join", "from os.path import (dirname,\n    join)"),
            ("a.ts", "react", "import React from 'react';"),
            ("a.js", "@scope/x", "const x = require(\"@scope/x/deep\");"),
            ("a.js", "./utils", "import { a } from '../lib/utils.js'"),
            ("a.go", "errors", "import (\n\t\"github.com/pkg/errors\"\n)"),
            ("A.java", "List", "import java.util.List;"),
            ("a.c", "stdio.h", "#include <stdio.h>"),
            ("a.cpp", "parser", "#include \"lib/parser.hpp\""),
            ("a.rb", "json", "require 'json'"),
            ("a.php", "Client", "use Http\\Client;"),
            ("a.cs", "System.Text", "using System.Text;"),
            ("a.sh", "common.sh", "source \"$dir/common.sh\""),
            ("a.swift", "UIKit", "import UIKit"),
            ("a.scss", "colors", "@use 'theme/colors';"),
            ("a.proto", "user.proto", "import \"api/user.proto\";"),
        ] {
            let forms = ByLanguage::imports(&[name.to_owned()], false).expect("forms");
            assert!(matched(&forms, file, text), "{name} in {text}");
        }
        for (file, name, text) in [
            ("a.rs", "serde", "use serde_json::Value;"),
            ("a.rs", "serde_json", "// serde_json::Value"),
            ("a.py", "json", "import simplejson"),
            ("a.py", "json", "x = 'import json'"),
            ("a.js", "react", "import x from 'react-dom'"),
            ("a.go", "errors", "// see errors"),
            ("a.txt", "json", "import json"),
        ] {
            let forms = ByLanguage::imports(&[name.to_owned()], false).expect("forms");
            assert!(!matched(&forms, file, text), "{name} in {text}");
        }
    }

    #[test]
    fn definitions_are_known_in_every_language() {
        for (file, what, text) in [
            ("a.rs", "function", "    pub async fn x<T>(t: T)"),
            ("a.rs", "type", "pub(crate) struct x;"),
            ("a.rs", "macro", "macro_rules! x {"),
            ("a.py", "function", "    async def x(self):"),
            ("a.py", "value", "x: int = 1"),
            ("a.ts", "function", "  private async x(a: string): Promise<void> {"),
            ("a.js", "function", "const x = async (a) => a"),
            ("a.ts", "type", "export interface x {"),
            ("a.go", "function", "func (s *Server) x(a int) error {"),
            ("a.go", "type", "type x struct {"),
            ("A.java", "function", "    public static int x(int a) {"),
            ("A.kt", "function", "fun <T> x(a: T) = a"),
            ("a.c", "macro", "#define x(a) (a)"),
            ("a.c", "function", "static int x(int a)"),
            ("a.h", "type", "typedef struct { int a; } x;"),
            ("a.rb", "function", "  def self.x(a)"),
            ("a.php", "function", "public function x($a)"),
            ("a.sh", "function", "x() {"),
            ("a.swift", "function", "func x() {"),
            ("a.ex", "function", "  defp x(a), do: a"),
            ("a.proto", "type", "message x {"),
            ("a.sql", "type", "CREATE TABLE IF NOT EXISTS x ("),
        ] {
            for name in ["x", "Some::x", "some.x"] {
                let forms = ByLanguage::definitions(&[name.to_owned()], Some(what), false).expect("forms");
                assert!(matched(&forms, file, text), "{name} in {text}");
            }
        }
        for (file, text) in [
            ("a.rs", "    x();"),
            ("a.rs", "fn xy() {}"),
            ("a.py", "    return x(1)"),
            ("a.js", "  x(1);"),
            ("a.go", "\treturn x(1)"),
            ("a.c", "    x(1);"),
            ("A.java", "    return x(1);"),
            ("a.rb", "  x == 1"),
        ] {
            let forms = ByLanguage::definitions(&["x".to_owned()], None, false).expect("forms");
            assert!(!matched(&forms, file, text), "in {text}");
        }
    }
}
