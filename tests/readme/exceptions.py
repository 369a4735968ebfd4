"""Where the suite does not do exactly what a document shows. Everything here must still be in a document."""

# Commands that are not run, and why.
NOT_RUN = {
    "cargo xtask test": "this suite is one of its steps",
    "cargo build --release": "the broker that is tested was built before",
    "python3 bench/compare --keepmq target/release/keepmq --out target/compare": "measures for many minutes",
    "python3 bench/compare --keepmq target/release/keepmq --quick --rows mqtt --brokers mosquitto,keepmq": (
        "starts another broker and measures both; the tests of bench/compare do so with stand-ins"
    ),
}

# Commands that show a refusal. All others must end with 0.
EXIT_CODES = {
    "keepmq explain --user alice --read queue://orders": 1,
    'keepmq send /queue/payroll --body "a raise" --credentials alice': 1,
}

# Options of which less will do.
SHORTENED = {"--duration 5": "--duration 1", "--connections 5000": "--connections 100"}
