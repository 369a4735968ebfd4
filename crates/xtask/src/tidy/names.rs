//! Names that say nothing. A file or module is called by what it is about; a `utils` is where things go that nobody
//! thought about, and it never stops growing.

use syn::visit::{self, Visit};

use super::fault::Fault;
use super::source::Source;

const EMPTY: [&str; 9] =
    ["utils", "util", "common", "misc", "helpers", "helper", "manager", "managers", "impl"];
const REMEDY: &str = "name it by its main type or verb, or move its parts to what they are about";

/// Judges the path of any file of the project.
pub(crate) fn check_path(path: &str) -> Vec<Fault> {
    let parts = path.split('/').map(|part| part.split('.').next().unwrap_or_default());
    let empty = parts.filter(|part| says_nothing(part));
    empty.map(|part| Fault::of(path, format!("`{part}` says nothing"), REMEDY)).collect()
}

/// Judges the modules inside a file.
pub(crate) fn check_modules(source: &Source) -> Vec<Fault> {
    let mut modules = Modules::default();
    modules.visit_file(&source.ast);
    let empty = modules.found.into_iter().filter(|(name, _)| says_nothing(name));
    empty
        .map(|(name, line)| Fault::at(&source.path, line, format!("module `{name}` says nothing"), REMEDY))
        .collect()
}

/// The word alone, or at the end: `queue_manager` too, but not `common_name`.
fn says_nothing(name: &str) -> bool {
    let last = name.rsplit(['_', '-']).next().unwrap_or_default();
    EMPTY.contains(&last)
}

#[derive(Default)]
struct Modules {
    found: Vec<(String, usize)>,
}

impl<'ast> Visit<'ast> for Modules {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        self.found.push((item.ident.to_string(), item.ident.span().start().line));
        visit::visit_item_mod(self, item);
    }
}

#[cfg(test)]
mod tests {
    use super::{check_modules, check_path};
    use crate::tidy::source::Source;

    #[test]
    fn files_and_folders_have_names_that_say_something() {
        for bad in [
            "crates/a/src/utils.rs",
            "crates/common/src/lib.rs",
            "tests/helpers/mod.rs",
            "a/queue_manager.rs",
        ] {
            assert_eq!(check_path(bad).len(), 1, "{bad}");
        }
        for good in
            ["crates/a/src/queue.rs", "crates/a/src/common_name.rs", ".gitignore", "docs/implement.md"]
        {
            assert_eq!(check_path(good), [], "{good}");
        }
    }

    #[test]
    fn modules_too() {
        let faults = |code| check_modules(&Source::parse("crates/a/src/lib.rs", code).unwrap());
        assert_eq!(faults("mod queue;\nmod topic { mod tree {} }"), []);
        assert_eq!(faults("mod queue {\n mod util {}\n}")[0].line, 2);
    }
}
