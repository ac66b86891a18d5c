//! The program: see `Config` for its options.

fn main() -> std::process::ExitCode {
    std::process::ExitCode::SUCCESS
}
