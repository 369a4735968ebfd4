//! The tables of the wire.

use serde::Deserialize;

#[derive(Deserialize)]
pub(super) struct Table {
    pub(super) types: Vec<Type>,
}

/// A type of the wire.
#[derive(Deserialize)]
pub(super) struct Type {
    pub(super) name: String,
    pub(super) code: u8,
    pub(super) fields: Vec<Field>,
    pub(super) layouts: Vec<Layout>,
}

#[derive(Deserialize)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) kind: String,
    /// The type of an object.
    pub(super) of: Option<String>,
    pub(super) doc: Option<String>,
}

/// The fields of some versions, in order.
#[derive(Deserialize)]
pub(super) struct Layout {
    pub(super) from: u8,
    pub(super) to: u8,
    pub(super) fields: Vec<String>,
}

impl Type {
    pub(super) fn field(&self, name: &str) -> anyhow::Result<&Field> {
        let field = self.fields.iter().find(|field| field.name == name);
        field.ok_or_else(|| anyhow::anyhow!("{} has no field {name}", self.name))
    }

    /// The newest layout, when all others are it with some fields left out.
    pub(super) fn common(&self) -> Option<&Layout> {
        let newest = self.layouts.last()?;
        let within = |layout: &Layout| {
            let mut rest = newest.fields.iter();
            layout.fields.iter().all(|field| rest.any(|other| other == field))
        };
        self.layouts.iter().all(within).then_some(newest)
    }

    /// The first version that has a field of the newest layout, if all later ones have it too.
    pub(super) fn since(&self, field: &String) -> Option<u8> {
        let first = self.layouts.iter().position(|layout| layout.fields.contains(field))?;
        let later = self.layouts.get(first..)?;
        later.iter().all(|layout| layout.fields.contains(field)).then_some(later.first()?.from)
    }
}
