use std::io::Read;
use std::os::unix::fs::symlink;
use std::sync::atomic::{AtomicBool, Ordering};

use super::*;

/// A tree with a neighbour that holds a secret.
fn site() -> (tempfile::TempDir, Place) {
    let base = tempfile::tempdir().unwrap();
    for directory in ["tree/sub/deep", "tree/other/deep", "outside/deep"] {
        fs::create_dir_all(base.path().join(directory)).unwrap();
    }
    fs::write(base.path().join("tree/sub/deep/a.txt"), "inside").unwrap();
    fs::write(base.path().join("outside/deep/a.txt"), "secret").unwrap();
    let tree = base.path().join("tree");
    let place = Place::new(&tree, &tree, true, &[], Vec::new()).unwrap();
    (base, place)
}

fn content(readable: Readable) -> String {
    let mut text = String::new();
    { readable.file }.read_to_string(&mut text).unwrap();
    text
}

#[cfg(target_os = "linux")]
#[test]
fn a_link_that_is_exchanged_meanwhile_is_never_followed_out() {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    let (base, place) = site();
    let (tree, is_over) = (base.path().join("tree"), AtomicBool::new(false));
    symlink(base.path().join("outside"), tree.join("link")).unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                // `sub` is a directory, then a link to the outside, and a directory again.
                let (sub, link) = (tree.join("sub"), tree.join("link"));
                renameat_with(CWD, &sub, CWD, &link, RenameFlags::EXCHANGE).unwrap();
            }
        });
        let (mut read, mut written) = (0, 0);
        for number in 0..3000 {
            if let Ok(readable) = place.read("sub/deep/a.txt") {
                assert_eq!(content(readable), "inside");
                read += 1;
            }
            if let Ok(writable) = place.write(&format!("sub/deep/new{number}.txt")) {
                written += u32::from(writable.replace(b"x").is_ok());
            }
        }
        is_over.store(true, Ordering::Relaxed);
        // A test that is refused everything would show nothing.
        assert!(read > 0 && written > 0, "{read} {written}");
    });
    let names: Vec<_> =
        fs::read_dir(base.path().join("outside/deep")).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(names, ["a.txt"]);
    assert_eq!(fs::read_to_string(base.path().join("outside/deep/a.txt")).unwrap(), "secret");
}

#[test]
fn without_the_single_call_the_same_is_opened_and_refused() {
    let (base, _) = site();
    let tree = base.path().join("tree");
    symlink("sub", tree.join("inner")).unwrap();
    symlink(base.path().join("outside"), tree.join("outer")).unwrap();
    symlink("sub/deep/a.txt", tree.join("file")).unwrap();
    let root = Root::open(&tree).unwrap();
    let flags = OFlags::RDONLY | OFlags::CLOEXEC;
    for (name, expected) in [
        ("sub/deep/a.txt", true),
        ("sub/deep", true),
        ("", true),
        ("inner/deep/a.txt", false),
        ("outer/deep/a.txt", false),
        ("file", false),
        ("../outside/deep/a.txt", false),
        ("sub/../sub/deep/a.txt", false),
        ("sub/none", false),
    ] {
        let stepped = step_by_step(root.fd.as_fd(), Path::new(name), flags, Mode::empty());
        assert_eq!(stepped.is_ok(), expected, "{name}: {stepped:?}");
    }
}

#[test]
fn a_file_is_replaced_and_not_written_into() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let (base, place) = site();
    let (file, other) = (base.path().join("tree/sub/deep/a.txt"), base.path().join("outside/other-name.txt"));
    fs::hard_link(&file, &other).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o751)).unwrap();
    place.write("sub/deep/a.txt").unwrap().replace(b"new").unwrap();
    assert_eq!(fs::read_to_string(&file).unwrap(), "new");
    assert_eq!(file.metadata().unwrap().mode() & 0o777, 0o751);
    assert_eq!(fs::read_to_string(&other).unwrap(), "inside", "the other name keeps what it had");
    let names = fs::read_dir(base.path().join("tree/sub/deep")).unwrap().count();
    assert_eq!(names, 1, "nothing temporary is left");
}

#[test]
fn what_is_hidden_is_not_read_but_for_a_root_within() {
    let base = tempfile::tempdir().unwrap();
    let project = base.path().canonicalize().unwrap();
    for name in [".specpipe/worktrees/a-1/x", ".specpipe/worktrees/b-1/x", ".specpipe/journal", "src/x"] {
        let path = project.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, name).unwrap();
    }
    let tree = project.join(".specpipe/worktrees/a-1");
    let place =
        Place::new(&tree, &tree, true, std::slice::from_ref(&project), vec![project.join(".specpipe")])
            .unwrap();
    for (path, expected) in [
        ("x", true),
        ("../../../src/x", true),
        ("../b-1/x", false),
        ("../../journal", false),
        ("../..", false),
        ("../../..", true),
    ] {
        assert_eq!(place.read(path).is_ok(), expected, "{path}");
        assert_eq!(place.write(path).is_ok(), path == "x", "{path}");
    }
}
