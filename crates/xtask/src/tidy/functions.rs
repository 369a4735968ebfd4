//! Measures functions. Closures and inner functions belong to the function around them; what a `macro_rules!` would
//! write is not seen.

use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Block, Expr, ExprMatch, ImplItemFn, ItemFn, Signature, TraitItemFn};

/// Lines outside the `match` that a flat table may have: signature, a little preparation, closing braces.
const TABLE_FRAME: usize = 12;
/// Lines that one arm of a flat table may have.
const TABLE_ARM: usize = 6;

/// A function with a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Function {
    /// Its own name.
    pub name: String,
    /// The line of `fn`.
    pub first: usize,
    /// The line of the closing brace.
    pub last: usize,
    /// Little more than one `match` of short arms.
    pub is_table: bool,
}

impl Function {
    /// From `fn` to the closing brace.
    pub(crate) fn lines(&self) -> usize {
        self.last - self.first + 1
    }
}

/// All functions, those inside functions too.
pub(crate) fn functions(ast: &syn::File) -> Vec<Function> {
    let mut collector = Collector::default();
    collector.visit_file(ast);
    collector.found
}

#[derive(Default)]
struct Collector {
    found: Vec<Function>,
}

impl Collector {
    fn keep(&mut self, signature: &Signature, body: &Block) {
        let first = signature.fn_token.span.start().line;
        let last = body.brace_token.span.close().end().line;
        let is_table = is_table(body, last - first + 1);
        self.found.push(Function { name: signature.ident.to_string(), first, last, is_table });
    }
}

impl<'ast> Visit<'ast> for Collector {
    fn visit_item_fn(&mut self, item: &'ast ItemFn) {
        self.keep(&item.sig, &item.block);
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast ImplItemFn) {
        self.keep(&item.sig, &item.block);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast TraitItemFn) {
        if let Some(body) = &item.default {
            self.keep(&item.sig, body);
        }
        visit::visit_trait_item_fn(self, item);
    }
}

fn is_table(body: &Block, lines: usize) -> bool {
    let mut search = Tables { lines, found: false };
    search.visit_block(body);
    search.found
}

/// Looks for a `match` that is nearly the whole function and whose arms are short.
struct Tables {
    lines: usize,
    found: bool,
}

impl<'ast> Visit<'ast> for Tables {
    fn visit_expr_match(&mut self, table: &'ast ExprMatch) {
        let braces = table.brace_token.span;
        let height = braces.close().end().line - braces.open().start().line + 1;
        // A table is worth its length because every arm reads at a glance.
        let short = |body: &Expr| body.span().end().line - body.span().start().line < TABLE_ARM;
        self.found |= height + TABLE_FRAME >= self.lines && table.arms.iter().all(|arm| short(&arm.body));
        visit::visit_expr_match(self, table);
    }
}

#[cfg(test)]
mod tests {
    use super::functions;

    fn lengths(text: &str) -> Vec<(String, usize)> {
        let found = functions(&syn::parse_file(text).unwrap());
        found.iter().map(|function| (function.name.clone(), function.lines())).collect()
    }

    #[test]
    fn a_function_is_measured_from_its_keyword_to_its_closing_brace() {
        let text = "/// Doc.\n#[inline]\npub fn a(\n    x: u8,\n) -> u8 {\n    fn b() {}\n    x\n}";
        assert_eq!(lengths(text), [("a".to_owned(), 6), ("b".to_owned(), 1)]);
    }

    #[test]
    fn methods_count_and_declarations_do_not() {
        let text = "impl A { fn a() {} }\ntrait B { fn b();\n fn c() {\n} }";
        assert_eq!(lengths(text), [("a".to_owned(), 1), ("c".to_owned(), 2)]);
    }

    #[test]
    fn only_a_match_of_short_arms_is_a_table() {
        let table = |arm: &str| {
            let arms = format!("        1 => {arm},\n").repeat(20);
            let text = format!("fn a(x: u8) {{\n    match x {{\n{arms}    }}\n}}");
            functions(&syn::parse_file(&text).unwrap())[0].is_table
        };
        assert!(table("one()"));
        assert!(!table("{ one();\n two();\n three();\n four();\n five();\n six();\n }"));
        let plain = format!("fn a() {{\n{}}}", "    one();\n".repeat(20));
        assert!(!functions(&syn::parse_file(&plain).unwrap())[0].is_table);
    }

    #[test]
    fn a_table_may_prepare_a_little_and_no_more() {
        let table = |steps: usize| {
            let arms = "        1 => one(),\n".repeat(20);
            let steps = "    let a = b();\n".repeat(steps);
            let text = format!("fn a(x: u8) -> R {{\n{steps}    Ok(match x {{\n{arms}    }})\n}}");
            functions(&syn::parse_file(&text).unwrap())[0].is_table
        };
        assert!(table(8));
        assert!(!table(15));
    }

    #[test]
    fn closures_belong_to_the_function_around_them() {
        assert_eq!(lengths("fn a() {\n    let b = || {\n        c()\n    };\n}"), [("a".to_owned(), 5)]);
    }
}
