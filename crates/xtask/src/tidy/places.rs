//! The repository names no machine and no registry: it must build the same anywhere, also where packages come through a
//! mirror. Files that are not UTF-8 are not read.

use super::fault::Fault;

/// Hosts of package registries, in two halves so that this file passes its own rule.
const HOSTS: [(&str, &str); 9] = [
    ("crates", "io"),
    ("pypi", "org"),
    ("files", "pythonhosted.org"),
    ("registry", "npmjs.org"),
    ("registry", "yarnpkg.com"),
    ("maven", "org"),
    ("repo", "maven.apache.org"),
    ("proxy", "golang.org"),
    ("deb", "debian.org"),
];
/// Folders of one machine, as segments for the same reason.
const FOLDERS: [&[&str]; 3] = [&["", "work"], &["", "root"], &["", "tmp", "bash"]];

/// Judges the text of any file of the project except for Cargo.lock, whose format names its registry.
pub(crate) fn check(path: &str, text: &str) -> Vec<Fault> {
    if path.ends_with("Cargo.lock") {
        return Vec::new();
    }
    let hosts: Vec<String> = HOSTS.iter().map(|(name, end)| format!("{name}.{end}")).collect();
    let folders: Vec<String> = FOLDERS.iter().map(|segments| segments.join("/")).collect();
    let mut faults = Vec::new();
    for (line, text) in (1..).zip(text.lines()) {
        if let Some(host) = hosts.iter().find(|host| text.contains(host.as_str())) {
            let wrong = format!("names the registry host {host}");
            faults.push(Fault::at(path, line, wrong, host_remedy(path)));
        }
        if let Some(folder) = folders.iter().find(|folder| names_folder(text, folder)) {
            faults.push(Fault::at(
                path,
                line,
                format!("names {folder}, a folder of one machine"),
                "use a relative path",
            ));
        }
    }
    faults
}

fn host_remedy(path: &str) -> &'static str {
    if path.ends_with("package-lock.json") {
        "write the file anew by `npm install --omit-lockfile-registry-resolved`"
    } else {
        "name the package and let the client know its registry"
    }
}

/// The folder itself or something in it, as an absolute path.
fn names_folder(text: &str, folder: &str) -> bool {
    text.match_indices(folder).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + folder.len()..].chars().next();
        // Inside the temporary folder only the beginning of a name is known.
        let ends = folder.matches('/').count() > 1 || !after.is_some_and(is_part_of_name);
        ends && !before
            .is_some_and(|letter| is_part_of_name(letter) || ['.', '/', '}', '*', '>'].contains(&letter))
    })
}

fn is_part_of_name(letter: char) -> bool {
    letter.is_alphanumeric() || ['_', '-'].contains(&letter)
}

#[cfg(test)]
mod tests {
    use super::{FOLDERS, HOSTS, check};

    fn folder(at: usize) -> String {
        FOLDERS[at].join("/")
    }

    #[test]
    fn hosts_of_registries_are_found() {
        for (name, end) in HOSTS {
            assert_eq!(check("a.md", &format!("x\nhttps://{name}.{end}/a")).len(), 1, "{name}");
        }
        let (name, end) = HOSTS[0];
        let lock = check("js/package-lock.json", &format!("https://{name}.{end}"));
        assert!(lock[0].remedy.contains("--omit-lockfile-registry-resolved"));
        assert_eq!(check("fuzz/Cargo.lock", &format!("{name}.{end}")), []);
        assert_eq!(check("a.md", "https://docs.rs/syn and crates/io.rs"), []);
    }

    #[test]
    fn folders_of_a_machine_are_found() {
        for text in [
            folder(0),
            format!("cd {}/wt", folder(0)),
            format!("\"{}/.cargo\"", folder(1)),
            format!("{}_1/a", folder(2)),
        ] {
            assert_eq!(check("a.sh", &text).len(), 1, "{text}");
        }
    }

    #[test]
    fn other_paths_with_the_same_words_are_free() {
        let (work, root) = (folder(0), folder(1));
        for text in
            [format!("docs{work}/a"), format!("{work}ers"), format!("..{root}/x"), format!("$HOME}}{root}")]
        {
            assert_eq!(check("a.sh", &text), [], "{text}");
        }
    }
}
