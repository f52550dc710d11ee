//! The `gates` program: parse, run.

fn main() -> shared::Exit {
    shared::main("gates", gates::run)
}
