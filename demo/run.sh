#!/bin/sh
# The main job, twice: over this repository, where every mechanical task is done without a model, and over a small
# project with a failing test, where a wrong draft is caught by facts and escalated.
#
# Talks on standard error; the closing table goes to standard output. Ends with 0 only if everything happened as told.
# Nothing of the checkout is changed: what the programs keep is in .specpipe, which git does not see.
set -u

root=$(cd "$(dirname "$0")/.." && pwd)
demo=$root/demo
PATH=${SPECPIPE_BIN:-$root/target/release}:$PATH
export PATH

# The demo shows what is there without a network, a key or an account, whatever this machine has.
# What the user has set up stays out of it.
unset ANTHROPIC_API_KEY OPENAI_API_KEY GEMINI_API_KEY GOOGLE_API_KEY OPENAI_BASE_URL ANTHROPIC_BASE_URL
SPECPIPE_DISPATCH_BACKEND=local
SPECPIPE_CONFIG=$demo/specpipe.toml
export SPECPIPE_DISPATCH_BACKEND SPECPIPE_CONFIG

place=$(mktemp -d) || exit 4
XDG_CONFIG_HOME=$place/config
export XDG_CONFIG_HOME
trap 'rm -rf "$place"' EXIT
trap 'exit 130' INT TERM HUP

failures=0
say() { printf '%s\n' "$*" >&2; }
step() { printf '\n\033[1m== %s\033[0m\n' "$*" >&2; }
[ -t 2 ] || step() { printf '\n== %s\n' "$*" >&2; }
fail() {
    say "demo: NOT AS IT SHOULD BE: $*"
    failures=$((failures + 1))
}

# Shows a command, as one would type it.
shown() { printf '$ %s\n' "$*" >&2; }

# What belongs to the user.
checkout() {
    if [ -n "$git" ]; then
        git -C "$root" status --porcelain=v1 --branch
        git -C "$root" rev-parse --quiet --verify HEAD
        git -C "$root" stash list
    fi
}

git=
if git -C "$root" rev-parse --show-toplevel 2> /dev/null | grep -qxF "$(cd "$root" && pwd -P)"; then
    git=yes
fi

# ---------------------------------------------------------------------------------------------------------------------
step "1. This repository: every mechanical task is done without a model"

tasks=$(grep -c . "$demo/tasks.jsonl")
say "demo/tasks.jsonl has $tasks lines: searches, counts, questions to git, a linter, one test, tasks that need others,"
say "three that need a model, and a line that is no record. No model is there, and none is asked."
if [ -z "$git" ]; then
    say "This copy has no git history of its own: the questions to git can not be answered here, and end so."
elif [ "$(git -C "$root" rev-parse --is-shallow-repository)" = true ]; then
    say "This is a shallow clone: git answers with the commits that are here."
fi
if cargo clippy --version > /dev/null 2>&1; then
    lint=yes
else
    lint=
    say "cargo clippy is not installed: the linter can not run here, and its task ends so."
fi

checkout > "$place/before"
cd "$root" || exit 4
shown "classify demo/tasks.jsonl | converge -n 3 -c 'dispatch | gates | verify' > results.jsonl"
{ classify "$demo/tasks.jsonl"; echo $? > "$place/status"; } \
    | converge -n 3 -c 'dispatch | gates | verify' > "$place/results.jsonl" || fail "converge: status $?"
[ "$(cat "$place/status")" = 3 ] || fail "classify: status $(cat "$place/status"); 3 says that a line is no record, and one is none"

say
say "What came of them:"
# id, decision, and the beginning of what was answered or of the reason why not, for people.
sed -n '
    /^{"errors"/ { s/.*"line":\([0-9]*\),"message":"\([^"]*\)".*/  line \1         kept, with its error: \2/p; d; }
    s/^{"id":"\([^"]*\)".*"verify":{[^}]*"decision":"\([^"]*\)".*/\1 \2/p
' "$place/results.jsonl" | while read -r id decision rest; do
    if [ "$id" = line ]; then
        printf '  %-16s %s\n' "line $decision" "$rest" >&2
        continue
    fi
    answer=$(grep "^{\"id\":\"$id\"" "$place/results.jsonl" \
        | sed -n 's/.*"dispatch":{.*"output":"\([^"]*\)".*/\1/p' | sed 's/\\n/ | /g; s/\\t/ /g' | cut -c 1-80)
    reason=$(grep "^{\"id\":\"$id\"" "$place/results.jsonl" | sed -n 's/.*"dispatch":{[^}]*"reason":"\([^"]*\)".*/\1/p' | cut -c 1-80)
    printf '  %-16s %-13s %s\n' "$id" "$decision" "${answer:-${reason:-done, without a word}}" >&2
done

[ "$(grep -c . "$place/results.jsonl")" = "$tasks" ] || fail "not every record has come back"
for expect in done git lint; do
    [ "$expect" != git ] || [ -n "$git" ] || continue
    [ "$expect" != lint ] || [ -n "$lint" ] || continue
    grep "\"x-expect\":\"$expect\"" "$place/results.jsonl" > "$place/mechanical" || fail "no task of kind $expect"
    grep -v '"backend":"local"' "$place/mechanical" > "$place/others" && fail "not done by local: $(cut -c 1-60 "$place/others")"
    grep -v '"decision":"accept"' "$place/mechanical" > "$place/others" && fail "not accepted: $(cut -c 1-60 "$place/others")"
done
grep '"x-expect":"model"' "$place/results.jsonl" | grep -q '"decision":"accept"' && fail "a task without an executor was accepted"
grep '"x-expect":"model"' "$place/results.jsonl" | grep -v '"status":"unavailable"' && fail "a task for a model was done without one"

# Two answers, checked by other means.
if [ -n "$git" ] && [ -z "$(git status --porcelain)" ]; then
    count=$(git ls-files '*.rs' | wc -l | tr -d ' ')
    grep '^{"id":"rust-files"' "$place/results.jsonl" | grep -q "\"output\":\"$count" \
        && say && say "Checked by other means: git ls-files '*.rs' | wc -l says $count, too." \
        || fail "git counts $count Rust files"
fi
count=$(wc -l < shared/PROTOCOL.md | tr -d ' ')
grep '^{"id":"lines-protocol"' "$place/results.jsonl" | grep -q "\"output\":\"[^\"]*: $count lines" || fail "wc counts $count lines"

checkout > "$place/after"
if ! diff "$place/before" "$place/after" >&2; then
    fail "the checkout is not as it was"
fi

# ---------------------------------------------------------------------------------------------------------------------
step "2. A small project whose test fails: draft, check, escalate"

say "Here answers from a file stand in for a model: recorded texts, the first of each task wrong on purpose, with"
say "invented token counts, priced by the table of today. All else is real: patches, worktrees, tests, verdicts."
say

export GIT_AUTHOR_NAME=demo GIT_AUTHOR_EMAIL=demo@example.org GIT_COMMITTER_NAME=demo GIT_COMMITTER_EMAIL=demo@example.org
export GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null
project=$place/project
cp -R "$demo/project" "$project" && cd "$project" || exit 4
{ git init -q . && git add . && git commit -q -m 'A project whose test fails'; } || exit 4
shown "make test"
make -s test >&2 && fail "the test of the small project passes before anything was done"
head=$(git rev-parse HEAD)

unset SPECPIPE_DISPATCH_BACKEND
dispatch="dispatch --replay $demo/answers.jsonl"

say
shown "classify project.jsonl | dispatch --replay answers.jsonl > drafts.jsonl"
classify -q "$demo/project.jsonl" | $dispatch > "$place/drafts-1.jsonl" || fail "the first drafts: status $?"
show_drafts() {
    while read -r line; do
        id=$(printf '%s\n' "$line" | sed 's/^{"id":"\([^"]*\)".*/\1/')
        tier=$(printf '%s\n' "$line" | sed 's/.*"dispatch":{[^{]*"tier":\([0-9]\).*/\1/')
        attempt=$(printf '%s\n' "$line" | sed 's/.*"dispatch":{"attempt":\([0-9]*\).*/\1/')
        said=$(printf '%s\n' "$line" | sed 's/.*"dispatch":{[^{]*"output":"\([^"]*\)".*/\1/' | cut -c 1-90)
        say "  $id, attempt $attempt on tier $tier: $said"
    done < "$1"
}
show_drafts "$place/drafts-1.jsonl"

say
shown "gates < drafts.jsonl | verify --explain"
gates -q < "$place/drafts-1.jsonl" | verify --explain > "$place/judged-1.jsonl" || fail "the first verdicts: status $?"
[ "$(grep -c '"decision":"\(escalate\|fix\)"' "$place/judged-1.jsonl")" = 2 ] || fail "a wrong draft was not caught"
grep '^{"id":"fix"' "$place/judged-1.jsonl" | grep -q '"gate":"tests"[^]]*"outcome":"fail"' || fail "the test has not failed on the first patch"
grep '^{"id":"where"' "$place/judged-1.jsonl" | grep -q 'src/count.c' || fail "nobody has missed src/count.c"
say "The first patch fails the test, the first answer cites a file that is not there: both go one tier up."

say
shown "dispatch --replay answers.jsonl < judged.jsonl | gates | verify --explain"
$dispatch < "$place/judged-1.jsonl" > "$place/drafts-2.jsonl" || fail "the second drafts: status $?"
show_drafts "$place/drafts-2.jsonl"
gates -q < "$place/drafts-2.jsonl" | verify --explain > "$place/judged-2.jsonl" || fail "the second verdicts: status $?"
[ "$(grep -c '"decision":"accept"' "$place/judged-2.jsonl")" = 2 ] || fail "a right draft was not accepted"

[ "$(git rev-parse HEAD)" = "$head" ] && [ -z "$(git status --porcelain)" ] || fail "the small project's checkout was touched"
branch=$(sed -n 's/^{"id":"fix".*"branch":"\([^"]*\)".*/\1/p' "$place/judged-2.jsonl")
say
say "The accepted work is a commit on $branch; the checkout is as it was. To take it over:"
shown "git merge $branch && make test"
git merge -q "$branch" > /dev/null 2>&1 || fail "$branch can not be merged"
make -s test >&2 || fail "the test fails with the accepted patch"

say
say "The same in one line, which is how one would run it:"
git reset -q --hard "$head"
shown "classify project.jsonl | converge -n 3 -c 'dispatch --replay answers.jsonl | gates | verify'"
classify -q "$demo/project.jsonl" | converge -n 3 -c "$dispatch | gates | verify" > "$place/project.jsonl" || fail "converge: status $?"
[ "$(grep -c '"decision":"accept"' "$place/project.jsonl")" = 2 ] || fail "not the same verdicts"
[ "$(grep -c '"dispatch":{"attempt":2' "$place/project.jsonl")" = 2 ] || fail "not the same number of attempts"

# ---------------------------------------------------------------------------------------------------------------------
step "3. What it came to"
cat "$place/results.jsonl" "$place/project.jsonl" > "$place/all.jsonl"
shown "verify report results.jsonl"
verify report "$place/all.jsonl"

if [ "$failures" != 0 ]; then
    say
    say "demo: $failures things were not as they should be; the records:"
    sed 's/^/  /' "$place/all.jsonl" >&2
    exit 1
fi
