//! What two sides agree on before anything else (openwire.md, section 8).

use bytes::{Bytes, BytesMut};
use keepmq_model::{Text, Value};

use super::primitive::{Values, put_map};
use super::wire::WireFormatInfo;

/// The first bytes of every connection's first command.
pub const MAGIC: [u8; 8] = *b"ActiveMQ";
/// The newest version that is spoken.
pub const NEWEST: u8 = 12;

/// Longest name or text among the properties.
const LONGEST: usize = 512;
/// Most properties.
const MOST: usize = 64;
/// A table of fewer places than this makes the original's writer loop for ever (openwire.md, section 6).
const SMALLEST_CACHE: i64 = 100;

/// What one side would like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// The newest version that it speaks.
    pub version: i64,
    /// Whether it would use the tight encoding.
    pub tight: bool,
    /// Whether it would send known values by number.
    pub cache: bool,
    /// How many.
    pub cache_size: i64,
    /// Whether it would have stack traces.
    pub stack_traces: bool,
    /// After how many milliseconds of silence a connection is broken; 0 is never.
    pub max_inactivity_ms: i64,
    /// For how many milliseconds that is not looked at in the beginning.
    pub initial_delay_ms: i64,
    /// Longest frame in bytes; 0 is not said.
    pub max_frame: i64,
}

impl Default for Offer {
    /// What the broker offers (openwire.md, section 8.3). Nobody reads a broker's stack traces.
    fn default() -> Self {
        Self {
            version: NEWEST.into(),
            tight: true,
            cache: true,
            cache_size: 1024,
            stack_traces: false,
            max_inactivity_ms: 30_000,
            initial_delay_ms: 10_000,
            max_frame: 100 * 1024 * 1024,
        }
    }
}

/// What both sides agree on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Negotiated {
    /// The version.
    pub version: u8,
    /// The tight encoding.
    pub tight: bool,
    /// Known values go by number, so many of them.
    pub cache: Option<usize>,
    /// Exceptions bring stack traces.
    pub stack_traces: bool,
    /// After how many milliseconds of silence the connection is broken; 0 is never.
    pub max_inactivity_ms: u64,
    /// For how many milliseconds that is not looked at in the beginning.
    pub initial_delay_ms: u64,
}

impl Offer {
    /// Reads the other side's. An old client that says nothing has everything off.
    pub fn read(info: &WireFormatInfo) -> Result<Self, &'static str> {
        if info.magic != MAGIC {
            return Err("this is not OpenWire: its magic word is missing");
        }
        let properties = properties(info.marshalled_properties.as_ref())?;
        let get = |name: &str| properties.iter().find(|(key, _)| **key == *name).map(|(_, value)| value);
        let flag = |name: &str| matches!(get(name), Some(Value::Bool(true)));
        let number = |name: &str| match get(name) {
            Some(Value::I64(number)) => *number,
            Some(Value::I32(number)) => i64::from(*number),
            _ => 0,
        };
        Ok(Self {
            version: info.version.into(),
            tight: flag("TightEncodingEnabled"),
            cache: flag("CacheEnabled"),
            cache_size: number("CacheSize"),
            stack_traces: flag("StackTraceEnabled"),
            max_inactivity_ms: number("MaxInactivityDuration"),
            initial_delay_ms: number("MaxInactivityDurationInitalDelay"),
            max_frame: number("MaxFrameSize"),
        })
    }

    /// As a command. The key with the misspelt word is as it is.
    pub fn info(&self, version: &str) -> WireFormatInfo {
        let text = |text: &str| Value::Text(Text::from(text));
        let cache_size = Value::I32(i32::try_from(self.cache_size).unwrap_or(i32::MAX));
        let pairs = [
            ("TightEncodingEnabled", Value::Bool(self.tight)),
            ("CacheEnabled", Value::Bool(self.cache)),
            ("CacheSize", cache_size),
            ("StackTraceEnabled", Value::Bool(self.stack_traces)),
            ("TcpNoDelayEnabled", Value::Bool(true)),
            ("SizePrefixDisabled", Value::Bool(false)),
            ("MaxInactivityDuration", Value::I64(self.max_inactivity_ms)),
            ("MaxInactivityDurationInitalDelay", Value::I64(self.initial_delay_ms)),
            ("MaxFrameSize", Value::I64(self.max_frame)),
            ("MaxFrameSizeEnabled", Value::Bool(true)),
            ("ProviderName", text("KeepMQ")),
            ("ProviderVersion", text(version)),
        ];
        let mut properties = BytesMut::new();
        put_map(&mut properties, pairs.iter().map(|(name, value)| (*name, value)));
        WireFormatInfo {
            magic: MAGIC,
            version: i32::try_from(self.version).unwrap_or(NEWEST.into()),
            marshalled_properties: Some(properties.freeze()),
        }
    }

    /// What both agree on (openwire.md, section 8.1).
    pub fn negotiate(&self, theirs: &Self) -> Result<Negotiated, &'static str> {
        let least = |ours: i64, theirs: i64| ours.min(theirs).max(0);
        let version = u8::try_from(self.version.min(theirs.version)).ok().filter(|version| *version > 0);
        let cache_size =
            if theirs.cache_size > 0 { least(self.cache_size, theirs.cache_size) } else { self.cache_size };
        // Numbers that the peer's own writer can't work with: better none at all.
        let cache = self.cache && theirs.cache;
        if cache && cache_size < SMALLEST_CACHE {
            return Err("a cache of fewer than 100 values can't be worked with: CacheSize");
        }
        Ok(Negotiated {
            version: version.ok_or("the version is below 1")?,
            tight: self.tight && theirs.tight,
            cache: cache.then(|| usize::try_from(cache_size).unwrap_or_default()),
            stack_traces: self.stack_traces && theirs.stack_traces,
            max_inactivity_ms: least(self.max_inactivity_ms, theirs.max_inactivity_ms).unsigned_abs(),
            initial_delay_ms: least(self.initial_delay_ms, theirs.initial_delay_ms).unsigned_abs(),
        })
    }
}

/// They are read before login: few, short and flat.
fn properties(bytes: Option<&Bytes>) -> Result<Vec<(Text, Value)>, &'static str> {
    let Some(bytes) = bytes else { return Ok(Vec::new()) };
    let map = Values::new(bytes).map().map_err(|_| "the wire format's properties can't be read")?;
    let fits = |value: &Value| match value {
        Value::Text(text) => text.len() <= LONGEST,
        Value::List(_) | Value::Map(_) | Value::Bytes(_) => false,
        _ => true,
    };
    if map.len() > MOST || !map.iter().all(|(name, value)| name.len() <= LONGEST && fits(value)) {
        return Err("the wire format has more properties, or longer ones, than any client needs");
    }
    Ok(map)
}
