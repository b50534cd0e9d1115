# Short names for the scripts. Everything works without just, too.

# Everything that must pass before a change is merged.
check:
    ./scripts/test

# The parts by name: `just part clippy`, `just part browser`.
part *NAMES:
    ./scripts/test {{NAMES}}

# Format all crates.
fmt:
    cargo fmt --all
