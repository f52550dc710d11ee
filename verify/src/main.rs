//! The `verify` program: parse, run.

fn main() -> shared::Exit {
    shared::main("verify", verify::run)
}
