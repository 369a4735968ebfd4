//! Tells test code from code that ships, by its `cfg` attributes. In doubt it ships: `cfg(any(test, unix))` does, so
//! that no rule can be escaped by naming tests in passing.

use std::ops::RangeInclusive;

use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Attribute, Expr, ExprLit, Lit, Meta, Token};

/// Features that open code to other crates' tests and are never part of a release: the crate graph is searched for them.
pub(crate) const TEST_FEATURES: [&str; 2] = ["conformance", "testing"];

/// The lines of all items that are only there in tests.
pub(crate) fn test_lines(ast: &syn::File, lines: usize) -> Vec<RangeInclusive<usize>> {
    if only_in_tests(&ast.attrs) {
        return std::iter::once(1..=lines).collect();
    }
    let mut collector = Collector::default();
    collector.visit_file(ast);
    collector.ranges
}

/// The modules in files of their own that are declared under `#[cfg(test)]`.
pub(crate) fn test_modules(ast: &syn::File) -> Vec<String> {
    let mut collector = Collector::default();
    collector.visit_file(ast);
    collector.modules
}

fn only_in_tests(attributes: &[Attribute]) -> bool {
    let conditions = attributes.iter().filter(|attribute| attribute.path().is_ident("cfg"));
    conditions.filter_map(|attribute| attribute.parse_args::<Meta>().ok()).any(|meta| needs_test(&meta))
}

/// Whether a condition can only hold in a test build.
fn needs_test(condition: &Meta) -> bool {
    match condition {
        Meta::Path(path) => path.is_ident("test"),
        Meta::NameValue(pair) => pair.path.is_ident("feature") && is_test_feature(&pair.value),
        Meta::List(list) => {
            let Ok(inner) = list.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated) else {
                return false;
            };
            (list.path.is_ident("all") && inner.iter().any(needs_test))
                || (list.path.is_ident("any") && !inner.is_empty() && inner.iter().all(needs_test))
        }
    }
}

fn is_test_feature(value: &Expr) -> bool {
    match value {
        Expr::Lit(ExprLit { lit: Lit::Str(name), .. }) => TEST_FEATURES.contains(&name.value().as_str()),
        _ => false,
    }
}

#[derive(Default)]
struct Collector {
    ranges: Vec<RangeInclusive<usize>>,
    modules: Vec<String>,
}

impl Collector {
    fn keep(&mut self, item: &impl Spanned) {
        let span = item.span();
        self.ranges.push(span.start().line..=span.end().line);
    }
}

/// Every kind of item with attributes: kept whole when it is a test, else searched.
macro_rules! keep_tests {
    ($($visit:ident: $kind:ident),* $(,)?) => {
        $(fn $visit(&mut self, item: &'ast syn::$kind) {
            if only_in_tests(&item.attrs) { self.keep(item) } else { visit::$visit(self, item) }
        })*
    };
}

impl<'ast> Visit<'ast> for Collector {
    keep_tests! {
        visit_item_const: ItemConst, visit_item_enum: ItemEnum, visit_item_fn: ItemFn, visit_item_impl: ItemImpl,
        visit_item_macro: ItemMacro, visit_item_static: ItemStatic, visit_item_struct: ItemStruct,
        visit_item_trait: ItemTrait, visit_item_type: ItemType, visit_item_use: ItemUse,
        visit_impl_item_const: ImplItemConst, visit_impl_item_fn: ImplItemFn, visit_trait_item_fn: TraitItemFn,
        visit_field: Field, visit_variant: Variant, visit_local: Local, visit_arm: Arm,
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if !only_in_tests(&item.attrs) {
            return visit::visit_item_mod(self, item);
        }
        self.keep(item);
        // The lines are in another file, which the workspace marks as a whole.
        if item.content.is_none() {
            self.modules.push(item.ident.to_string());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{test_lines, test_modules};

    fn lines(text: &str) -> Vec<usize> {
        test_lines(&syn::parse_file(text).unwrap(), text.lines().count()).into_iter().flatten().collect()
    }

    #[test]
    fn items_under_cfg_test_are_tests() {
        assert_eq!(
            lines("fn a() {}\n#[cfg(test)]\n/// Doc.\nfn b() {\n}\nimpl A {\n#[cfg(test)] fn c() {}\n}"),
            [2, 3, 4, 5, 7]
        );
        assert_eq!(lines("#![cfg(test)]\nfn a() {}"), [1, 2]);
    }

    #[test]
    fn code_that_can_ship_is_none() {
        assert!(lines("#[cfg(not(test))]\nfn a() {}").is_empty());
        assert!(lines("#[cfg(any(test, unix))]\nfn a() {}").is_empty());
        assert!(lines("#[cfg(feature = \"test\")]\nfn a() {}").is_empty());
    }

    #[test]
    fn the_features_for_tests_of_other_crates_count() {
        assert_eq!(lines("#[cfg(any(test, feature = \"conformance\"))]\nmod a {}"), [1, 2]);
        assert_eq!(lines("#[cfg(all(unix, test))]\nmod a {}"), [1, 2]);
    }

    #[test]
    fn modules_in_their_own_files_are_named() {
        let ast =
            syn::parse_file("#[cfg(test)]\nmod oracle;\nmod real;\n#[cfg(test)]\nmod tests {}").unwrap();
        assert_eq!(test_modules(&ast), ["oracle"]);
    }

    #[test]
    fn parts_of_items_can_be_tests() {
        assert_eq!(lines("struct A {\n    b: u8,\n    #[cfg(test)]\n    c: u8,\n}"), [3, 4]);
        assert_eq!(lines("enum A {\n    B,\n    #[cfg(test)]\n    C,\n}"), [3, 4]);
        assert_eq!(lines("fn a() {\n    #[cfg(test)]\n    let b = 1;\n}"), [2, 3]);
        assert_eq!(lines("#[cfg(test)]\nuse a::{\n    b,\n};\nfn c() {}"), [1, 2, 3, 4]);
    }

    #[test]
    fn conditions_that_are_not_understood_ship() {
        assert!(lines("#[cfg(version(\"1.2\"))]\nfn a() {}").is_empty());
        assert!(lines("#[cfg_attr(test, allow(dead_code))]\nfn a() {}").is_empty());
        assert!(lines("#[cfg(any())]\nfn a() {}").is_empty());
    }
}
