//! What a record says, as one hash: white space between tokens and members that change by themselves left out.
//!
//! Two records with the same hash are the same point of the loop. So what is left out decides what counts as
//! progress: everything that says *how* a result came about (when, how long, at what price, in which worktree, in
//! which attempt) is masked, everything that says *what* came out counts. Numbers and strings are compared as
//! they are written, so `1.10` and `1.1` differ, as they do for every other program of the pipe.

use blake3::Hash;

use shared::Problem;

/// The members that change by themselves. `*` stands for every element of a list or member of an object.
///
/// `dispatch.inputs` is not among them: a record that was made from a newer input is not where it was before.
pub(crate) const VOLATILE: &[&str] = &[
    "converge",
    "dispatch.attempt",
    "dispatch.base",
    "dispatch.branch",
    "dispatch.commit",
    "dispatch.cost_usd",
    "dispatch.earlier",
    "dispatch.elapsed_ms",
    "dispatch.hedged",
    "dispatch.output_file.path",
    "dispatch.price_table",
    "dispatch.race",
    "dispatch.retries",
    "dispatch.rivals",
    "dispatch.started_at",
    "dispatch.turns",
    "dispatch.usage",
    "dispatch.worktree",
    "gates.attempt",
    "gates.results.*.elapsed_ms",
    "verify.attempt",
    "verify.cost_usd",
];

/// Members that do not count. At most 64, so that a set of them is one word.
#[derive(Debug)]
pub(crate) struct Mask {
    paths: Vec<Vec<String>>,
}

impl Mask {
    /// Returns the mask of [`VOLATILE`] and these members besides, each a path such as `mine.seen_at`.
    pub(crate) fn new(more: &[String]) -> Result<Mask, Problem> {
        let all = VOLATILE.iter().copied().chain(more.iter().map(String::as_str));
        let paths: Vec<Vec<String>> =
            all.map(|path| path.trim_start_matches('.').split('.').map(str::to_owned).collect()).collect();
        if paths.iter().flatten().any(String::is_empty) {
            return Err(
                Problem::new("a member to ignore has an empty name").hint("write it such as `mine.seen_at`")
            );
        }
        if paths.len() > 64 {
            let most = 64 - VOLATILE.len();
            return Err(Problem::new(format!("at most {most} members can be ignored, not {}", more.len()))
                .hint("`*` stands for every member of an object"));
        }
        Ok(Mask { paths })
    }

    /// Returns the hash of what a record says. The line is valid JSON.
    pub(crate) fn hash(&self, line: &str) -> Hash {
        let mut scan =
            Scan { mask: self, text: Vec::with_capacity(line.len()), stack: Vec::new(), muted: None };
        scan.run(line.as_bytes());
        blake3::hash(&scan.text)
    }

    fn all(&self) -> u64 {
        if self.paths.len() == 64 { u64::MAX } else { (1 << self.paths.len()) - 1 }
    }

    /// Returns which of the paths also match one step further, and whether one of them ends there.
    fn step(&self, alive: u64, depth: usize, name: &[u8]) -> (u64, bool) {
        let (mut next, mut ends) = (0, false);
        let mut left = alive;
        while left != 0 {
            let index = left.trailing_zeros() as usize;
            left &= left - 1;
            let path = &self.paths[index];
            if path.get(depth).is_some_and(|step| step == "*" || step.as_bytes() == name) {
                next |= 1 << index;
                ends |= path.len() == depth + 1;
            }
        }
        (next, ends)
    }
}

struct Frame {
    is_object: bool,
    /// The paths that match so far.
    alive: u64,
    /// In an object: the next string is a name.
    name_is_due: bool,
}

struct Scan<'a> {
    mask: &'a Mask,
    text: Vec<u8>,
    stack: Vec<Frame>,
    /// How deep the stack was when a masked value began.
    muted: Option<usize>,
}

impl Scan<'_> {
    /// Walks over the tokens without recursion: a record may be nested as deep as its author likes.
    fn run(&mut self, line: &[u8]) {
        let mut at = 0;
        // The paths that match the value that comes next.
        let mut alive = self.mask.all();
        while let Some(&byte) = line.get(at) {
            let start = at;
            match byte {
                b'{' | b'[' => {
                    alive = self.enter_element(alive);
                    self.write(&line[at..=at]);
                    self.stack.push(Frame { is_object: byte == b'{', alive, name_is_due: byte == b'{' });
                    at += 1;
                }
                b'}' | b']' => {
                    self.stack.pop();
                    self.write(&line[at..=at]);
                    self.end_of_value();
                    at += 1;
                }
                b',' => {
                    if let Some(frame) = self.stack.last_mut() {
                        frame.name_is_due = frame.is_object;
                    }
                    at += 1;
                }
                b'"' => {
                    at = end_of_string(line, at);
                    let depth = self.stack.len();
                    match self.stack.last_mut().filter(|frame| frame.name_is_due) {
                        Some(frame) => {
                            frame.name_is_due = false;
                            let name = line.get(start + 1..at.saturating_sub(1)).unwrap_or_default();
                            let ends;
                            (alive, ends) = self.mask.step(frame.alive, depth - 1, name);
                            if ends && self.muted.is_none() {
                                self.muted = Some(depth);
                            }
                            self.write(&line[start..at]);
                        }
                        None => {
                            self.enter_element(alive);
                            self.write(&line[start..at]);
                            self.end_of_value();
                        }
                    }
                }
                b':' | b' ' | b'\t' | b'\r' | b'\n' => at += 1,
                _ => {
                    let rest = &line[at..];
                    at += rest
                        .iter()
                        .position(|byte| b",]} \t\r\n".contains(byte))
                        .unwrap_or(rest.len())
                        .max(1);
                    self.enter_element(alive);
                    self.write(&line[start..at]);
                    self.end_of_value();
                }
            }
        }
    }

    /// A value begins. In a list, it is one more step of the path.
    fn enter_element(&mut self, alive: u64) -> u64 {
        let depth = self.stack.len();
        let Some(frame) = self.stack.last().filter(|frame| !frame.is_object) else { return alive };
        let (alive, ends) = self.mask.step(frame.alive, depth - 1, b"*");
        if ends && self.muted.is_none() {
            self.muted = Some(depth);
        }
        alive
    }

    fn end_of_value(&mut self) {
        if self.muted == Some(self.stack.len()) {
            self.muted = None;
        }
    }

    fn write(&mut self, token: &[u8]) {
        if self.muted.is_none() {
            self.text.extend_from_slice(token);
            // No token contains this byte, so two tokens never look like one.
            self.text.push(b'\n');
        }
    }
}

/// Returns the place after the string that begins here.
fn end_of_string(line: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(byte) = line.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    line.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(a: &str, b: &str) -> bool {
        let mask = Mask::new(&["mine.seen_at".to_owned(), "list.*.t".to_owned()]).unwrap();
        mask.hash(a) == mask.hash(b)
    }

    #[test]
    fn what_says_how_it_came_about_does_not_count() {
        for (a, b) in [
            (r#"{"id":"a","x":1}"#, r#" { "id" : "a" , "x" : 1 } "#),
            (r#"{"id":"a"}"#, r#"{"id":"a","converge":{"rounds":3,"state":"settled"}}"#),
            (r#"{"dispatch":{"attempt":1,"output":"x"}}"#, r#"{"dispatch":{"attempt":2,"output":"x"}}"#),
            (
                r#"{"dispatch":{"output":"x"}}"#,
                r#"{"dispatch":{"output":"x","earlier":[{"a":[1]}],"elapsed_ms":7}}"#,
            ),
            (
                r#"{"gates":{"attempt":1,"results":[{"gate":"g","elapsed_ms":1},{"gate":"h","elapsed_ms":2}]}}"#,
                r#"{"gates":{"attempt":4,"results":[{"gate":"g","elapsed_ms":9},{"gate":"h"}]}}"#,
            ),
            (r#"{"mine":{"seen_at":"x","v":1}}"#, r#"{"mine":{"seen_at":{"y":[{}]},"v":1}}"#),
            (r#"{"list":[{"t":1,"u":2}]}"#, r#"{"list":[{"t":3,"u":2}]}"#),
        ] {
            assert!(same(a, b), "{a} {b}");
        }
    }

    #[test]
    fn what_came_out_counts() {
        for (a, b) in [
            (r#"{"x":1.10}"#, r#"{"x":1.1}"#),
            (r#"{"x":"a b"}"#, r#"{"x":"ab"}"#),
            (r#"{"x":[1,2]}"#, r#"{"x":[12]}"#),
            (r#"{"x":[[1],2]}"#, r#"{"x":[[1,2]]}"#),
            (r#"{"x":"1"}"#, r#"{"x":1}"#),
            (r#"{"x":{}}"#, r#"{"x":[]}"#),
            (r#"{"x":"\"}"}"#, r#"{"x":"\"]"}"#),
            (r#"{"x":"a","y":"b"}"#, r#"{"x":"b","y":"a"}"#),
            (r#"{"dispatch":{"tier":1}}"#, r#"{"dispatch":{"tier":2}}"#),
            (r#"{"dispatch":{"inputs":{"a":1}}}"#, r#"{"dispatch":{"inputs":{"a":2}}}"#),
            // The same name elsewhere is somebody else's.
            (r#"{"mine":{"attempt":1}}"#, r#"{"mine":{"attempt":2}}"#),
            (r#"{"attempt":1}"#, r#"{"attempt":2}"#),
            (r#"{"x":{"converge":1}}"#, r#"{"x":{"converge":2}}"#),
            (r#"{"x":[{"dispatch":{"attempt":1}}]}"#, r#"{"x":[{"dispatch":{"attempt":2}}]}"#),
            // What follows a masked value counts again.
            (r#"{"dispatch":{"attempt":1,"tier":1},"z":1}"#, r#"{"dispatch":{"attempt":1,"tier":1},"z":2}"#),
            (r#"{"converge":{"a":[1]},"z":1}"#, r#"{"converge":{"a":[1]},"z":2}"#),
        ] {
            assert!(!same(a, b), "{a} {b}");
        }
    }

    #[test]
    fn a_million_levels_do_not_overflow_the_stack() {
        let deep = "[".repeat(1_000_000) + &"]".repeat(1_000_000);
        assert!(same(&deep, &format!(" {deep} ")));
    }

    #[test]
    fn unusable_masks_are_refused() {
        assert!(Mask::new(&[String::new()]).is_err());
        assert!(Mask::new(&["a..b".to_owned()]).is_err());
        assert!(Mask::new(&vec!["a".to_owned(); 60]).is_err());
        assert!(Mask::new(&[".a.b".to_owned()]).is_ok());
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in ".*") {
            Mask::new(&[]).unwrap().hash(&text);
        }
    }
}
