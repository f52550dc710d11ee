//! Kinds of files that people name in words, and which files are meant.

/// A kind of files: its names in a text, and the globs of the files.
pub(super) struct Kind {
    /// The name that is shown.
    pub(super) name: &'static str,
    /// What a text may call it, in lower case.
    pub(super) words: &'static [&'static str],
    /// Matched against the path, `/` as the separator.
    pub(super) globs: &'static [&'static str],
}

const fn kind(name: &'static str, words: &'static [&'static str], globs: &'static [&'static str]) -> Kind {
    Kind { name, words, globs }
}

/// All kinds. The first that bears a word is meant.
pub(super) const KINDS: &[Kind] = &[
    kind("Rust", &["rust"], &["**/*.rs"]),
    kind("Python", &["python"], &["**/*.py", "**/*.pyi"]),
    kind("JavaScript", &["javascript"], &["**/*.js", "**/*.jsx", "**/*.mjs", "**/*.cjs"]),
    kind("TypeScript", &["typescript"], &["**/*.ts", "**/*.tsx", "**/*.mts", "**/*.cts"]),
    kind("Go", &["go", "golang"], &["**/*.go"]),
    kind("Java", &["java"], &["**/*.java"]),
    kind("Kotlin", &["kotlin"], &["**/*.kt", "**/*.kts"]),
    kind("Scala", &["scala"], &["**/*.scala"]),
    kind("Swift", &["swift"], &["**/*.swift"]),
    kind("C++", &["c++", "cpp"], &["**/*.{cc,cpp,cxx,hh,hpp,hxx}"]),
    kind("C#", &["c#", "csharp"], &["**/*.cs"]),
    kind("C", &["c"], &["**/*.c", "**/*.h"]),
    kind("header", &["header"], &["**/*.{h,hh,hpp,hxx}"]),
    kind("Ruby", &["ruby"], &["**/*.rb", "**/Rakefile", "**/Gemfile"]),
    kind("PHP", &["php"], &["**/*.php"]),
    kind("Elixir", &["elixir"], &["**/*.ex", "**/*.exs"]),
    kind("Haskell", &["haskell"], &["**/*.hs"]),
    kind("Lua", &["lua"], &["**/*.lua"]),
    kind("Zig", &["zig"], &["**/*.zig"]),
    kind("shell", &["shell", "bash"], &["**/*.sh", "**/*.bash", "**/*.zsh"]),
    kind("SQL", &["sql"], &["**/*.sql"]),
    kind("HTML", &["html"], &["**/*.html", "**/*.htm"]),
    kind("CSS", &["css"], &["**/*.css"]),
    kind("stylesheet", &["stylesheet"], &["**/*.{css,scss,sass,less}"]),
    kind("Markdown", &["markdown"], &["**/*.md", "**/*.markdown"]),
    kind("YAML", &["yaml", "yml"], &["**/*.yaml", "**/*.yml"]),
    kind("TOML", &["toml"], &["**/*.toml"]),
    kind("JSON", &["json"], &["**/*.json"]),
    kind("XML", &["xml"], &["**/*.xml"]),
    kind("CSV", &["csv"], &["**/*.csv"]),
    kind("text", &["text"], &["**/*.txt"]),
    kind("Protobuf", &["protobuf", "proto"], &["**/*.proto"]),
    kind("Terraform", &["terraform"], &["**/*.tf"]),
    kind("image", &["image"], &["**/*.{png,jpg,jpeg,gif,svg,webp,ico,bmp,avif}"]),
    kind("log", &["log"], &["**/*.log"]),
    kind("README", &["readme"], &["**/README", "**/README.*", "**/readme.*", "**/Readme.*"]),
    kind(
        "test",
        &["test"],
        &[
            "tests/**",
            "**/tests/**",
            "test/**",
            "**/test/**",
            "**/__tests__/**",
            "spec/**",
            "**/test_*.py",
            "**/*_test.{py,go,rs,rb,exs,cc,cpp,c}",
            "**/*_tests.rs",
            "**/tests.rs",
            "**/*.{test,spec}.{js,jsx,ts,tsx,mjs,cjs}",
            "**/*_spec.rb",
            "**/*Test.{java,kt,php,swift}",
            "**/*Tests.{java,kt,cs,swift}",
        ],
    ),
    kind("source", &["source", "code"], &[SOURCE]),
];

/// The files of programming languages.
const SOURCE: &str = "**/*.{rs,py,pyi,js,jsx,mjs,cjs,ts,tsx,mts,cts,go,java,kt,kts,scala,swift,c,h,cc,cpp,cxx,hh,hpp,\
                      hxx,cs,rb,php,ex,exs,hs,lua,zig,sh,bash,zsh,sql,pl,pm,r,jl,dart,clj,erl,ml,vue,svelte}";

/// Extensions that a text may name without their dot (`rs files`).
pub(super) const EXTENSIONS: &[&str] = &[
    "rs", "py", "pyi", "js", "jsx", "mjs", "cjs", "ts", "tsx", "kt", "cc", "cxx", "hpp", "cs", "rb", "ex",
    "exs", "hs", "sh", "scss", "sass", "less", "md", "rst", "txt", "ini", "cfg", "conf", "lock", "tf", "vue",
    "svelte", "ipynb", "jsonl", "tsv", "png", "jpg", "jpeg", "gif", "svg", "pdf", "gradle", "patch", "diff",
    "po",
];

/// Returns the kind that a word names.
pub(super) fn named(word: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.words.contains(&word))
}

/// Returns the kind of this name.
pub(super) fn get(name: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.name == name)
}
