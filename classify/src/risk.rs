//! What it would cost to be wrong: an axis of its own, whatever the difficulty.
//!
//! "run the migration" is easy; on the production database it is still nothing for the cheapest executor
//! (seed 000: "tasks where an error would be costly to recover from" are tier 3). So high risk lifts the tier,
//! except where nothing but reading is asked.

use shared::section::Risk;

use crate::clause::{Clause, Mood};
use crate::executor::Executor;
use crate::lexicon::{self, About, Act, same};
use crate::model::Opinion;

/// A risk, and why.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Assessed {
    pub(crate) risk: Risk,
    pub(crate) why: &'static str,
}

const LOW: Assessed = Assessed { risk: Risk::Low, why: "what is done can be undone" };

fn high(why: &'static str) -> Assessed {
    Assessed { risk: Risk::High, why }
}

fn medium(why: &'static str) -> Assessed {
    Assessed { risk: Risk::Medium, why }
}

/// From these probabilities on, the model's word counts. High risk is rare, and missing it is dear: so little is enough.
const HIGH: f64 = 0.2;
const MEDIUM: f64 = 0.5;

/// Puts what the rules say about a text together with what the model says: the graver counts.
///
/// Rules that say "medium" are right in little more than half of the corpus, so that is left to the model.
pub(crate) fn of_words(by_rules: Assessed, opinion: &Opinion, executor: Executor) -> Assessed {
    if executor == Executor::Explore {
        // "which files configure the access token?": to look something up harms nobody, whatever it is about.
        return by_rules;
    }
    let [_, middle, grave] = opinion.risks;
    let told = |why| if by_rules.risk >= Risk::Medium { by_rules.why } else { why };
    if by_rules.risk == Risk::High || grave >= HIGH {
        let why = told("tasks in words like these could do lasting harm");
        high(why)
    } else if middle + grave >= MEDIUM {
        medium(told("mistakes in tasks like this are noticed late, or by users first"))
    } else {
        LOW
    }
}

/// Assesses a clause that is to be carried out.
pub(crate) fn of_clause(clause: &Clause, only_reads: bool) -> Assessed {
    let (about, object) = (clause.about, clause.object);
    let act = clause.act;
    if clause.mood == Mood::Forbid {
        return LOW;
    }
    if only_reads {
        return if about.any(About::SECURITY.or(About::VULNERABILITY).or(About::SECRET))
            && !matches!(act, Some(Act::Find | Act::Explain))
        {
            medium("what is overlooked here is a hole")
        } else if about.any(About::PRODUCTION) && about.any(About::BUG.or(About::SUBTLE)) {
            medium("real users are affected")
        } else {
            LOW
        };
    }
    let destroys = matches!(act, Some(Act::Remove));
    let acts_now = matches!(
        act,
        Some(
            Act::Run
                | Act::Deploy
                | Act::Vcs
                | Act::Shell
                | Act::Remove
                | Act::Migrate
                | Act::Upgrade
                | Act::Setup
                | Act::Change
        )
    );
    if about.any(About::LOSS) && clause.mood == Mood::Order && act != Some(Act::Document) {
        return high("data or history would be gone");
    }
    if about.any(About::PRODUCTION) && acts_now {
        return high("it works on production");
    }
    let drops =
        ["drop", "drops", "dropped", "truncate", "purge", "wipe"].iter().any(|verb| same(clause.verb, verb));
    if drops && object.any(About::SCHEMA.or(About::DATA)) {
        return high("stored data would be gone");
    }
    if destroys
        && object.any(About::DATA.or(About::PERSONAL).or(About::MONEY))
        && !object.any(About::CODE.or(About::INTERFACE))
    {
        return high("it deletes stored data");
    }
    let rotates = ["rotate", "revoke"].iter().any(|verb| same(clause.verb, verb)) && about.any(About::SECRET);
    if (about.any(About::IRREVERSIBLE) || rotates) && !about.any(About::DOCS) {
        return high("it cannot be taken back");
    }
    if about.any(About::VULNERABILITY) && !about.any(About::DOCS.or(About::TESTS)) {
        return high("a mistake leaves a hole that an attacker could use");
    }
    if about.any(About::MONEY) && about.any(About::SECRET.or(About::SECURITY).or(About::DATA)) {
        return high("money and keys");
    }
    if about.any(About::DOCS) || about.any(About::TYPO) {
        return LOW;
    }
    if about.any(About::SECURITY.or(About::SECRET)) {
        return medium("who may do what");
    }
    if about.any(About::MONEY.or(About::PERSONAL)) {
        return medium("money or personal data");
    }
    if about.any(About::MIGRATION)
        || about.any(About::DATA) && matches!(act, Some(Act::Migrate | Act::Change | Act::Remove))
    {
        return medium("stored data changes its form");
    }
    if about.any(About::PRODUCTION)
        || act == Some(Act::Deploy)
        || about.any(About::INFRASTRUCTURE) && acts_now
    {
        return medium("a mistake would be noticed by users first");
    }
    if about.any(About::BREAKING) {
        return medium("others depend on it");
    }
    if about.any(About::CONCURRENCY.or(About::DISTRIBUTED))
        || about.any(About::LOW_LEVEL) && about.any(About::BUG)
    {
        return medium("a mistake would be noticed late");
    }
    if destroys && about.any(About::FILE) && about.any(About::WHOLE)
        || act == Some(Act::Upgrade) && about.any(About::FRAMEWORK)
    {
        return medium("it reaches far");
    }
    LOW
}

/// Assesses what paths say: `migrations/`, `auth/`, `deploy/production.tf`.
pub(crate) fn of_paths(paths: &[String]) -> Assessed {
    let mut about = About::NONE;
    for word in paths.iter().flat_map(|path| path.split(|c: char| !c.is_alphanumeric())) {
        about |= lexicon::word(word).about;
    }
    if about.any(About::PRODUCTION.or(About::SECRET)) {
        medium("the files it may touch concern production or secrets")
    } else if about.any(About::SECURITY.or(About::MONEY).or(About::MIGRATION)) {
        medium("the files it may touch concern security, money or stored data")
    } else {
        LOW
    }
}

/// Assesses a command that is given: it is run as it stands.
pub(crate) fn of_command(argv: &[String]) -> Assessed {
    let line = argv.join(" ").to_ascii_lowercase();
    let words = || line.split_whitespace();
    let has = |word: &str| words().any(|known| known == word);
    let pairs = [
        ("rm", "-rf"),
        ("rm", "-fr"),
        ("terraform", "destroy"),
        ("terraform", "apply"),
        ("kubectl", "delete"),
        ("push", "--force"),
        ("push", "-f"),
        ("reset", "--hard"),
        ("drop", "table"),
        ("drop", "database"),
        ("helm", "uninstall"),
        ("find", "-delete"),
        ("find", "rm"),
        ("xargs", "rm"),
        ("clean", "-fdx"),
    ];
    if pairs.iter().any(|(first, second)| has(first) && has(second))
        || has("shred")
        || line.starts_with("mkfs")
    {
        return high("the command destroys what it is given");
    }
    let about =
        words().fold(About::NONE, |about, word| about | lexicon::word(word.trim_start_matches('-')).about);
    if about.any(About::PRODUCTION) {
        return high("the command works on production");
    }
    if about.any(About::RELEASE.or(About::MIGRATION)) {
        medium("the command is noticed by others")
    } else {
        LOW
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn risk(command: &str) -> Risk {
        of_command(&command.split(' ').map(str::to_owned).collect::<Vec<_>>()).risk
    }

    #[test]
    fn a_command_that_deletes_what_it_finds_is_no_search() {
        for command in
            ["find . -name *.pyc -delete", "find . -exec rm {} ;", "git clean -fdx", "rm -rf build"]
        {
            assert_eq!(risk(command), Risk::High, "{command}");
        }
        for command in ["find . -name *.pyc", "git clean -n", "cargo test"] {
            assert_eq!(risk(command), Risk::Low, "{command}");
        }
    }
}
