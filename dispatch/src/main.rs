//! The `dispatch` program: parse, run.

fn main() -> shared::Exit {
    if let Some(exit) = dispatch::native::confine::main() {
        return exit;
    }
    shared::main("dispatch", dispatch::run)
}
