//! The names that a file defines.

use std::collections::BTreeSet;

use syn::visit::{self, Visit};

/// Items, methods, variants, fields and constants by their own names.
pub(crate) fn defined_names(ast: &syn::File) -> BTreeSet<String> {
    let mut names = Names::default();
    names.visit_file(ast);
    names.found
}

#[derive(Default)]
struct Names {
    found: BTreeSet<String>,
}

/// Keeps the identifier that each visited node has under this expression.
macro_rules! keep_names {
    ($($visit:ident: $kind:ident => $($name:ident).+),* $(,)?) => {
        $(fn $visit(&mut self, node: &'ast syn::$kind) {
            self.found.insert(node.$($name).+.to_string());
            visit::$visit(self, node);
        })*
    };
}

impl<'ast> Visit<'ast> for Names {
    keep_names! {
        visit_item_const: ItemConst => ident, visit_item_enum: ItemEnum => ident, visit_item_mod: ItemMod => ident,
        visit_item_static: ItemStatic => ident, visit_item_struct: ItemStruct => ident,
        visit_item_trait: ItemTrait => ident, visit_item_type: ItemType => ident,
        visit_impl_item_const: ImplItemConst => ident, visit_impl_item_type: ImplItemType => ident,
        visit_trait_item_const: TraitItemConst => ident, visit_trait_item_type: TraitItemType => ident,
        visit_signature: Signature => ident, visit_variant: Variant => ident,
    }

    fn visit_item_macro(&mut self, item: &'ast syn::ItemMacro) {
        self.found.extend(item.ident.as_ref().map(ToString::to_string));
    }

    fn visit_field(&mut self, field: &'ast syn::Field) {
        self.found.extend(field.ident.as_ref().map(ToString::to_string));
    }
}

#[cfg(test)]
mod tests {
    use super::defined_names;

    #[test]
    fn all_kinds_of_definitions_are_found_and_uses_are_not() {
        let text = "use a::Used; pub struct Queue { depth: u8 } impl Queue { pub fn push(&self) { called() } }
            trait Store { fn commit(&self); } enum Verb { Publish } const MOST: u8 = 1; macro_rules! table { () => {} }";
        let found = defined_names(&syn::parse_file(text).unwrap());
        let expected = ["MOST", "Publish", "Queue", "Store", "Verb", "commit", "depth", "push", "table"];
        assert_eq!(found.iter().map(String::as_str).collect::<Vec<_>>(), expected);
    }
}
