//! The `classify` program: parse, run.

fn main() -> shared::Exit {
    shared::main("classify", classify::run)
}
