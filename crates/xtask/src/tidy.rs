//! `cargo xtask tidy`: the rules of the house that no compiler knows.

mod authority;
mod bans;
mod budgets;
mod comments;
mod definitions;
mod determinism;
mod documents;
mod exceptions;
mod fault;
mod functions;
mod graph;
mod house;
mod leftovers;
mod manifests;
mod measures;
mod metadata;
mod names;
mod paths;
mod places;
mod sans_io;
mod source;
mod test_code;
#[cfg(test)]
mod tests;
mod unsafe_code;
mod workspace;

use std::path::Path;

use exceptions::Exceptions;
use fault::Fault;
use workspace::Workspace;

/// Checks the workspace at `root`, prints what is wrong, and tells whether nothing is.
pub(crate) fn run(root: &Path) -> anyhow::Result<bool> {
    let workspace = Workspace::load(root)?;
    let measures = measures::measure(&workspace.sources);
    print!("{}", measures::table(&measures));
    for note in measures::comment_notes(&measures) {
        println!("note: {note}");
    }
    let faults = all_faults(&workspace);
    for fault in &faults {
        println!("{fault}");
    }
    println!("tidy: {} files, {} faults", workspace.files.len(), faults.len());
    Ok(faults.is_empty())
}

/// What all rules say, in the order of the files.
fn all_faults(workspace: &Workspace) -> Vec<Fault> {
    let list = workspace.texts.get(exceptions::LIST).map_or("", String::as_str);
    let (exceptions, mut faults) = Exceptions::parse(list);
    faults.extend(workspace.broken.clone());
    faults.extend(graph::check(&workspace.metadata));
    faults.extend(code_faults(workspace, &exceptions));
    faults.extend(crate_faults(workspace));
    faults.extend(text_faults(workspace));
    // Last: by now every rule has asked for the exceptions that it needs.
    faults.extend(exceptions.stale());
    faults.sort();
    faults
}

/// What the rules for whole crates say.
fn crate_faults(workspace: &Workspace) -> Vec<Fault> {
    let measures = measures::measure(&workspace.sources);
    let mut faults = measures::comment_faults(&measures);
    faults.extend(measures::test_faults(&measures));
    faults
}

/// What the rules for Rust code say.
fn code_faults(workspace: &Workspace, exceptions: &Exceptions) -> Vec<Fault> {
    let mut faults = budgets::files(&workspace.sources);
    faults.extend(budgets::functions(&workspace.sources, exceptions));
    for source in &workspace.sources {
        faults.extend(unsafe_code::check(source, exceptions));
        faults.extend(determinism::check(source));
        faults.extend(sans_io::check(source));
        faults.extend(authority::check(source));
        faults.extend(names::check_modules(source));
        faults.extend(leftovers::check(source));
    }
    faults
}

/// What the rules for all files say.
fn text_faults(workspace: &Workspace) -> Vec<Fault> {
    let mut faults = documents::missing(&workspace.files);
    faults.extend(workspace.files.iter().flat_map(|path| names::check_path(path)));
    faults.extend(workspace.texts.iter().flat_map(|(path, text)| places::check(path, text)));
    let tree = documents::Tree::of(&workspace.files);
    let documents = workspace.texts_ending(".md");
    faults.extend(documents.flat_map(|(path, text)| documents::check(path, text, &tree, &workspace.sources)));
    let manifests = workspace.texts_ending("/Cargo.toml").filter(|(path, _)| path.starts_with("crates/"));
    faults.extend(manifests.flat_map(|(path, text)| manifests::check(path, text)));
    faults
}
