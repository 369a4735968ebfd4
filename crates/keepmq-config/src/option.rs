//! One option, one definition: the [`section!`](crate::option::section) macro makes the field, its default, its reader
//! and its line in the reference from the same few words, so that none can be forgotten.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::findings::{Findings, Span};
use crate::nearest::nearest;

/// When a changed option takes effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// When the configuration is read again.
    Live,
    /// When the broker is started again.
    Restart,
}

/// What an option is.
#[derive(Clone, Copy, Debug)]
pub struct OptionDef {
    /// Its name within its section, such as `max-frame-bytes`.
    pub key: &'static str,
    /// What may be written.
    pub form: &'static str,
    /// What it does.
    pub about: &'static str,
    /// When a change takes effect.
    pub change: Change,
    /// The least and the most that may be written, for numbers.
    pub range: Option<(u64, u64)>,
    /// What becomes weaker when it is set to something else than its default, or to more for numbers.
    pub opens: Option<&'static str>,
}

/// An option's value as it holds.
#[derive(Clone, Debug)]
pub struct Stated {
    /// Its whole name, such as `listener.mqtt.port`.
    pub key: String,
    /// Its value as it would be written in the file.
    pub value: String,
    /// Whether it weakens the defaults.
    pub weakens: bool,
    /// What it is.
    pub option: &'static OptionDef,
}

/// A kind of value that an option can have.
pub(crate) trait Setting: Sized + PartialEq {
    /// What may be written, for people.
    const FORM: &'static str;

    /// Reads it; what is wrong goes to the findings.
    fn read(value: &Spanned<DeValue<'_>>, findings: &mut Findings<'_>) -> Option<Self>;

    /// How it is written; `None` when there is nothing to write.
    fn show(&self) -> Option<String>;

    /// The number that is judged by the option's range.
    fn number(&self) -> Option<u64> {
        None
    }

    /// How such a number is written.
    fn write_number(number: u64) -> String {
        number.to_string()
    }

    /// Whether this is weaker than the default, of an option that can be.
    fn is_weaker(&self, default: &Self) -> bool {
        match (self.number(), default.number()) {
            (Some(number), Some(default)) => number > default,
            _ => self != default,
        }
    }

    /// Whether this is weaker than what holds when nothing is written, of an option without a default.
    fn is_weak(&self) -> bool {
        true
    }
}

/// Options that stand together in a table of the file.
pub(crate) trait Section: Default {
    /// Its name in the file.
    const PATH: &'static str;
    /// What it is about.
    const ABOUT: &'static str;
    /// Its options.
    const OPTIONS: &'static [OptionDef];

    /// Sets the option of this name.
    fn set(&mut self, option: &OptionDef, value: &Spanned<DeValue<'_>>, findings: &mut Findings<'_>);

    /// All options with their values, under this prefix.
    fn stated(&self, prefix: &str) -> Vec<Stated>;

    /// Reads a table.
    fn read(table: &DeTable<'_>, findings: &mut Findings<'_>) -> Self {
        let mut section = Self::default();
        for (key, value) in table {
            match Self::OPTIONS.iter().find(|option| option.key == key.get_ref()) {
                Some(option) => findings.within(option.key, |f| section.set(option, value, f)),
                None => unknown(key, Self::OPTIONS.iter().map(|option| option.key), findings),
            }
        }
        section
    }
}

/// A value with the place where it is written; no place when it is the default.
#[derive(Clone, Debug, Default)]
pub(crate) struct At<T> {
    /// The value.
    pub value: T,
    /// Where it is written.
    pub span: Option<Span>,
}

impl<T> At<T> {
    /// A default.
    pub(crate) fn unwritten(value: T) -> Self {
        Self { value, span: None }
    }
}

impl<T: PartialEq> PartialEq for At<T> {
    /// By value: where something is written makes no difference.
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl<T: Setting> Setting for At<T> {
    const FORM: &'static str = T::FORM;

    fn read(value: &Spanned<DeValue<'_>>, findings: &mut Findings<'_>) -> Option<Self> {
        Some(Self { value: T::read(value, findings)?, span: Some(value.span()) })
    }

    fn show(&self) -> Option<String> {
        self.value.show()
    }

    fn number(&self) -> Option<u64> {
        self.value.number()
    }

    fn write_number(number: u64) -> String {
        T::write_number(number)
    }

    fn is_weaker(&self, default: &Self) -> bool {
        self.value.is_weaker(&default.value)
    }

    fn is_weak(&self) -> bool {
        self.value.is_weak()
    }
}

impl<T: Setting> Setting for Option<T> {
    const FORM: &'static str = T::FORM;

    fn read(value: &Spanned<DeValue<'_>>, findings: &mut Findings<'_>) -> Option<Self> {
        T::read(value, findings).map(Some)
    }

    fn show(&self) -> Option<String> {
        self.as_ref().and_then(Setting::show)
    }

    fn number(&self) -> Option<u64> {
        self.as_ref().and_then(Setting::number)
    }

    fn write_number(number: u64) -> String {
        T::write_number(number)
    }

    fn is_weaker(&self, default: &Self) -> bool {
        match (self, default) {
            (Some(own), Some(default)) => own.is_weaker(default),
            (Some(own), None) => own.is_weak(),
            (None, _) => false,
        }
    }
}

/// Reads a value and judges it by the option's range.
pub(crate) fn read_within<T: Setting>(
    option: &OptionDef,
    value: &Spanned<DeValue<'_>>,
    findings: &mut Findings<'_>,
) -> Option<T> {
    let read = T::read(value, findings)?;
    if let (Some((least, most)), Some(number)) = (option.range, read.number())
        && !(least..=most).contains(&number)
    {
        let (least, most) = (T::write_number(least), T::write_number(most));
        let what = format!("{} is out of range", T::write_number(number));
        findings.fault("range", Some(&value.span()), what, format!("write {least} to {most}"));
        return None;
    }
    Some(read)
}

/// Tells of a key that nobody knows.
pub(crate) fn unknown<'n>(
    key: &Spanned<impl AsRef<str>>,
    known: impl Iterator<Item = &'n str> + Clone,
    findings: &mut Findings<'_>,
) {
    let written = key.get_ref().as_ref();
    let list = known.clone().collect::<Vec<_>>().join(", ");
    let remedy = match nearest(written, known) {
        Some(meant) => format!("did you mean `{meant}`? Known here: {list}"),
        None => format!("take it out. Known here: {list}"),
    };
    let shown: String = written.chars().take(64).map(crate::findings::printable).collect();
    findings.stray("unknown-key", &key.span(), format!("`{shown}` is not known"), remedy);
}

/// Tells of a value of the wrong type.
pub(crate) fn wrong_type(value: &Spanned<DeValue<'_>>, wanted: &str, findings: &mut Findings<'_>) {
    let what = format!("this is of type {}", value.get_ref().type_str());
    findings.fault("type", Some(&value.span()), what, format!("write {wanted}"));
}

/// Defines a section: each option is `"key" field: Type = default, live|restart [, within least => most] [, opens
/// "what becomes weaker"];` under its doc comment.
macro_rules! section {
    (
        $(#[doc = $about:literal])+
        $vis:vis struct $name:ident in $path:literal {
            $(
                $(#[doc = $doc:literal])+
                $key:literal $field:ident: $type:ty = $default:expr, $change:ident
                $(, within $least:expr => $most:expr)? $(, opens $opens:literal)?;
            )+
        }
    ) => {
        $(#[doc = $about])+
        #[derive(Clone, Debug, PartialEq)]
        $vis struct $name {
            $( $(#[doc = $doc])+ pub $field: $type, )+
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $( $field: $default, )+ }
            }
        }

        impl $crate::option::Section for $name {
            const PATH: &'static str = $path;
            const ABOUT: &'static str = concat!($($about),+).trim_ascii();
            const OPTIONS: &'static [$crate::option::OptionDef] = &[ $( $crate::option::OptionDef {
                key: $key,
                form: <$type as $crate::option::Setting>::FORM,
                about: concat!($($doc),+).trim_ascii(),
                change: $crate::option::section!(@change $change),
                range: $crate::option::section!(@maybe $(($least, $most))?),
                opens: $crate::option::section!(@maybe $($opens)?),
            }, )+ ];

            fn set(
                &mut self,
                option: &$crate::option::OptionDef,
                value: &toml::Spanned<toml::de::DeValue<'_>>,
                findings: &mut $crate::findings::Findings<'_>,
            ) {
                match option.key {
                    $( $key => {
                        if let Some(value) = $crate::option::read_within(option, value, findings) {
                            self.$field = value;
                        }
                    } )+
                    _ => {}
                }
            }

            fn stated(&self, prefix: &str) -> Vec<$crate::option::Stated> {
                use $crate::option::Setting;
                let default = Self::default();
                let mut options = Self::OPTIONS.iter();
                let mut stated = Vec::new();
                $( if let (Some(option), Some(value)) = (options.next(), self.$field.show()) {
                    let weakens = option.opens.is_some() && self.$field.is_weaker(&default.$field);
                    let key = format!("{prefix}.{}", option.key);
                    stated.push($crate::option::Stated { key, value, weakens, option });
                } )+
                stated
            }
        }
    };
    (@change live) => { $crate::option::Change::Live };
    (@change restart) => { $crate::option::Change::Restart };
    (@maybe) => { None };
    (@maybe $value:expr) => { Some($value) };
}
pub(crate) use section;

#[cfg(test)]
mod tests;
