//! What cargo knows of the workspace: its packages and what they depend on. Cargo is asked, rather than the manifests
//! read, because it knows renamed, inherited and platform dependencies for what they are.

use std::collections::{HashMap, HashSet, VecDeque};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};
use serde::Deserialize;

/// The output of `cargo metadata`, as far as tidy reads it.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Metadata {
    packages: Vec<Package>,
    workspace_members: Vec<String>,
    resolve: Resolve,
}

/// A package of the workspace or one that it needs.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Package {
    id: String,
    /// Its name.
    pub name: String,
    /// Its features and what they turn on.
    #[serde(default)]
    pub features: HashMap<String, Vec<String>>,
    /// What its manifest asks for.
    pub dependencies: Vec<Dependency>,
    manifest_path: String,
}

impl Package {
    /// Its manifest relative to the workspace.
    pub(crate) fn manifest(&self) -> String {
        let parts: Vec<&str> = self.manifest_path.rsplit('/').take(3).collect();
        parts.into_iter().rev().collect::<Vec<_>>().join("/")
    }
}

/// One dependency as written.
#[derive(Debug, Deserialize)]
pub(crate) struct Dependency {
    /// The package's name, not what it is renamed to.
    pub name: String,
    /// What it asks of the dependency.
    #[serde(default)]
    pub features: Vec<String>,
    kind: Option<String>,
}

impl Dependency {
    /// Only for tests, examples and benchmarks.
    pub(crate) fn is_for_tests(&self) -> bool {
        self.kind.as_deref() == Some("dev")
    }
}

#[derive(Debug, Default, Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Debug, Deserialize)]
struct Node {
    id: String,
    deps: Vec<Link>,
}

#[derive(Debug, Deserialize)]
struct Link {
    pkg: String,
    dep_kinds: Vec<LinkKind>,
}

#[derive(Debug, Deserialize)]
struct LinkKind {
    kind: Option<String>,
}

impl Metadata {
    /// Asks cargo, about one platform: then what only others need has not to be downloaded.
    pub(crate) fn load(root: &Path) -> anyhow::Result<Self> {
        let mut cargo = Command::new("cargo");
        cargo.args(["metadata", "--format-version=1", "--filter-platform=x86_64-unknown-linux-gnu"]);
        let output = cargo.current_dir(root).output().context("cargo metadata")?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "cargo metadata: {said}");
        Self::parse(&output.stdout)
    }

    fn parse(json: &[u8]) -> anyhow::Result<Self> {
        serde_json::from_slice(json).context("the output of cargo metadata")
    }

    /// The packages of the workspace.
    pub(crate) fn members(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(|package| self.workspace_members.contains(&package.id))
    }

    /// The shortest way from a package to the first whose name fits, its own name first. Dependencies for tests count
    /// at the first step only, and only when asked for.
    pub(crate) fn way_to(
        &self,
        from: &Package,
        tests_too: bool,
        fits: impl Fn(&str) -> bool,
    ) -> Option<Vec<&str>> {
        let nodes: HashMap<&str, &Node> =
            self.resolve.nodes.iter().map(|node| (node.id.as_str(), node)).collect();
        let mut queue: VecDeque<Vec<&str>> =
            nodes.get(from.id.as_str()).map(|node| vec![node.id.as_str()]).into_iter().collect();
        let mut seen: HashSet<&str> = queue.iter().flatten().copied().collect();
        while let Some(way) = queue.pop_front() {
            let last = nodes.get(way.last()?)?;
            let links = last.deps.iter().filter(|link| link.counts(tests_too && way.len() == 1));
            for target in links.map(|link| link.pkg.as_str()) {
                if !seen.insert(target) {
                    continue;
                }
                let way = [&way[..], &[target]].concat();
                if fits(self.name_of(target)) {
                    return Some(way.into_iter().map(|id| self.name_of(id)).collect());
                }
                queue.push_back(way);
            }
        }
        None
    }

    fn name_of(&self, id: &str) -> &str {
        self.packages.iter().find(|package| package.id == id).map_or("?", |package| &package.name)
    }
}

impl Link {
    fn counts(&self, tests_too: bool) -> bool {
        self.dep_kinds.iter().any(|kind| match kind.kind.as_deref() {
            None => true,
            Some("dev") => tests_too,
            Some(_) => false,
        })
    }
}

#[cfg(test)]
impl Metadata {
    /// Packages of a made-up workspace, a dependency a line: `from to [normal|dev|build [FEATURE]]`, or `from` for none.
    pub(crate) fn made_of(lines: &[&str]) -> Self {
        let mut names: Vec<&str> = lines.iter().flat_map(|line| line.split(' ').take(2)).collect();
        names.sort_unstable();
        names.dedup();
        let lines_of = |name: &str| {
            let own = lines
                .iter()
                .map(|line| line.split(' ').collect::<Vec<_>>())
                .filter(move |line| line[0] == name);
            own.filter(|line| line.len() > 1).collect::<Vec<_>>()
        };
        let kind = |line: &[&str]| line.get(2).filter(|kind| **kind != "normal").map(ToString::to_string);
        let package = |name: &&str| {
            let dependencies: Vec<_> = lines_of(name)
                .iter()
                .map(|line| {
                    let features: Vec<&&str> = line.get(3).into_iter().collect();
                    serde_json::json!({"name": line[1], "kind": kind(line), "features": features})
                })
                .collect();
            let manifest = format!("/x/crates/{name}/Cargo.toml");
            serde_json::json!({"id": name, "name": name, "dependencies": dependencies, "manifest_path": manifest})
        };
        let node = |name: &&str| {
            let edges: Vec<_> = lines_of(name)
                .iter()
                .map(|line| serde_json::json!({"pkg": line[1], "dep_kinds": [{"kind": kind(line)}]}))
                .collect();
            serde_json::json!({"id": name, "deps": edges})
        };
        let members: Vec<&&str> =
            names.iter().filter(|name| name.starts_with("keepmq") || **name == "xtask").collect();
        let json = serde_json::json!({
            "packages": names.iter().map(package).collect::<Vec<_>>(),
            "workspace_members": members,
            "resolve": {"nodes": names.iter().map(node).collect::<Vec<_>>()},
        });
        Self::parse(json.to_string().as_bytes()).unwrap()
    }
}

#[cfg(test)]
mod tests {
    use super::Metadata;

    fn way(lines: &[&str], tests_too: bool) -> Option<String> {
        let metadata = Metadata::made_of(lines);
        let from = metadata.members().find(|package| package.name == "keepmq-core").unwrap();
        metadata.way_to(from, tests_too, |name| name == "tokio").map(|way| way.join(" -> "))
    }

    #[test]
    fn the_way_to_a_package_is_named() {
        let lines = ["keepmq-core a", "a b", "b tokio", "keepmq-core c", "c tokio"];
        assert_eq!(way(&lines, false).unwrap(), "keepmq-core -> c -> tokio");
        assert_eq!(way(&["keepmq-core a", "d tokio"], false), None);
    }

    #[test]
    fn what_tests_need_counts_when_asked_for() {
        assert_eq!(way(&["keepmq-core tokio dev"], false), None);
        assert_eq!(way(&["keepmq-core tokio dev"], true).unwrap(), "keepmq-core -> tokio");
        assert_eq!(way(&["keepmq-core a dev", "a tokio dev"], true), None);
        assert_eq!(way(&["keepmq-core a", "a tokio build"], true), None);
    }

    #[test]
    fn members_are_told_from_what_they_need() {
        let metadata = Metadata::made_of(&["keepmq-core bytes"]);
        let members: Vec<_> =
            metadata.members().map(|package| (package.name.clone(), package.manifest())).collect();
        assert_eq!(members, [("keepmq-core".to_owned(), "crates/keepmq-core/Cargo.toml".to_owned())]);
    }

    #[test]
    fn circles_come_to_an_end() {
        assert_eq!(way(&["keepmq-core a", "a b", "b a", "b keepmq-core"], false), None);
    }

    #[test]
    fn the_kind_of_a_dependency_is_known() {
        let metadata = Metadata::made_of(&["keepmq-core a dev", "keepmq-core b", "keepmq-core c build"]);
        let core = metadata.members().next().unwrap();
        let for_tests: Vec<&str> =
            core.dependencies.iter().filter(|d| d.is_for_tests()).map(|d| d.name.as_str()).collect();
        assert_eq!((core.dependencies.len(), for_tests), (3, vec!["a"]));
    }
}
