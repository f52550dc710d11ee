//! Decides about a task: the user's rules first, then the flowchart, then what lifts or caps the tier.
//!
//! In this order, each step named in the reasons: a rule of the user; a command that is given (`run`); the
//! flowchart over the words; doubt (one tier up); the executor asked for; risk; `min_tier`; `max_tier`, which is
//! what the user is willing to pay and so has the last word.

use shared::Problem;
use shared::section::{Classify, Part, Risk, Scores, Task, Tier};

use crate::clause::Mood;
use crate::compound;
use crate::executor::Executor;
use crate::flowchart::{Because, Leaf, Lean};
use crate::lexicon::About;
use crate::reading::{self, Reading};
use crate::risk::{self, Assessed};
use crate::rules::Rule;
use crate::words;

/// Evidence that is no better than this is doubt.
const DOUBT: f64 = 0.5;
/// A look-up or a chore that takes more words than this to say is seldom one.
const LONG: usize = 40;
/// A text of more tokens than this is a specification.
const SPECIFICATION: usize = 100;

/// Decides about a task.
///
/// # Errors
/// If the task asks for nothing, or for what cannot be.
pub(crate) fn decide(task: &Task, rules: &[Rule]) -> Result<Classify, Problem> {
    if let (Some(min), Some(max)) = (task.min_tier, task.max_tier)
        && min > max
    {
        return Err(Problem::new(format!("task: min_tier {min} is above max_tier {max}"))
            .hint("leave one of them out, or let them be the same"));
    }
    let (text, is_cut) = words::within_limits(&task.text);
    if text.trim().is_empty() && task.run.is_none() {
        return Err(
            Problem::new("task: the text is empty").hint("say what is to be done in `task` or `task.text`")
        );
    }
    let reading = reading::read(&text);
    let rule = rules.iter().find(|rule| rule.holds(task, &text));
    let mut draft = Draft::of(task, &reading, rule);
    if is_cut {
        let total = task.text.len();
        draft.reasons.push(format!("of {total} bytes, the first 16 KiB and the last 4 KiB were read"));
    }
    draft.bound(task);
    Ok(draft.finish())
}

/// A decision in the making.
struct Draft {
    /// The weight of each tier.
    weights: [f64; 3],
    tier: u8,
    executor: String,
    only_reads: bool,
    risk: Assessed,
    unsure: bool,
    /// The tier is said by the user; risk does not lift it.
    is_settled: bool,
    parts: Vec<Part>,
    reasons: Vec<String>,
}

impl Draft {
    fn of(task: &Task, reading: &Reading, rule: Option<&Rule>) -> Draft {
        let mut draft = match &task.run {
            Some(argv) => Draft::of_command(argv, reading),
            None => Draft::of_words(reading),
        };
        if let Some(files) = &task.files_touched
            && !draft.only_reads
        {
            let by_paths = risk::of_paths(files);
            if by_paths.risk > draft.risk.risk {
                draft.risk = by_paths;
            }
        }
        if let Some(rule) = rule {
            draft.obey(rule);
        }
        draft
    }

    /// A command that is given needs nobody who thinks: tier 1, whatever the words say.
    fn of_command(argv: &[String], reading: &Reading) -> Draft {
        let by_words = risk_of(reading);
        let by_command = risk::of_command(argv);
        Draft {
            weights: [1.0, 0.0, 0.0],
            tier: 1,
            executor: Executor::Validate.name().to_owned(),
            only_reads: false,
            risk: if by_words.risk > by_command.risk { by_words } else { by_command },
            unsure: false,
            is_settled: true,
            parts: Vec::new(),
            reasons: vec!["`run` says which command does it: it only runs a command (tier 1)".to_owned()],
        }
    }

    fn of_words(reading: &Reading) -> Draft {
        let mut reasons = Vec::with_capacity(4);
        let Some((clause, leaf)) = reading.main() else { return Draft::of_nothing(reading) };
        let Leaf { tier, executor, because, path } = in_proportion(leaf, reading);
        reasons.push(format!("\"{}\": {path} → {executor} ({tier})", shortened(clause.verb)));
        reasons.push(because.why.to_owned());
        let mut sure = because.sure;
        if reading.is_foreign {
            sure = sure.min(0.45);
            reasons.push("most of the words are not known here".to_owned());
        } else if tier == 1 && reading.length > LONG {
            sure -= 0.4;
            reasons.push("that takes many words for something simple".to_owned());
        }
        let mut draft = Draft {
            weights: weights(tier, sure, because.lean),
            tier,
            executor: executor.name().to_owned(),
            only_reads: executor.only_reads() || clause.mood != Mood::Order && executor == Executor::Validate,
            risk: risk_of(reading),
            unsure: false,
            is_settled: false,
            parts: compound::parts(reading),
            reasons,
        };
        if tier == 3 && !draft.only_reads && clause.mood != Mood::Decide && draft.risk.risk == Risk::Low {
            draft.risk = Assessed { risk: Risk::Medium, why: "a mistake would spread to other parts" };
        }
        if let Some(hardest) = draft.parts.iter().max_by_key(|part| part.tier.number()) {
            draft.tier = hardest.tier.number();
            draft.executor = hardest.executor.clone();
            draft.reasons.push(format!(
                "compound: {} steps, the hardest of them on tier {}",
                draft.parts.len(),
                draft.tier
            ));
            draft.weights = weights(draft.tier, sure, because.lean);
        }
        if sure < DOUBT {
            draft.doubt();
        }
        draft
    }

    /// Nothing points anywhere, so not even tier 1 is excluded; doubt makes that tier 2.
    fn of_nothing(reading: &Reading) -> Draft {
        let told = if reading.is_foreign {
            "most of the words are not known here"
        } else {
            "nothing here says what is to be done"
        };
        let mut draft = Draft {
            weights: if reading.length > LONG { [0.25, 0.4, 0.35] } else { [0.4, 0.38, 0.22] },
            tier: if reading.length > LONG { 2 } else { 1 },
            executor: Executor::Implement.name().to_owned(),
            only_reads: false,
            risk: risk_of(reading),
            unsure: false,
            is_settled: false,
            parts: Vec::new(),
            reasons: vec![told.to_owned()],
        };
        draft.doubt();
        draft
    }

    /// Better the middle executor for an easy task than the cheap one for a hard one (seed 000).
    fn doubt(&mut self) {
        self.unsure = true;
        if self.tier < 3 {
            self.lift_parts(self.tier + 1, |part, tier| part.tier.number() == tier - 1);
            self.tier += 1;
            self.reasons.push(format!("uncertain → one tier up ({})", self.tier));
        } else {
            self.reasons.push("uncertain, but there is no tier above".to_owned());
        }
    }

    fn obey(&mut self, rule: &Rule) {
        let name = rule.name.as_deref().map_or_else(String::new, |name| format!(" `{name}`"));
        let mut said = Vec::new();
        if let Some(tier) = rule.tier {
            said.push(format!("tier {tier}"));
            self.weights = [0.0; 3];
            self.weights[usize::from(tier.number().clamp(1, 3)) - 1] = 1.0;
            self.tier = tier.number();
            self.unsure = false;
            self.is_settled = true;
            self.parts.clear();
        }
        if let Some(executor) = &rule.executor {
            said.push(format!("executor {executor}"));
            self.executor.clone_from(executor);
            if rule.tier.is_none()
                && let Some(executor) = Executor::named(executor)
            {
                self.lift(executor.home().number());
            }
        }
        if let Some(risk) = rule.risk {
            let why = match risk {
                Risk::Low => "risk low",
                Risk::Medium => "risk medium",
                Risk::High => "risk high",
            };
            said.push(why.to_owned());
            self.risk = Assessed { risk, why: "a rule of yours says so" };
        }
        self.reasons.insert(0, format!("your rule{name}: {}", said.join(", ")));
    }

    /// Applies what the task itself, and its risk, say about the tier.
    fn bound(&mut self, task: &Task) {
        if let Some(wanted) = &task.executor {
            self.executor.clone_from(wanted);
            let home = Executor::named(wanted).map_or(1, |executor| executor.home().number());
            self.reasons.push(format!("`executor` asks for {wanted}"));
            if home > self.tier {
                self.lift(home);
                self.reasons.push(format!("{wanted} is made for tier {home}"));
            }
            self.parts.clear();
        }
        let risk = self.risk;
        if risk.risk > Risk::Low {
            let level = if risk.risk == Risk::High { "high" } else { "medium" };
            self.reasons.push(format!("risk {level}: {}", risk.why));
        }
        let lifts = risk.risk == Risk::High && !self.only_reads && !self.is_settled;
        if lifts && self.tier < 3 {
            self.reasons.push("an error would be costly to recover from → tier 3".to_owned());
            self.lift(3);
        }
        if lifts {
            self.lift_parts(3, |part, _| compound::acts(part));
        }
        if let Some(min) = task.min_tier
            && min.number() > self.tier
        {
            self.reasons.push(format!("`min_tier` asks for tier {min}"));
            self.lift(min.number());
        }
        if let Some(min) = task.min_tier {
            self.lift_parts(min.number(), |_, _| true);
        }
        if let Some(max) = task.max_tier
            && max.number() < self.tier
        {
            // Tier 0 is not ours to give: `dispatch` tries `local` by itself, and goes no further here.
            let max = max.number().max(1);
            if max < self.tier {
                self.reasons.push(format!(
                    "`max_tier` allows no more than tier {max}, though tier {} is advised",
                    self.tier
                ));
                self.cap(max);
            }
        }
    }

    /// Lifts the tier: the weight of all below goes to it.
    fn lift(&mut self, tier: u8) {
        if tier > self.tier {
            let at = usize::from(tier) - 1;
            let below: f64 = self.weights[..at].iter().sum();
            self.weights[..at].fill(0.0);
            self.weights[at] += below;
            self.tier = tier;
        }
    }

    /// Lifts the tier of those parts that are below it and that are meant.
    fn lift_parts(&mut self, tier: u8, is_meant: impl Fn(&Part, u8) -> bool) {
        for part in &mut self.parts {
            if part.tier.number() < tier && is_meant(part, tier) {
                part.tier = tier_of(tier);
            }
        }
    }

    /// Caps the tier: the weight of all above goes to it.
    fn cap(&mut self, tier: u8) {
        let at = usize::from(tier) - 1;
        let above: f64 = self.weights[at + 1..].iter().sum();
        self.weights[at + 1..].fill(0.0);
        self.weights[at] += above;
        self.tier = tier;
        for part in &mut self.parts {
            part.tier = part.tier.min(tier_of(tier));
        }
    }

    fn finish(self) -> Classify {
        // Hundredths, and the last one makes up the sum.
        let round = |weight: f64| (weight * 100.0).round() / 100.0;
        let [one, two, _] = self.weights.map(round);
        let three = round(1.0 - one - two);
        let scores = Scores { one, two, three };
        let confidence = [one, two, three][usize::from(self.tier) - 1];
        Classify {
            tier: tier_of(self.tier),
            executor: self.executor,
            confidence,
            risk: self.risk.risk,
            reasons: self.reasons,
            scores,
            unsure: self.unsure,
            parts: self.parts,
        }
    }
}

/// A long text that asks for a change has many requirements, and how they hang together is the work.
fn in_proportion(leaf: Leaf, reading: &Reading) -> Leaf {
    let has_clue = reading.clauses.iter().any(|clause| clause.about.any(About::TRACE));
    if leaf.tier != 2 || leaf.executor != Executor::Implement || reading.length <= SPECIFICATION || has_clue {
        return leaf;
    }
    let because =
        Because { why: "so many requirements have to be made to fit together", sure: 0.55, lean: Lean::Down };
    Leaf { tier: 3, executor: Executor::Orchestrate, because, path: "it changes code in many ways at once" }
}

fn tier_of(number: u8) -> Tier {
    Tier::try_from(number).unwrap_or(Tier::THREE)
}

/// Spreads what is not sure over the other tiers.
fn weights(tier: u8, sure: f64, lean: Lean) -> [f64; 3] {
    let rest = 1.0 - sure;
    match (tier, lean) {
        (1, Lean::Up) => [sure, rest * 0.75, rest * 0.25],
        (1, _) => [sure, rest * 0.8, rest * 0.2],
        (2, Lean::Down) => [rest * 0.75, sure, rest * 0.25],
        (2, Lean::Even) => [rest * 0.5, sure, rest * 0.5],
        (2, Lean::Up) => [rest * 0.25, sure, rest * 0.75],
        (_, _) => [rest * 0.2, rest * 0.8, sure],
    }
}

/// The highest risk of what is asked; a complaint is at least as grave as what it is about.
fn risk_of(reading: &Reading) -> Assessed {
    let main_reads = reading.main().is_some_and(|(_, leaf)| leaf.executor.only_reads());
    let mut highest = Assessed { risk: Risk::Low, why: "what is done can be undone" };
    for (at, clause) in reading.clauses.iter().enumerate() {
        let only_reads = match &reading.leaves[at] {
            Some(leaf) => leaf.executor.only_reads(),
            None => main_reads,
        };
        let is_detail = reading.has_body && clause.sentence > 0;
        let assessed = risk::of_clause(clause, only_reads);
        if assessed.risk > highest.risk
            && !(is_detail && clause.mood != Mood::Order && assessed.risk == Risk::High)
        {
            highest = assessed;
        }
    }
    highest
}

/// A reason is for reading: no more of a verb than fits.
fn shortened(word: &str) -> &str {
    let end = word.char_indices().nth(40).map_or(word.len(), |(end, _)| end);
    &word[..end]
}
