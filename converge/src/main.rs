//! The `converge` program: parse, run.

fn main() -> shared::Exit {
    shared::main("converge", converge::run)
}
