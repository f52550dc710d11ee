//! Ruby: RSpec, Rake and RuboCop, through Bundler where there is a Gemfile.

use super::Commands;
use super::Purpose::{Lint, Test};

pub(super) fn ruby(commands: &mut Commands) {
    let bundled: &[&str] = if commands.files.has("Gemfile") { &["bundle", "exec"] } else { &[] };
    let rspec = if commands.files.has(".rspec") {
        Some(".rspec")
    } else {
        commands.files.first(&["spec/spec_helper.rb", "spec/rails_helper.rb"])
    };
    if let Some(because) = rspec {
        commands.add(Test, "rspec", because, &[bundled, &["rspec"]].concat());
    } else if commands.files.has("bin/rails") && commands.files.has_dir("test") {
        let rails = commands.files.path("bin/rails").to_string_lossy().into_owned();
        commands.add(Test, "rails", "bin/rails", &[&rails, "test"]);
    } else if commands.files.text("Rakefile").is_some_and(|text| has_test_task(&text)) {
        commands.add(Test, "rake", "Rakefile", &[bundled, &["rake", "test"]].concat());
    }
    if let Some(because) = commands.files.first(&[".rubocop.yml"]) {
        commands.add(Lint, "rubocop", because, &[bundled, &["rubocop"]].concat());
    }
}

fn has_test_task(rakefile: &str) -> bool {
    rakefile.lines().any(|line| {
        let line = line.trim_start();
        let task = line.strip_prefix("task").map(|rest| rest.trim_start_matches(['(', ' ']));
        task.is_some_and(|rest| [":test", "test:", "\"test\"", "'test'"].iter().any(|it| starts_word(rest, it)))
            || line.starts_with("Rake::TestTask.new") && !line.contains("TestTask.new(:") // the default name is `test`
            || line.contains("TestTask.new(:test)")
    })
}

fn starts_word(text: &str, word: &str) -> bool {
    text.strip_prefix(word)
        .is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':'))
}
