//! A tree over the segments of patterns: finds everything that covers a name without trying each pattern.

use hashbrown::HashMap;

use crate::pattern::{Pattern, is_hidden};

/// Values filed under patterns. Several may stand under one pattern; they come back in the order they were filed.
#[derive(Clone, Debug)]
pub struct PatternTree<T> {
    root: Node<T>,
}

#[derive(Clone, Debug)]
struct Node<T> {
    children: HashMap<Box<str>, Self>,
    any: Option<Box<Self>>,
    /// Filed under patterns that end here.
    here: Vec<T>,
    /// Filed under patterns that end here with `>`.
    open: Vec<T>,
}

impl<T> Default for Node<T> {
    fn default() -> Self {
        Self { children: HashMap::new(), any: None, here: Vec::new(), open: Vec::new() }
    }
}

impl<T> Default for PatternTree<T> {
    fn default() -> Self {
        Self { root: Node::default() }
    }
}

impl<T> PatternTree<T> {
    /// Files a value.
    pub fn insert(&mut self, pattern: &Pattern, value: T) {
        let mut node = &mut self.root;
        for segment in pattern.segments() {
            node = match segment {
                ">" => return node.open.push(value),
                "*" => node.any.get_or_insert_default(),
                _ => node.children.entry(segment.into()).or_default(),
            };
        }
        node.here.push(value);
    }

    /// Takes out the values of this pattern for which `gone` holds.
    pub fn remove(&mut self, pattern: &Pattern, mut gone: impl FnMut(&T) -> bool) {
        let segments: Vec<&str> = pattern.segments().collect();
        self.root.remove(&segments, &mut gone);
    }

    /// Calls `found` for every value whose pattern covers the name.
    pub fn visit<'a>(&'a self, name: &str, mut found: impl FnMut(&'a T)) {
        let segments: Vec<&str> = name.split('.').collect();
        self.root.visit(&segments, true, &mut found);
    }

    /// As [`Self::visit`] by the rule of [`Pattern::subscribes_to`]: some names are hidden from a wildcard in
    /// the first segment.
    pub fn visit_subscribed<'a>(&'a self, name: &str, mut found: impl FnMut(&'a T)) {
        let segments: Vec<&str> = name.split('.').collect();
        self.root.visit(&segments, !is_hidden(name), &mut found);
    }

    /// Whether nothing is filed.
    pub fn is_empty(&self) -> bool {
        self.root.is_empty()
    }
}

impl<T> Node<T> {
    fn is_empty(&self) -> bool {
        self.children.is_empty() && self.any.is_none() && self.here.is_empty() && self.open.is_empty()
    }

    fn remove(&mut self, segments: &[&str], gone: &mut impl FnMut(&T) -> bool) {
        let Some((first, rest)) = segments.split_first() else {
            self.here.retain(|value| !gone(value));
            return;
        };
        match *first {
            ">" => self.open.retain(|value| !gone(value)),
            "*" => {
                if let Some(any) = &mut self.any {
                    any.remove(rest, gone);
                    if any.is_empty() {
                        self.any = None;
                    }
                }
            }
            literal => {
                if let Some(child) = self.children.get_mut(literal) {
                    child.remove(rest, gone);
                    if child.is_empty() {
                        self.children.remove(literal);
                    }
                }
            }
        }
    }

    fn visit<'a>(&'a self, segments: &[&str], wild: bool, found: &mut impl FnMut(&'a T)) {
        if wild {
            self.open.iter().for_each(&mut *found);
        }
        let Some((first, rest)) = segments.split_first() else {
            self.here.iter().for_each(found);
            return;
        };
        if let Some(child) = self.children.get(*first) {
            child.visit(rest, true, found);
        }
        if let Some(any) = self.any.as_ref().filter(|_| wild) {
            any.visit(rest, true, found);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pattern() -> impl Strategy<Value = Pattern> {
        let segment = prop_oneof![3 => "[ab$]{1,2}", 1 => Just("*".to_owned())];
        (proptest::collection::vec(segment, 0..4), any::<bool>()).prop_map(|(mut segments, open)| {
            if open || segments.is_empty() {
                segments.push(">".to_owned());
            }
            Pattern::new(&segments.join(".")).unwrap()
        })
    }

    proptest! {
        #[test]
        fn the_tree_finds_what_matching_each_pattern_finds(
            patterns in proptest::collection::vec(pattern(), 0..20), name in "[ab$]{1,2}(\\.[ab$]{1,2}){0,3}",
            removed in any::<u32>(),
        ) {
            let mut tree = PatternTree::default();
            for (i, pattern) in patterns.iter().enumerate() {
                tree.insert(pattern, i);
            }
            let kept = |i: usize| removed >> i & 1 == 0;
            for (i, pattern) in patterns.iter().enumerate().filter(|(i, _)| !kept(*i)) {
                tree.remove(pattern, |value| *value == i);
            }
            let wanted = |test: &dyn Fn(&Pattern) -> bool| -> Vec<usize> {
                (0..patterns.len()).filter(|i| kept(*i) && test(&patterns[*i])).collect()
            };
            let mut found = Vec::new();
            tree.visit(&name, |i| found.push(*i));
            found.sort_unstable();
            prop_assert_eq!(found, wanted(&|p| p.matches(&name)));
            let mut found = Vec::new();
            tree.visit_subscribed(&name, |i| found.push(*i));
            found.sort_unstable();
            prop_assert_eq!(found, wanted(&|p| p.subscribes_to(&name)));
        }

        #[test]
        fn an_emptied_tree_holds_nothing(patterns in proptest::collection::vec(pattern(), 0..20)) {
            let mut tree = PatternTree::default();
            for pattern in &patterns {
                tree.insert(pattern, ());
            }
            for pattern in &patterns {
                tree.remove(pattern, |()| true);
            }
            prop_assert!(tree.is_empty());
        }
    }
}
