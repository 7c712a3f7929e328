//! The program as a binary of its own.

fn main() -> std::process::ExitCode {
    wheelproof::main()
}
