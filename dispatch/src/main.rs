//! The `dispatch` program: parse, run.

fn main() -> shared::Exit {
    shared::main("dispatch", dispatch::run)
}
