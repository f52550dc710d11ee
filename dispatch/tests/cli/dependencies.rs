//! Dependency directories in worktrees: there, and nothing that is done to them reaches the original.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::harness::{Place, Ran, files_below};

fn task(id: &str) -> String {
    format!("{{\"id\":\"{id}\",\"task\":{{\"text\":\"do it\",\"executor\":\"implement\"}}}}\n")
}

/// A repository with what package managers install, ignored by git.
fn project(settings: &str) -> Place {
    let place = Place::new();
    place.write(".gitignore", "node_modules/\n.venv/\ntarget/\n");
    place.write("packages/core/index.js", "tracked\n");
    place.write("src/m/__init__.py", "V = 1\n");
    place.write("specpipe.toml", &format!("[dispatch.worktree]\n{settings}\n"));
    place.git(&["init", "-q", "-b", "main"]);
    place.git(&["add", "-A"]);
    place.git(&["-c", "user.name=t", "-c", "user.email=t@localhost", "commit", "-q", "-m", "start"]);
    place.write("node_modules/left/index.js", "original\n");
    place.write("node_modules/@s/scoped/index.js", "original\n");
    place.write("node_modules/.package-lock.json", "{}\n");
    place.write("node_modules/.cache/stale", "stale\n");
    place.write("packages/core/node_modules/deep/index.js", "original\n");
    let root = place.path().canonicalize().unwrap();
    std::fs::create_dir_all(root.join("node_modules/@m")).unwrap();
    std::os::unix::fs::symlink("../../packages/core", root.join("node_modules/@m/core")).unwrap();
    std::os::unix::fs::symlink(root.join("packages/core"), root.join("node_modules/absolute")).unwrap();
    let shown = root.display();
    place.write(".venv/pyvenv.cfg", &format!("home = /usr/bin\ncommand = python3 -m venv {shown}/.venv\n"));
    place.write(".venv/bin/tool", &format!("#!{shown}/.venv/bin/python3\nprint(1)\n"));
    place.write(".venv/lib/python3/site-packages/__editable__.m.pth", &format!("{shown}/src\n"));
    std::os::unix::fs::symlink("/usr/bin/env", root.join(".venv/bin/python3")).unwrap();
    place
}

fn originals(place: &Place) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = files_below(&place.path());
    files.retain(|path, _| !path.starts_with(place.path().join(".git")));
    files
}

fn run(place: &Place, script: &str, id: &str) -> Ran {
    place.run_script("", script, &task(id)).exits(0)
}

fn output(ran: &Ran, id: &str) -> String {
    ran.record(id)["dispatch"]["output"].as_str().unwrap().to_owned()
}

#[test]
fn nothing_that_is_done_to_them_reaches_the_original() {
    for means in ["auto", "copy", "link"] {
        let place = project(&format!("dependencies = \"{means}\""));
        let before = originals(&place);
        let deeds = [
            ("empties", "rm -rf node_modules/* node_modules/.[!.]*"),
            (
                "installs",
                "rm -rf node_modules && mkdir -p node_modules/left && echo new > node_modules/left/index.js",
            ),
            (
                "replaces",
                "for e in node_modules/* node_modules/@*/*; do rm -rf \"$e\"; mkdir -p \"$e\"; echo new > \"$e\"/index.js; done",
            ),
            ("deletes", "find node_modules packages/core/node_modules .venv -delete"),
            ("cleans", "git clean -qfdx"),
            ("adds", "echo more > node_modules/more; echo more > .venv/more; mkdir node_modules/@s/more"),
            ("writes", "echo poison >> node_modules/left/index.js; echo poison >> .venv/bin/tool"),
        ];
        for (id, script) in deeds {
            if means == "link" && id == "writes" {
                continue;
            }
            let script = format!("cat node_modules/left/index.js; {{ {script}; }} >&2; echo x > x");
            let ran = run(&place, &script, id);
            assert_eq!(output(&ran, id), "original\n", "{means} {id}: {}", ran.stderr);
            assert_eq!(ran.record(id)["dispatch"]["files_changed"], serde_json::json!(["x"]), "{means} {id}");
            assert_eq!(originals(&place), before, "{means} {id}");
            place.git(&["worktree", "remove", "--force", "--force", &format!(".specpipe/worktrees/{id}-1")]);
            assert_eq!(originals(&place), before, "{means} {id}, removed");
        }
        // Without work, everything of the tree is removed again.
        run(&place, "true", "nothing");
        assert_eq!(originals(&place), before, "{means}");
    }
}

#[test]
fn packages_of_the_workspace_are_those_of_the_tree() {
    for means in ["auto", "copy", "link"] {
        let place = project(&format!("dependencies = \"{means}\""));
        let script = "echo changed > packages/core/index.js; cat node_modules/@m/core/index.js node_modules/absolute/index.js \
                      packages/core/node_modules/deep/index.js node_modules/@s/scoped/index.js; ls -A node_modules";
        let ran = run(&place, script, "t");
        let output = output(&ran, "t");
        assert!(output.starts_with("changed\nchanged\noriginal\noriginal\n"), "{means}: {output}");
        assert_eq!(
            output.contains(".cache"),
            means == "link",
            "what a build has left is not copied: {output}"
        );
        assert_eq!(place.read("packages/core/index.js"), "tracked\n");
    }
}

#[test]
fn a_virtual_environment_is_one_of_the_tree() {
    let place = project("");
    let ran = run(
        &place,
        "pwd; head -n 1 .venv/bin/tool; cat .venv/lib/python3/site-packages/*.pth .venv/pyvenv.cfg; readlink .venv/bin/python3; test -x .venv/bin/python3 && echo x > x",
        "t",
    );
    let output = output(&ran, "t");
    let mut lines = output.lines();
    let tree = lines.next().unwrap();
    assert!(tree.contains(".specpipe/worktrees/t-1"), "{tree}");
    let rest: Vec<&str> = lines.collect();
    let (tool, source, command) = (
        format!("#!{tree}/.venv/bin/python3"),
        format!("{tree}/src"),
        format!("command = python3 -m venv {tree}/.venv"),
    );
    assert_eq!(rest, [tool.as_str(), &source, "home = /usr/bin", &command, "/usr/bin/env"]);
}

#[test]
fn they_are_never_part_of_the_work() {
    for means in ["copy", "link"] {
        let place = project(&format!("dependencies = \"{means}\""));
        let ran = run(&place, "rm .gitignore; echo x > x", "unignores");
        let files = &ran.record("unignores")["dispatch"]["files_changed"];
        assert_eq!(*files, serde_json::json!([".gitignore", "x"]), "{means}");
        let script = "rm .gitignore; echo x > x; git add -A; git -c user.name=a -c user.email=a@b commit -q -m own; git ls-files | grep -c modules";
        let ran = run(&place, script, "commits");
        assert_ne!(output(&ran, "commits").trim(), "0", "the executor has committed them");
        let files = &ran.record("commits")["dispatch"]["files_changed"];
        assert_eq!(*files, serde_json::json!([".gitignore", "x"]), "{means}");
    }
}

#[test]
fn what_would_be_too_much_is_left_out_and_told_once() {
    let place = project("dependencies = \"copy\"\ncopy_files = 3");
    let input: String = (0..3).map(|n| task(&format!("t{n}"))).collect();
    let ran = place.run_script("", "ls -A; ls packages/core", &input).exits(0);
    for n in 0..3 {
        let output = output(&ran, &format!("t{n}"));
        assert!(
            !output.contains(".venv") && output.contains("index.js\nnode_modules\n"),
            "the small one fits: {output}"
        );
    }
    assert_eq!(ran.stderr.matches(".venv is not in the worktrees").count(), 1, "{}", ran.stderr);
    assert!(ran.stderr.contains("copy_files"), "{}", ran.stderr);
    let place = project("dependencies = \"none\"");
    let ran = run(&place, "ls -A; echo x > x", "t");
    assert!(!output(&ran, "t").contains("node_modules") && !ran.stderr.contains("node_modules"));
}

#[test]
fn blocks_are_shared_or_it_is_said_that_they_can_not_be() {
    let place = project("dependencies = \"reflink\"");
    let ran = run(
        &place,
        "cat node_modules/left/index.js; echo poison >> node_modules/left/index.js; echo x > x",
        "t",
    );
    match output(&ran, "t").as_str() {
        "original\n" => assert_eq!(place.read("node_modules/left/index.js"), "original\n"),
        _ => assert!(ran.stderr.contains("can not share blocks"), "{}", ran.stderr),
    }
}

#[test]
fn what_a_build_has_left_comes_only_if_named_and_is_older_than_the_sources() {
    let place = project("directories = [\"target\"]");
    place.write("target/debug/out", "built\n");
    let root = place.path();
    let touched = std::process::Command::new("touch")
        .args(["-d", "2099-01-01"])
        .arg(root.join("target/debug/out"))
        .status();
    assert!(touched.unwrap().success());
    let ran = run(&place, "ls -A; [ src/m/__init__.py -nt target/debug/out ] && echo newer; echo x > x", "t");
    let output_of_t = output(&ran, "t");
    assert!(output_of_t.contains("target\n") && output_of_t.ends_with("newer\n"), "{output_of_t}");
    assert!(!output_of_t.contains("node_modules"), "only what is named: {output_of_t}");
    let place = project("");
    place.write("target/debug/out", "built\n");
    let ran = run(&place, "ls -A; echo x > x", "u");
    assert!(!output(&ran, "u").contains("target"));
}

#[test]
fn an_unknown_way_is_an_error_that_lists_the_known_ones() {
    let place = project("dependencies = \"overlay\"");
    let ran = place.run_script("", "true", &task("t")).exits(2);
    assert!(ran.stderr.contains("reflink") && ran.stderr.contains("copy"), "{}", ran.stderr);
}
