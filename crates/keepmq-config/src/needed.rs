//! Options that have to be written.

use toml::Spanned;
use toml::de::DeValue;

use crate::findings::Findings;
use crate::option::{At, Setting};

/// An option without a default. What is written and faulty is not missing: one fault for one slip.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Needed<T> {
    /// Not written.
    Missing,
    /// Written, and its fault told.
    Faulty,
    /// Written.
    Given(At<T>),
}

impl<T> Needed<T> {
    /// The value, when there is one.
    pub(crate) fn given(&self) -> Option<&At<T>> {
        match self {
            Self::Given(at) => Some(at),
            Self::Missing | Self::Faulty => None,
        }
    }
}

impl<T: Setting> Setting for Needed<T> {
    const FORM: &'static str = T::FORM;

    fn read(value: &Spanned<DeValue<'_>>, findings: &mut Findings<'_>) -> Option<Self> {
        Some(At::read(value, findings).map_or(Self::Faulty, Self::Given))
    }

    fn show(&self) -> Option<String> {
        self.given().and_then(Setting::show)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reading::read;

    #[test]
    fn what_is_faulty_is_not_missing() {
        let (value, report) = read::<Needed<bool>>("\"yes\"");
        assert_eq!((value, report.faults.len()), (Some(Needed::Faulty), 1));
        let (value, _) = read::<Needed<bool>>("true");
        assert_eq!(value.and_then(|needed| needed.show()).as_deref(), Some("true"));
        assert_eq!(Needed::<bool>::Missing.show(), None);
    }
}
