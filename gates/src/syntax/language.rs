//! Which language a file is written in: by its name, then by its extension, then by its first line.

use std::path::Path;

/// A language whose grammar is built in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Language {
    Bash,
    C,
    Cpp,
    Go,
    Java,
    JavaScript,
    Json,
    /// JSON that may have comments and trailing commas, as in `tsconfig.json`.
    Jsonc,
    Python,
    Ruby,
    Rust,
    Toml,
    Tsx,
    TypeScript,
    Yaml,
}

impl Language {
    /// Every language, in the order of the documentation.
    #[cfg(test)]
    pub(crate) const ALL: [Language; 15] = [
        Language::Bash,
        Language::C,
        Language::Cpp,
        Language::Go,
        Language::Java,
        Language::JavaScript,
        Language::Json,
        Language::Jsonc,
        Language::Python,
        Language::Ruby,
        Language::Rust,
        Language::Toml,
        Language::Tsx,
        Language::TypeScript,
        Language::Yaml,
    ];

    /// Returns the language of a file, or `None` if it is none of those that are built in.
    pub(crate) fn of(path: &Path, content: &[u8]) -> Option<Language> {
        let name = path.file_name()?.to_string_lossy();
        if let Some(language) = by_name(&name) {
            return Some(language);
        }
        match name.rsplit_once('.') {
            Some((stem, extension)) if !stem.is_empty() => by_extension(extension),
            _ => by_shebang(content),
        }
    }

    /// Returns the name that people use for it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Language::Bash => "Bash",
            Language::C => "C",
            Language::Cpp => "C++",
            Language::Go => "Go",
            Language::Java => "Java",
            Language::JavaScript => "JavaScript",
            Language::Json => "JSON",
            Language::Jsonc => "JSON with comments",
            Language::Python => "Python",
            Language::Ruby => "Ruby",
            Language::Rust => "Rust",
            Language::Toml => "TOML",
            Language::Tsx => "TSX",
            Language::TypeScript => "TypeScript",
            Language::Yaml => "YAML",
        }
    }

    /// Returns its grammar.
    pub(crate) fn grammar(self) -> tree_sitter::Language {
        match self {
            Language::Bash => tree_sitter_bash::LANGUAGE,
            Language::C => tree_sitter_c::LANGUAGE,
            Language::Cpp => tree_sitter_cpp::LANGUAGE,
            Language::Go => tree_sitter_go::LANGUAGE,
            Language::Java => tree_sitter_java::LANGUAGE,
            Language::JavaScript => tree_sitter_javascript::LANGUAGE,
            Language::Json | Language::Jsonc => tree_sitter_json::LANGUAGE,
            Language::Python => tree_sitter_python::LANGUAGE,
            Language::Ruby => tree_sitter_ruby::LANGUAGE,
            Language::Rust => tree_sitter_rust::LANGUAGE,
            Language::Toml => tree_sitter_toml_ng::LANGUAGE,
            Language::Tsx => tree_sitter_typescript::LANGUAGE_TSX,
            Language::TypeScript => tree_sitter_typescript::LANGUAGE_TYPESCRIPT,
            Language::Yaml => tree_sitter_yaml::LANGUAGE,
        }
        .into()
    }
}

fn by_name(name: &str) -> Option<Language> {
    let lower = name.to_ascii_lowercase();
    Some(match lower.as_str() {
        "cargo.lock" | "poetry.lock" | "uv.lock" | "pdm.lock" | "gopkg.lock" | "pipfile" => Language::Toml,
        "composer.lock" | "pipfile.lock" | "flake.lock" | "deno.lock" => Language::Json,
        "config.ru" | "gemfile" | "rakefile" | "vagrantfile" | "podfile" | "fastfile" | "brewfile"
        | "guardfile" => Language::Ruby,
        ".bashrc" | ".bash_profile" | ".bash_aliases" | ".profile" => Language::Bash,
        ".clang-format" | ".clang-tidy" => Language::Yaml,
        ".eslintrc" | ".babelrc" | ".swcrc" | ".jshintrc" | ".jscsrc" | "devcontainer.json" | "bun.lock"
        | "tslint.json" | "api-extractor.json" | "deno.json" | "turbo.json" | "nx.json" => Language::Jsonc,
        _ if lower.ends_with(".json")
            && ["tsconfig", "jsconfig", ".eslintrc", ".babelrc", ".devcontainer", ".swcrc"]
                .iter()
                .any(|stem| lower.starts_with(stem)) =>
        {
            Language::Jsonc
        }
        // What editors keep beside a project is read with comments by all of them.
        "settings.json" | "launch.json" | "tasks.json" | "extensions.json" | "keybindings.json" => {
            Language::Jsonc
        }
        _ => return None,
    })
}

fn by_extension(extension: &str) -> Option<Language> {
    // `.C` and `.H` are C++ by an old custom; everything else ignores case.
    if extension == "C" || extension == "H" {
        return Some(Language::Cpp);
    }
    Some(match extension.to_ascii_lowercase().as_str() {
        "sh" | "bash" | "bats" | "ksh" => Language::Bash,
        "c" => Language::C,
        // Headers: the C++ grammar accepts nearly all of C, the C grammar nothing of C++.
        "h" | "cc" | "cpp" | "cxx" | "c++" | "hh" | "hpp" | "hxx" | "h++" | "ipp" | "tpp" | "inl" => {
            Language::Cpp
        }
        "go" => Language::Go,
        "java" => Language::Java,
        "js" | "mjs" | "cjs" | "jsx" => Language::JavaScript,
        "json" | "geojson" | "webmanifest" | "ipynb" | "har" => Language::Json,
        "jsonc" | "code-workspace" | "code-snippets" => Language::Jsonc,
        "py" | "pyi" | "pyw" => Language::Python,
        "rb" | "rake" | "gemspec" => Language::Ruby,
        "rs" => Language::Rust,
        "toml" => Language::Toml,
        "tsx" => Language::Tsx,
        "ts" | "mts" | "cts" => Language::TypeScript,
        "yaml" | "yml" => Language::Yaml,
        _ => return None,
    })
}

fn by_shebang(content: &[u8]) -> Option<Language> {
    let line = content.strip_prefix(b"#!")?.split(|byte| *byte == b'\n').next()?;
    let line = std::str::from_utf8(line.get(..200).unwrap_or(line)).ok()?;
    let mut words = line.split_whitespace();
    let mut program = words.next()?.rsplit('/').next()?;
    if program == "env" {
        // `env -S node --flag`, `env PATH=x python3`
        program = words.find(|word| !word.starts_with('-') && !word.contains('='))?.rsplit('/').next()?;
    }
    let program = program.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    // A shell script of one line that starts Python on itself, as pip writes it where paths are long.
    let polyglot =
        content.split(|byte| *byte == b'\n').nth(1).is_some_and(|line| line.starts_with(b"'''exec' "));
    Some(match program {
        "sh" if polyglot => Language::Python,
        "sh" | "bash" | "dash" | "ksh" | "ash" => Language::Bash,
        "python" | "pypy" => Language::Python,
        "ruby" | "jruby" => Language::Ruby,
        "node" | "nodejs" => Language::JavaScript,
        "deno" | "bun" | "ts-node" | "tsx" => Language::TypeScript,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_then_extension_then_first_line() {
        for (path, content, expected) in [
            ("src/main.rs", "", Some(Language::Rust)),
            ("a.b/x.PY", "", Some(Language::Python)),
            ("x.test.tsx", "", Some(Language::Tsx)),
            ("tsconfig.build.json", "", Some(Language::Jsonc)),
            ("package.json", "", Some(Language::Json)),
            (".vscode/settings.json", "", Some(Language::Jsonc)),
            ("Cargo.lock", "", Some(Language::Toml)),
            ("Rakefile", "", Some(Language::Ruby)),
            ("Makefile", "", None),
            ("Makefile", "#!/usr/bin/make -f\n", None),
            ("notes.txt", "#!/bin/sh\n", None),
            ("run", "#!/bin/sh\n", Some(Language::Bash)),
            ("run", "#!/usr/bin/env python3.11\n", Some(Language::Python)),
            ("run", "#!/usr/bin/env -S node --test\n", Some(Language::JavaScript)),
            ("pip", "#!/bin/sh\n'''exec' /a/python \"$0\"\n' '''\n", Some(Language::Python)),
            ("run", "#!/usr/bin/perl\n", None),
            (".envrc", "#!/bin/bash\n", Some(Language::Bash)),
            ("foo.h", "", Some(Language::Cpp)),
            ("README", "", None),
        ] {
            assert_eq!(Language::of(Path::new(path), content.as_bytes()), expected, "{path}");
        }
    }

    #[test]
    fn every_grammar_links_with_the_parser() {
        for language in Language::ALL {
            let mut parser = tree_sitter::Parser::new();
            parser.set_language(&language.grammar()).unwrap_or_else(|error| panic!("{language:?}: {error}"));
        }
    }
}
