use std::fs::File;

use super::*;

fn sh(script: &str) -> Command {
    Command::new(["sh", "-c", script])
}

#[test]
fn the_environment_names_the_directory_that_it_runs_in() {
    let place = tempfile::tempdir().unwrap();
    let ended = Command::new(["printenv", "PWD"]).current_dir(place.path()).run().unwrap();
    assert_eq!(ended.stdout.text().trim_end(), place.path().to_str().unwrap());
    let ended = Command::new(["printenv", "PWD"]).current_dir(".").run().unwrap();
    assert_eq!(ended.stdout.text(), "", "a name of another directory is worse than none");
}

#[test]
fn both_streams_are_read_at_once_and_the_exit_code_is_kept() {
    let script = "cat; i=0; while [ $i -lt 2000 ]; do echo out $i; echo err $i >&2; i=$((i+1)); done; exit 3";
    let ended = sh(script).stdin("hello\n").run().unwrap();
    assert_eq!(ended.how, How::Exited(3));
    assert!(ended.stdout.text().starts_with("hello\nout 0\n") && ended.stdout.text().ends_with("out 1999\n"));
    assert!(ended.stderr.text().ends_with("err 1999\n"));
}

#[test]
fn a_large_input_and_a_child_that_does_not_read_it_end_well() {
    let ended = sh("exec true").stdin(vec![b'x'; 4 << 20]).run().unwrap();
    assert!(ended.success());
    let ended = sh("wc -c").stdin(vec![b'x'; 4 << 20]).run().unwrap();
    assert_eq!(ended.stdout.text().trim(), "4194304");
}

#[test]
fn a_child_without_input_reads_the_end_at_once() {
    assert_eq!(Command::new(["cat"]).run().unwrap().stdout.total, 0);
}

#[test]
fn the_whole_tree_ends_at_the_deadline_even_if_it_ignores_the_request() {
    let started = Instant::now();
    let script = "trap '' TERM; sleep 60 & echo $!; sleep 60";
    let ended = sh(script).timeout(Duration::from_millis(300)).run().unwrap();
    assert_eq!(ended.how, How::TimedOut);
    assert!(started.elapsed() < Duration::from_secs(30));
    let grandchild: i32 = ended.stdout.text().trim().parse().unwrap();
    assert!(wait_until(|| !is_alive(grandchild)));
}

#[test]
fn a_grandchild_in_a_session_of_its_own_ends_at_the_deadline_too() {
    let script = "setsid sh -c 'echo $$; exec sleep 60' & sleep 60";
    let ended = sh(script).timeout(Duration::from_secs(2)).run().unwrap();
    assert_eq!(ended.how, How::TimedOut);
    let grandchild: i32 = ended.stdout.text().trim().parse().unwrap();
    assert!(wait_until(|| !is_alive(grandchild)));
}

#[test]
fn a_cancelled_child_ends_with_all_it_has_started_and_the_others_go_on() {
    let place = tempfile::tempdir().unwrap();
    let cancel = Cancel::default();
    let started = |name: &str| place.path().join(name).exists();
    let (ended, other) = std::thread::scope(|scope| {
        let script = "trap '' TERM; setsid sh -c 'echo $$; touch one; exec sleep 60' & sleep 60";
        let command = sh(script).current_dir(place.path()).grace(Duration::from_millis(50));
        let cancelled = scope.spawn(|| command.cancelled_by(cancel.clone()).run().unwrap());
        let command = sh("touch two; while ! [ -e go ]; do sleep 0.01; done").current_dir(place.path());
        let other = scope.spawn(|| command.cancelled_by(Cancel::default()).run().unwrap());
        assert!(wait_until(|| started("one") && started("two")));
        cancel.cancel();
        let ended = cancelled.join().unwrap();
        std::fs::write(place.path().join("go"), "").unwrap();
        (ended, other.join().unwrap())
    });
    assert_eq!((ended.how, other.how), (How::Interrupted, How::Exited(0)));
    let grandchild: i32 = ended.stdout.text().trim().parse().unwrap();
    assert!(wait_until(|| !is_alive(grandchild)));
    assert_eq!(
        sh("sleep 60").cancelled_by(cancel).run().unwrap().how,
        How::Interrupted,
        "it stays cancelled"
    );
}

#[test]
fn silence_is_a_way_to_end_too() {
    let ended = sh("echo start; sleep 60").idle_timeout(Duration::from_millis(300)).run().unwrap();
    assert_eq!((ended.how, ended.stdout.text().as_str()), (How::Idle, "start\n"));
}

#[test]
fn a_program_that_hangs_after_its_last_line_is_ended() {
    let started = Instant::now();
    let script = "echo working; echo '{done}'; exec sleep 60";
    let is_last = |line: &[u8]| line.starts_with(b"{done");
    let ended = sh(script).ends_after(is_last, Duration::from_millis(100)).run().unwrap();
    assert_eq!(ended.stdout.text(), "working\n{done}\n");
    assert!(!ended.success() && started.elapsed() < Duration::from_secs(30));
    let talking = "echo '{done}'; sleep 0.3; echo more; sleep 0.3; exit 5";
    let ended = sh(talking).ends_after(is_last, Duration::from_secs(20)).run().unwrap();
    assert_eq!(ended.how, How::Exited(5));
}

#[test]
fn a_program_that_prints_without_end_is_ended() {
    let ended = Command::new(["yes"]).capture(1000).output_max(100_000).run().unwrap();
    assert!(matches!(ended.how, How::Signalled(_)), "{}", ended.how);
    assert!(ended.stdout.total > 100_000);
}

#[test]
fn a_grandchild_that_holds_the_pipe_is_not_waited_for() {
    let started = Instant::now();
    let ended = sh("sleep 60 & echo done").run().unwrap();
    assert_eq!((ended.how, ended.stdout.text().as_str()), (How::Exited(0), "done\n"));
    assert!(started.elapsed() < Duration::from_secs(30));
}

#[test]
fn a_signal_and_a_missing_program_have_their_names() {
    assert_eq!(sh("kill -9 $$").run().unwrap().how, How::Signalled(9));
    let problem = Command::new(["no-such-program-here"]).run().unwrap_err();
    assert!(problem.full_message().starts_with("cannot start `no-such-program-here`: "));
    assert!(problem.first_hint().is_some());
    assert!(Command::new(Vec::<OsString>::new()).run().is_err());
}

#[test]
fn much_output_keeps_its_beginning_and_its_end_and_goes_to_a_file_whole() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("deep/output");
    let ended = sh("seq 1 200000").capture(1000).spool(&path).run().unwrap();
    let text = ended.stdout.text();
    assert!(text.starts_with("1\n2\n") && text.ends_with("200000\n") && text.contains("bytes left out"));
    let whole = std::fs::read(&path).unwrap();
    assert_eq!(whole.len() as u64, ended.stdout.total);
    assert_eq!(ended.stdout.blake3(), Some(blake3::hash(&whole).to_hex().to_string()));
}

#[test]
fn files_can_be_handed_over_in_place_of_pipes() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    std::fs::write(path("in"), "hello\n").unwrap();
    let (out, err) = (File::create(path("out")).unwrap(), File::create(path("err")).unwrap());
    let command = sh("cat; echo oops >&2").stdin_from(File::open(path("in")).unwrap());
    let ended = command.stdout_to(out).stderr_to(err).run().unwrap();
    assert!(ended.success() && ended.stdout.total == 0 && ended.stderr.total == 0);
    assert_eq!(std::fs::read_to_string(path("out")).unwrap(), "hello\n");
    assert_eq!(std::fs::read_to_string(path("err")).unwrap(), "oops\n");
}

#[test]
fn a_missing_directory_is_not_mistaken_for_a_missing_program() {
    let problem = Command::new(["true"]).current_dir("/no/such/place").run().unwrap_err();
    assert_eq!(problem.full_message(), "cannot start `true`: no directory `/no/such/place`");
}

fn is_alive(pid: i32) -> bool {
    // A zombie that its new parent has not collected yet is not alive.
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(") ").next().is_some_and(|rest| !rest.is_empty() && !rest.starts_with('Z'))
}

fn wait_until(condition: impl Fn() -> bool) -> bool {
    let started = Instant::now();
    while started.elapsed() < Duration::from_secs(20) {
        if condition() {
            return true;
        }
        std::thread::yield_now();
    }
    false
}

#[test]
fn who_waits_for_a_cancel_is_woken_by_it() {
    use std::future::Future;
    use std::pin::pin;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::task::{Context, Poll, Wake};

    struct Count(AtomicU32);
    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
    let count = Arc::new(Count(AtomicU32::new(0)));
    let waker = Arc::clone(&count).into();
    let mut context = Context::from_waker(&waker);
    let cancel = Cancel::default();
    let (mut first, mut second) = (pin!(cancel.cancelled()), pin!(cancel.cancelled()));
    assert_eq!(first.as_mut().poll(&mut context), Poll::Pending);
    assert_eq!(first.as_mut().poll(&mut context), Poll::Pending);
    assert_eq!(second.as_mut().poll(&mut context), Poll::Pending);
    drop(cancel.cancelled());
    cancel.clone().cancel();
    assert_eq!(count.0.load(Ordering::SeqCst), 2, "each once");
    assert_eq!((first.poll(&mut context), second.poll(&mut context)), (Poll::Ready(()), Poll::Ready(())));
    assert_eq!(pin!(cancel.cancelled()).poll(&mut context), Poll::Ready(()), "it stays cancelled");
}
