//! What one evaluation costs, in nanoseconds of one core: `cargo run --release -p keepmq-selector --example
//! selector_cost`.
#![expect(clippy::print_stdout, reason = "the numbers are what it is for")]

use std::hint::black_box;

use keepmq_selector::{Header, Identifier, Lookup, Operand, Selector};

const ROUNDS: u32 = 5_000_000;

/// A message with as many properties as most have.
struct Order;

impl Lookup for Order {
    fn value(&self, identifier: &Identifier) -> Operand<'_> {
        match identifier {
            Identifier::Header(Header::Priority) => Operand::Exact(4),
            Identifier::Header(_) => Operand::Null,
            Identifier::Property(name) => match &**name {
                "color" => Operand::Text("blue"),
                "weight" => Operand::Exact(3000),
                "region" => Operand::Text("eu-central-1"),
                _ => Operand::Null,
            },
        }
    }
}

fn main() {
    for text in [
        "JMSPriority > 6",
        "color = 'blue' AND weight > 2500",
        "color = 'red' AND weight > 2500",
        "region LIKE 'eu-%-1' AND weight BETWEEN 1000 AND 5000",
        "(color IN ('red', 'green', 'blue') OR missing IS NOT NULL) AND NOT (weight * 2 + 100 < 5000) \
         AND region LIKE '%central%' AND JMSPriority >= 4",
    ] {
        measure(text);
    }
}

#[expect(clippy::disallowed_methods, reason = "measuring is reading the clock")]
fn measure(text: &str) {
    let Ok(selector) = Selector::parse(text) else {
        return;
    };
    let started = std::time::Instant::now();
    let mut matched = 0u64;
    for _ in 0..ROUNDS {
        matched += u64::from(black_box(&selector).matches(black_box(&Order)));
    }
    let each = started.elapsed().as_secs_f64() * 1e9 / f64::from(ROUNDS);
    println!("{each:>7.1} ns  {}  {text}", matched > 0);
}
