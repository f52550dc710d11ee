//! The embedded model as its users meet it: trained again it is the same, and a model of one's own takes its place.

use std::path::Path;
use std::process::{Command, Output};

fn classify(args: &[&str], directory: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_classify"))
        .args(args)
        .current_dir(directory)
        .env_remove("SPECPIPE_CLASSIFY_WEIGHTS")
        .output()
        .unwrap()
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn training_again_makes_the_same_file_to_the_byte() {
    let crate_root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let directory = tempfile::tempdir().unwrap();
    let again = directory.path().join("again.bin");
    let output = classify(&["train", "corpus", "--output", again.to_str().unwrap()], crate_root);
    assert!(output.status.success(), "{}", told(&output));
    let (again, kept) = (std::fs::read(again).unwrap(), std::fs::read(crate_root.join("model.bin")).unwrap());
    assert!(again.len() < 1_000_000, "{} bytes", again.len());
    assert!(again == kept, "classify/model.bin is not what the corpus makes: run `make model`");
}

#[test]
fn a_model_of_ones_own_is_made_tried_and_used() {
    let directory = tempfile::tempdir().unwrap();
    let line = |text: &str, tier: u8| format!("{{\"task\":\"{text}\",\"label\":{{\"tier\":{tier}}}}}\n");
    let mut examples = String::new();
    for number in 0..30 {
        examples += &line(&format!("please snorkel unit {number}"), 3);
        examples += &line(&format!("please wibble unit {number}"), 1);
    }
    std::fs::write(directory.path().join("own.jsonl"), &examples).unwrap();
    let output = classify(&["train", "own.jsonl", "--folds", "3", "--output", "own.model"], directory.path());
    assert!(output.status.success(), "{}", told(&output));
    assert!(told(&output).contains("60 examples"), "{}", told(&output));
    assert!(told(&output).ends_with(" bytes\n"), "{:?}", told(&output));
    assert!(told(&output).contains("exact 100.0 %"), "{}", told(&output));
    for (text, tier) in [("please snorkel unit 77", 3), ("please wibble unit 77", 1)] {
        let output = classify(&["--weights", "own.model", "--text", text], directory.path());
        let record: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(record["classify"]["tier"], tier, "{record}");
    }
    std::fs::write(directory.path().join("specpipe.toml"), "[classify]\nweights = \"own.model\"\n").unwrap();
    let output = classify(&["--text", "please snorkel unit 5"], directory.path());
    let record: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(record["classify"]["tier"], 3, "{record}");
}

#[test]
fn what_is_no_example_or_no_model_is_told_with_its_place() {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(directory.path().join(name), text).unwrap();
    write("a.jsonl", "{\"task\":\"x\",\"label\":{\"tier\":1}}\n\n{\"task\":\"y\"}\n");
    write("b.jsonl", "{\"task\":\"x\",\"label\":{\"tier\":1}}\n{\"task\":\"X \",\"label\":{\"tier\":2}}\n");
    write("c.jsonl", "{\"task\":\"x\",\"label\":{\"tier\":1,\"executor\":\"somebody\"}}\n");
    write("d.jsonl", "\n");
    for (args, message) in [
        (vec!["train", "a.jsonl"], "a.jsonl:3: no example"),
        (vec!["train", "b.jsonl"], "b.jsonl:2: the same task as b.jsonl:1"),
        (vec!["train", "c.jsonl"], "c.jsonl:1: no executor `somebody`"),
        (vec!["train", "d.jsonl"], "there are no examples"),
        (vec!["train", "none.jsonl"], "cannot read the examples `none.jsonl`"),
        (vec!["--weights", "d.jsonl", "--text", "x"], "cannot read the model `d.jsonl`"),
    ] {
        let output = classify(&args, directory.path());
        assert_eq!(output.status.code(), Some(2), "{args:?}: {}", told(&output));
        assert!(told(&output).contains(message), "{args:?}: {}", told(&output));
    }
}
