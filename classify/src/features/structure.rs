//! What the flowchart and the lexicon make of the text.

use super::depth;
use super::hashing::Bag;
use super::terms::Words;
use crate::lexicon::About;
use crate::reading::Reading;

/// Adds where the flowchart ends, and what it went by.
pub(super) fn gather(reading: &Reading, act: &str, bag: &mut Bag) {
    match reading.main() {
        Some((clause, leaf)) => {
            let tier = ["?", "1", "2", "3"][usize::from(leaf.tier.min(3))];
            let executor = leaf.executor.name();
            let sure = if leaf.because.sure >= 0.75 {
                "sure"
            } else if leaf.because.sure >= 0.5 {
                "fair"
            } else {
                "doubt"
            };
            let mood = format!("{:?}", clause.mood);
            bag.weighted("tier", &[tier], 2.0);
            bag.weighted("tier+sure", &[tier, sure], 2.0);
            bag.weighted("leaf", &[tier, executor], 2.0);
            bag.add("why", &[leaf.because.why]);
            bag.add("path", &[leaf.path]);
            bag.add("mood", &[&mood]);
            bag.add("act", &[act]);
            bag.add("mood+act", &[&mood, act]);
        }
        None => bag.weighted("tier", &["none"], 2.0),
    }
}

/// Adds what the text is about, by the words that the lexicon knows.
pub(super) fn gather_topics(reading: &Reading, act: &str, bag: &mut Bag) {
    if let Some((clause, _)) = reading.main() {
        for topic in topics(clause.object) {
            bag.add("object", &[topic]);
            bag.add("act+object", &[act, topic]);
        }
        for topic in topics(clause.about.without(clause.object)) {
            bag.add("about", &[topic]);
        }
        for (is_so, name) in [
            (clause.names_means, "means"),
            (clause.names_place, "place"),
            (clause.object_is_pronoun, "pronoun"),
            (clause.lacks_object, "lacks object"),
            (clause.object_is_new, "new"),
            (clause.has_condition, "condition"),
            (clause.refers_back, "refers back"),
        ] {
            if is_so {
                bag.add("clause", &[name]);
            }
        }
    }
    let all = reading.clauses.iter().fold(About::NONE, |all, clause| all | clause.about);
    for topic in topics(all) {
        bag.add("topic", &[topic]);
    }
    let risk = crate::decide::risk_of(reading);
    bag.weighted("risk", &[risk.why], 2.0);
    if reading.is_foreign {
        bag.add("foreign", &[]);
    }
}

/// The names of what a clause is about.
fn topics(about: About) -> impl Iterator<Item = &'static str> {
    About::NAMES.iter().filter(move |(flag, _)| about.has(*flag)).map(|&(_, name)| name)
}

/// Adds what is known about the terms of the title.
pub(super) fn gather_depth(title: &Words, hashes: &[u64], reading: &Reading, act: &str, bag: &mut Bag) {
    let main = reading.main();
    let tier = main.map_or("none", |(_, leaf)| ["?", "1", "2", "3"][usize::from(leaf.tier.min(3))]);
    depth::gather(title, hashes, act, tier, bag);
}

/// The name of what the main clause asks for; nothing if it asks for nothing that is known.
pub(super) fn act(reading: &Reading) -> String {
    let act = reading.main().and_then(|(clause, _)| clause.act);
    act.map_or_else(String::new, |act| format!("{act:?}"))
}
