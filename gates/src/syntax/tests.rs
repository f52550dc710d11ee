use super::*;

fn outcome(name: &str, content: &str) -> String {
    let first = |found: &[Found]| {
        let finding = &found[0].finding;
        format!("{}:{} {}", finding.line.unwrap(), finding.column.unwrap(), finding.message)
    };
    match check(Path::new(name), content.as_bytes()) {
        Checked::NotApplicable => "not applicable".to_owned(),
        Checked::Unverifiable(reason) => format!("unverifiable: {reason}"),
        Checked::Doubtful(found, _) => format!("doubtful: {}", first(&found)),
        Checked::Yes(found) if found.is_empty() => "ok".to_owned(),
        Checked::Yes(found) => first(&found),
    }
}

#[test]
fn good_files_of_every_language() {
    for (name, content) in [
        ("a.rs", "fn main() -> Result<(), ()> { let Some(x) = f() && y else { return Err(()) }; Ok(x) }\n"),
        ("a.rs", "#![allow(x)]\nunsafe extern \"C\" { fn f(); }\nconst X: &str = r#\"{{{\"#;\n"),
        (
            "a.py",
            "#!/usr/bin/env python3\nasync def f(*, a: int = 1, **k) -> None:\n    match a:\n        case [1, *_]: pass\n",
        ),
        ("a.py", "if True:\n\tx = f\"{a!r:>{b}}\"\nelse: pass\n# comment\n  # odd comment\ny = (1,\n2)\n"),
        (
            "a.py",
            "class A: ...\ndef f():\n    \"\"\"Doc.\"\"\"\n    try:\n        return 1\n    finally:\n        x = 1; y = 2\n\n@d\ndef g(): return\n",
        ),
        ("a.js", "export default async function* f() { for await (const x of y?.z ?? []) yield x }\n"),
        ("a.jsx", "const a = <A b={c}>{...d}</A>;\n"),
        ("a.ts", "type A<T extends B> = { readonly [K in keyof T]?: T[K] }; let x = y satisfies A<B>;\n"),
        ("a.tsx", "export const A: FC<P> = ({ a }) => <B<C> d={a as E} />;\n"),
        ("a.go", "package a\n\nfunc F[T any](x ...T) (y int, err error) { defer func() {}(); return }\n"),
        ("A.java", "record A<T>(int x) { static final String S = \"\"\"\n  text\n  \"\"\"; }\n"),
        ("a.c", "#include <a.h>\nstatic int f(const char *s[], ...) { return s ? 0 : (int)sizeof(*s); }\n"),
        (
            "a.cpp",
            "template <class T> auto f(T&& x) -> decltype(x) { return [&](auto y) { return y; }(x); }\n",
        ),
        ("a.h", "#ifndef A_H\n#define A_H\nint f(void);\n#endif\n"),
        ("a.rb", "class A < B\n  def f(a:, *b) = a.map { |x| \"#{x}\" }\nend\n"),
        (
            "a.sh",
            "#!/bin/sh\nfor i in \"$@\"; do case $i in a|b) echo ${i%%.*} ;; esac; done <<EOF\nx\nEOF\n",
        ),
        ("run", "#!/bin/bash\n[[ $x =~ ^a.*$ ]] && echo $((1 + 2))\n"),
        ("a.json", "{\"a\": [1.10, 1e999, \"\\ud800\", null], \"a\": true}\n"),
        ("tsconfig.json", "// x\n{\"a\": [1, /* y */ ], }\n"),
        ("a.jsonc", "{\n  // x\n  \"a\": 1,\n}\n"),
        ("a.yaml", "a: &x [1, {b: c}]\nd:\n  - *x\n  - |\n    text: [\n---\nb: 'it''s'\n"),
        (
            "a.yml",
            "on: push\njobs:\n  a:\n    if: ${{ github.ref == 'x' }}\n    steps:\n      - run: echo ${{ matrix.a }}\n",
        ),
        ("a.toml", "[a.\"b c\"]\nx = 1979-05-27T07:32:00Z\ny = { z = '''m\nn''' }\n[[d]]\n"),
        ("empty.py", ""),
        ("empty.yaml", ""),
        ("bom.json", "\u{feff}{}"),
        ("crlf.py", "def f():\r\n    return 1\r\n"),
    ] {
        assert_eq!(outcome(name, content), "ok", "{name}: {content}");
    }
}

#[test]
fn broken_files_of_every_language_and_where() {
    for (name, content, expected) in [
        ("a.py", "def f():\nreturn 1\n", "1:1 Python: an indented block is missing after this"),
        ("a.py", "x = 1\n    y = 2\n", "2:5 Python: this is indented unlike the lines before it"),
        ("a.py", "if x:\n        a\n    b\n", "3:5 Python: this is indented unlike the lines before it"),
        ("a.py", "def f(a:\n    return (a\n\nx = 3\n", "2:12 Python: this `(` is never closed"),
        (
            "a.py",
            "def f()\n    return 1\n",
            "1:1 Python: what begins with `def` here does not parse (up to line 2)",
        ),
        ("a.py", "class A:\n", "1:1 Python: an indented block is missing after this"),
        ("a.py", "print 'x'\n", "1:1 Python: a statement of Python 2; call it as a function"),
        (
            "a.py",
            "if a:\n    if b:\n        c\n  else:\n    d\n",
            "4:3 Python: this is indented unlike the statement it belongs to",
        ),
        ("a.py", "@a\n  def f(): pass\n", "2:3 Python: this is indented unlike its decorator"),
        ("a.py", "f(1, a=2, *b, **c, 3)\n", "1:20 Python: a positional argument after one with a name"),
        ("a.py", "x = = 2\n", "1:5 Python: `=` is not expected here"),
        ("a.py", "try:\n    x()\ny = 1\n", "1:1 Python: `try` without `except` or `finally`"),
        ("a.rs", "fn main() {\n    let x = (1 + 2;\n}\n", "2:19 Rust: `)` is missing for the `(` of line 2"),
        ("a.rs", "fn main() {\n    foo();\n\nfn b() {}\n", "1:11 Rust: this `{` is never closed"),
        ("a.rs", "fn main() {\n    let x = 1\n    let y = 2;\n}\n", "2:14 Rust: `;` is missing"),
        ("a.rs", "fn main() {\n}\n}\n", "3:1 Rust: `}` closes nothing"),
        (
            "a.js",
            "function f() {\n  return [1, 2;\n}\n",
            "2:15 JavaScript: `]` is missing for the `[` of line 2",
        ),
        ("a.ts", "interface A { x: ; }\n", "1:16 TypeScript: `:` is not expected here"),
        ("a.tsx", "const a = <A>;\n", "1:1 TSX: what begins with `const` here does not parse (up to line 2)"),
        ("a.go", "package a\nfunc f() {\n x := \n}\n", "3:6 Go: an identifier is missing"),
        ("A.java", "class A { int x = 1 }\n", "1:20 Java: `;` is missing"),
        ("a.c", "int main(void) {\n  int x = 1\n  return x;\n}\n", "2:12 C: `;` is missing"),
        ("a.c", "int main(void) { if (x { return 1; }\n", "1:21 C: this `(` is never closed"),
        ("a.cpp", "class A {\n  int f() {\n};\n", "1:9 C++: this `{` is never closed"),
        (
            "a.rb",
            "def f\n  if x\n    1\nend\n",
            "1:1 Ruby: what begins with `def` here does not parse (up to line 4)",
        ),
        ("a.sh", "if true; then\n  echo a\n", "2:9 Bash: `fi` is missing for the `if` of line 1"),
        ("a.sh", "echo $(ls\n", "1:10 Bash: `)` is missing for the `$(` of line 1"),
        ("a.sh", "echo \"abc\n", "1:6 Bash: this \" is never closed"),
        ("a.sh", "f() {\n  echo a\n", "1:5 Bash: this `{` is never closed"),
        ("a.json", "{\"a\": 1,}\n", "1:8 JSON: a comma before the closing bracket"),
        (
            "a.json",
            "{} {}\n",
            "1:4 JSON: text after the end of the value (name the file `.jsonl` if it has a value on each line)",
        ),
        (
            "a.json",
            "// x\n{}\n",
            "1:1 JSON: a comment; JSON has none (name the file `.jsonc` if its readers allow them)",
        ),
        ("a.json", "{\"a\": 0x12}\n", "1:8 JSON: expected `,` or `}`"),
        ("a.json", "\n", "2:1 JSON: the document is empty; JSON needs one value"),
        ("tsconfig.json", "{\"a\": [1, , 2]}\n", "1:9 JSON with comments: `,` is not expected here"),
        ("a.yaml", "a: [1, 2\nb: 3\n", "1:4 YAML: this `[` is never closed"),
        ("a.yaml", "a: b: c\n", "1:1 YAML: this does not parse"),
        ("a.toml", "[a\nx = 1\n", "1:1 TOML: this `[` is never closed"),
    ] {
        assert_eq!(outcome(name, content), expected, "{name}: {content}");
    }
}

#[test]
fn what_macros_explain_is_left_to_the_compiler() {
    for content in [
        "MODULE_LICENSE(\"GPL\")\nstatic INLINE int f(void) { list_for_each(a, b) { x(); } return 0; }\n",
        "BEGIN_DECLS\nEXPORT int f(void) ATTR(1);\nEND_DECLS\n",
        "int f(void)\n{\n#ifdef A\n  if (a) {\n#else\n  if (b) {\n#endif\n  x(); }\n}\n",
    ] {
        let outcome = outcome("a.c", content);
        assert!(outcome == "ok" || outcome.starts_with("doubtful: "), "{content}: {outcome}");
    }
}

#[test]
fn what_can_not_be_judged_says_why() {
    assert_eq!(outcome("notes.txt", "((("), "not applicable");
    assert_eq!(outcome("Makefile", "((("), "not applicable");
    assert_eq!(outcome("a.py", "x = 1\0\n"), "unverifiable: it is named like Python but is a binary file");
    assert_eq!(
        outcome("chart/a.yaml", "{{- if .Values.x }}\na: 1\n{{- end }}\n"),
        "unverifiable: it is a template from which YAML is made"
    );
    let large = "x = 1\n".repeat(MAX_BYTES / 6 + 1);
    assert_eq!(outcome("a.py", &large), "unverifiable: it is larger than 8 MiB");
}

#[test]
fn deep_and_odd_input_is_survived() {
    for (name, content) in [
        ("a.json", "[".repeat(200_000)),
        ("a.jsonc", "[".repeat(50_000)),
        ("a.rs", "(".repeat(20_000)),
        ("a.py", "(".repeat(20_000)),
        ("a.js", "`${".repeat(5_000)),
        ("a.sh", "$(".repeat(5_000)),
        ("a.yaml", "- ".repeat(5_000)),
        ("a.cpp", "A<".repeat(5_000)),
        ("a.rb", "\"#{".repeat(2_000)),
        ("a.toml", "\u{7f}\u{80}\r\r=".repeat(1_000)),
    ] {
        assert_ne!(outcome(name, &content), "ok", "{name}");
    }
    let deep = format!("{}1{}", "[".repeat(200), "]".repeat(200));
    assert_eq!(outcome("a.json", &deep), "ok");
}

/// A broken line may hold a secret: no word of it may get into a message.
#[test]
fn messages_never_quote_the_file() {
    let word = "Zq9".to_owned() + "Secret";
    for name in [
        "a.rs", "a.py", "a.js", "a.ts", "a.go", "A.java", "a.c", "a.cpp", "a.rb", "a.sh", "a.json",
        "a.jsonc", "a.yaml", "a.toml",
    ] {
        for shape in [
            "{} {} ((",
            "x = \"{}",
            "{}: {}: [",
            "'{}' '{}' }",
            "{}({}",
            "{ {} ) {}",
            "[{}",
            "`{}",
            "{}{}=\n\t{}",
            "<{}>({}]",
        ] {
            let content = shape.replace("{}", &word);
            let text = outcome(name, &content);
            assert!(!text.contains(&word), "{name}: {content}: {text}");
        }
    }
}
