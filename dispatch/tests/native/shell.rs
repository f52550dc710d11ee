//! Bash: what a command may do, and what it may not whatever it tries.

use std::path::Path;

use serde_json::json;

use crate::harness::{finish, wait_until};
use crate::model::{Model, calls, says};
use crate::site::{KEY, SECRET, Site, can_confine, task};
use crate::tools::results_of;

/// Runs these commands as an executor does, and returns what each printed and whether it ended well.
fn run(site: &Site, executor: &str, commands: &[String]) -> Vec<(String, bool)> {
    let made = commands.iter().map(|command| ("Bash", json!({"command": command}))).collect();
    results_of(site, executor, made)
}

fn all(commands: &[&str]) -> Vec<String> {
    commands.iter().map(|command| (*command).to_owned()).collect()
}

/// Returns the processes whose command line holds this.
fn processes(needle: &str) -> Vec<String> {
    let entries = std::fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    let lines = entries.filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok());
    lines
        .map(|line| String::from_utf8_lossy(&line).replace('\0', " "))
        .filter(|line| line.contains(needle))
        .collect()
}

#[test]
fn ordinary_work_is_done() {
    if !can_confine() {
        return;
    }
    let site = Site::new(&[("run.sh", "echo run by $0\n")]);
    let before = site.around();
    let results = run(
        &site,
        "implement",
        &all(&[
            "sh run.sh && echo made > made.txt && mkdir -p d/e && mv made.txt d/e/ && cat d/e/made.txt",
            "printf 'b\\na\\n' | sort > sorted.txt; cat sorted.txt; rm run.sh; ls",
            "git status --short && git log --oneline | wc -l && git diff --stat | tail -1",
            "echo $HOME > $TMPDIR/x && cat $TMPDIR/x && touch ~/y && ls ~",
            "cat <(echo from a pipe) && echo error >&2; exit 3",
            "echo $((6 * 7)); cat /etc/passwd > /dev/null && date > /dev/null && echo well",
        ]),
    );
    let (text, done): (Vec<&str>, Vec<bool>) =
        results.iter().map(|(text, done)| (text.as_str(), *done)).unzip();
    assert_eq!(done, [true, true, true, true, false, true], "{text:?}");
    assert_eq!(text[0], "run by run.sh\nmade\n");
    assert_eq!(text[1], "a\nb\nd\nkept.txt\nsorted.txt\n");
    assert!(text[2].contains(" D run.sh") && text[2].contains("\n1\n"), "{}", text[2]);
    assert!(text[3].contains(".specpipe/scratch/") && text[3].ends_with("\ny\n"), "{}", text[3]);
    assert_eq!(text[4], "from a pipe\nerror\n[exit code 3]");
    assert_eq!(text[5], "42\nwell\n");
    site.is_as(&before);
    let scratch = site.place.path().join(".specpipe/scratch");
    assert_eq!(std::fs::read_dir(scratch).unwrap().count(), 0, "nothing is left of what was temporary");
}

#[test]
fn nothing_outside_is_read_or_written() {
    if !can_confine() {
        return;
    }
    let site = Site::new(&[("a.txt", "one\n")]);
    let base = site.base();
    let base = base.display();
    let before = site.around();
    let commands: Vec<String> = [
        "cat BASE/home/.ssh/id_ed25519",
        "cat ../../../../home/.ssh/id_ed25519",
        "cat /etc/shadow",
        "ls BASE/home BASE/neighbour",
        "ln -s BASE/neighbour/secret.txt stolen; cat stolen",
        "ln BASE/neighbour/secret.txt hard && cat hard",
        "cp -r BASE/neighbour copied; cat copied/*",
        "echo x > BASE/neighbour/new.txt",
        "echo x >> BASE/work/kept.txt",
        "rm -rf BASE/work/kept.txt",
        "rm -rf BASE/home BASE/neighbour",
        "truncate -s 0 BASE/neighbour/secret.txt",
        "chmod 777 BASE/neighbour; mv BASE/neighbour BASE/elsewhere",
        "touch BASE/tmp/x",
        "touch /tmp/specpipe-was-here",
        "echo x > /dev/shm/specpipe-was-here",
        "echo 'exit 0' > BASE/work/.git/hooks/post-commit",
        "git config core.hooksPath /tmp",
        "git commit -q --allow-empty -m mine",
        "git branch mine",
        "cat BASE/work/.specpipe/journal*/* BASE/work/.specpipe/journal*",
        "cat /proc/$PPID/environ",
        "cat /proc/1/environ; cat /proc/[0-9]*/environ",
        "dd if=/dev/mem of=x count=1",
        "mount -t tmpfs none d; unshare -r sh -c 'cat /etc/shadow'",
        "mkdir d; chroot d; nsenter -t 1 -a true",
        "su -c true; sudo -n true",
        "kill -9 $PPID; kill -TERM $PPID",
        "exec 9<>/dev/tty",
    ]
    .iter()
    .map(|command| command.replace("BASE", &base.to_string()))
    .collect();
    let results = run(&site, "implement", &commands);
    for ((text, is_done), command) in results.iter().zip(&commands) {
        assert!(!is_done && !text.contains("xyzzy"), "{command}: {text}");
    }
    site.is_as(&before);
    assert!(
        !Path::new("/tmp/specpipe-was-here").exists() && !Path::new("/dev/shm/specpipe-was-here").exists()
    );
}

#[test]
fn the_environment_has_no_key() {
    if !can_confine() {
        return;
    }
    let site = Site::new(&[]);
    let results = run(&site, "validate", &all(&["env; cat /proc/self/environ | tr '\\0' '\\n'"]));
    let (text, is_done) = &results[0];
    assert!(*is_done && text.contains("PATH="), "{text}");
    assert!(!text.contains(KEY) && !text.contains(SECRET) && !text.contains("API_KEY"), "{text}");
}

/// The process above the shell, whose limits would be the end of it, and sockets in the file system.
#[test]
fn there_is_no_way_around_through_limits_and_pairs_of_sockets() {
    if !can_confine() {
        return;
    }
    let site = Site::new(&[]);
    let commands = all(&[
        "command -v prlimit > /dev/null || echo 'not permitted'; prlimit --pid $PPID --cpu=0 2>&1",
        "prlimit --cpu 2>&1; echo still here",
        "command -v ipcmk > /dev/null || echo 'not permitted'; ipcmk -M 4096 2>&1",
        "command -v perl > /dev/null || echo 'not permitted'; perl -MSocket -e 'socketpair(A,B,AF_UNIX,SOCK_DGRAM,0) or die lc($!)' 2>&1",
        "command -v perl > /dev/null || exit 0; perl -MSocket -e 'socketpair(A,B,AF_UNIX,SOCK_STREAM,0) or die $!'",
    ]);
    let results = run(&site, "validate", &commands);
    for at in [0, 2, 3] {
        assert!(
            results[at].0.to_lowercase().contains("not permitted"),
            "{}: {}",
            commands[at],
            results[at].0
        );
    }
    assert!(results[1].0.contains("still here") && results[4].1, "{results:?}");
}

#[test]
fn there_is_no_network_unless_it_is_allowed() {
    if !can_confine() || !Path::new("/bin/bash").exists() {
        return;
    }
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let datagrams = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    datagrams.set_nonblocking(true).unwrap();
    listener.set_nonblocking(true).unwrap();
    let (tcp, udp) = (listener.local_addr().unwrap().port(), datagrams.local_addr().unwrap().port());
    let tries = [format!("echo x > /dev/tcp/127.0.0.1/{tcp}"), format!("echo x > /dev/udp/127.0.0.1/{udp}")];
    let site = Site::new(&[]);
    for (text, is_done) in run(&site, "validate", &tries) {
        assert!(!is_done, "{text}");
    }
    assert!(listener.accept().is_err() && datagrams.recv(&mut [0; 8]).is_err());
    site.place.write("specpipe.toml", "[dispatch.native.executors.validate]\nnetwork = true\n");
    for (text, is_done) in run(&site, "validate", &tries) {
        assert!(is_done, "{text}");
    }
    assert!(listener.accept().is_ok() && datagrams.recv(&mut [0; 8]).is_ok());
    for (text, is_done) in run(&site, "implement", &tries) {
        assert!(!is_done, "only who is named: {text}");
    }
}

#[test]
fn who_only_reads_can_not_write_with_the_shell() {
    if !can_confine() {
        return;
    }
    let site = Site::new(&[("a.txt", "one\n")]);
    let before = site.around();
    let commands = all(&[
        "echo x > a.txt",
        "touch new.txt",
        "rm a.txt",
        "cat a.txt",
        "echo y > $TMPDIR/y; cat $TMPDIR/y",
    ]);
    let results = run(&site, "validate", &commands);
    let done: Vec<bool> = results.iter().map(|(_, done)| *done).collect();
    assert_eq!(done, [false, false, false, true, true], "{results:?}");
    site.is_as(&before);
}

#[test]
fn nothing_that_was_started_stays() {
    if !can_confine() {
        return;
    }
    let site = Site::new(&[]);
    let results = run(
        &site,
        "implement",
        &all(&[
            "sleep 86401 & echo one",
            "setsid sleep 86402 > /dev/null 2>&1 & echo two",
            "(setsid env -i sh -c '(sleep 86403 &) ; sleep 86404' &) ; echo three",
            "trap '' TERM HUP INT; (trap '' TERM; nohup sleep 86405 &) & echo four",
        ]),
    );
    let text: Vec<&str> = results.iter().map(|(text, _)| text.as_str()).collect();
    assert_eq!(text, ["one\n", "two\n", "three\n", "four\n"]);
    assert_eq!(processes("sleep 8640"), Vec::<String>::new());
}

#[test]
fn who_has_too_many_processes_is_ended() {
    if !can_confine() {
        return;
    }
    let site = Site::new(&[]);
    let results = run(
        &site,
        "implement",
        &all(&["i=0; while [ $i -lt 4000 ]; do sleep 86409 & i=$((i + 1)); done; wait", "echo still here"]),
    );
    assert!(!results[0].1 && results[0].0.contains("processes at once"), "{}", results[0].0);
    assert_eq!(results[1].0, "still here\n");
    assert_eq!(processes("sleep 86409"), Vec::<String>::new());
}

#[test]
fn a_killed_dispatch_leaves_no_process() {
    if !can_confine() {
        return;
    }
    let site = Site::new(&[]);
    let model = Model::start(|_| {
        calls([("Bash", json!({"command": "setsid env -i sleep 86407 & touch up; sleep 86408"}))])
    });
    let mut child = site.command(&model, "anthropic", "").spawn().unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), task("a", "x", "implement").as_bytes())
        .unwrap();
    let up = site.place.path().join(".specpipe/worktrees/a-1/up");
    wait_until("the shell runs", || up.exists());
    child.kill().unwrap();
    child.wait().unwrap();
    wait_until("all have ended", || {
        processes("sleep 8640[78]").is_empty() && processes("sleep 86407").is_empty()
    });
    wait_until("all have ended", || processes("sleep 86408").is_empty());
}

#[test]
fn much_output_is_cut_for_the_model_and_kept_for_others() {
    if !can_confine() {
        return;
    }
    let site = Site::new(&[]);
    let results = run(
        &site,
        "implement",
        &all(&[
            "seq 1 200000",
            "head -c 300000 /dev/urandom",
            "tail -n 1 $(ls -d BASE/.specpipe/transcripts/a-1.outputs)/1.txt"
                .replace("BASE", &site.place.path().display().to_string())
                .as_str(),
        ]),
    );
    let (text, _) = &results[0];
    assert!(text.len() < 40_000 && text.starts_with("1\n2\n"), "{}", text.len());
    assert!(
        text.contains("bytes left out") && text.contains("199999\n200000\n[all 1288895 bytes are in "),
        "{}",
        &text[text.len() - 300..]
    );
    assert!(results[1].0.len() < 100_000);
    assert_eq!(results[2].0, "200000\n");
}

#[test]
fn the_way_to_the_repository_can_not_be_exchanged() {
    if !can_confine() {
        return;
    }
    let site = Site::new(&[("a.txt", "one\n")]);
    let before = site.around();
    // A repository of one's own, whose settings name a program that git is to run for every file.
    let evil = "git init -q evil; printf '[filter \"x\"]\\n\\tclean = touch BASE/neighbour/evil\\n' >> evil/.git/config; \
                printf '* filter=x\\n' > .gitattributes; printf 'gitdir: evil/.git\\n' > .git; echo x > b.txt"
        .replace("BASE", &site.base().display().to_string());
    let model = Model::start(move |asked| match asked.turn() {
        0 => calls([("Bash", json!({"command": evil}))]),
        1 => calls([("Bash", json!({"command": "rm .git; git init -q"}))]),
        2 => calls([("Bash", json!({"command": "rm -rf .git; ln -s evil/.git .git; rm -rf evil"}))]),
        _ => says("done"),
    });
    let record = site.run(&model, "anthropic", &task("a", "x", "implement")).record("a");
    for asked in &model.asked()[1..] {
        let told = &asked.results()[0].1;
        let is_refused = ["the file .git was changed", "Read-only file system", "busy"];
        assert!(is_refused.iter().any(|words| told.contains(words)), "{told}");
    }
    site.is_as(&before);
    let changed = record["dispatch"]["files_changed"].to_string();
    assert!(changed.contains("b.txt"), "{record}");
}

#[test]
fn files_that_were_left_open_above_are_closed() {
    if !can_confine() || !Path::new("/bin/bash").exists() {
        return;
    }
    let site = Site::new(&[]);
    let model = Model::start(|asked| match asked.turn() {
        0 => calls([("Bash", json!({"command": "echo x >&7; cat <&8; ls /proc/self/fd"}))]),
        _ => says("done"),
    });
    let secret = site.base().join("neighbour/secret.txt");
    let open = site.base().join("open.txt");
    let inner = site.command(&model, "anthropic", "");
    let mut command = std::process::Command::new("/bin/bash");
    let script = format!("exec \"$@\" 7>{} 8<{}", open.display(), secret.display());
    command.args(["-c", &script, "bash"]).arg(inner.get_program()).args(inner.get_args());
    command.current_dir(site.place.path()).env_clear();
    command.envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped());
    finish(command, &task("a", "x", "implement")).exits(0);
    let results = model.asked()[1].results();
    assert!(results[0].1.contains("0\n1\n2\n") && !results[0].1.contains(SECRET), "{results:?}");
    assert_eq!(std::fs::read_to_string(open).unwrap(), "");
}

#[test]
fn without_confinement_bash_is_refused_until_it_is_allowed() {
    // What the shell would be confined by is taken away from it by a name that no system has.
    let site = Site::new(&[]);
    site.place.write("specpipe.toml", "[dispatch.native]\nconfinement = \"none\"\n");
    let results = run(&site, "implement", &all(&["cat kept.txt"]));
    assert_eq!(results[0].0, "kept\n");
    site.place.write("specpipe.toml", "[dispatch.native]\nconfinement = \"some\"\n");
    let model = Model::start(|_| says("never"));
    let ran = site.run(&model, "anthropic", &task("a", "x", "implement")).exits(2);
    assert!(ran.stderr.contains("unknown variant `some`"), "{}", ran.stderr);
}
