use proptest::prelude::*;

use super::*;

fn any_entry() -> impl Strategy<Value = Entry> {
    (any::<(u64, u64)>(), any::<[u32; 4]>()).prop_map(|((seq, meta), [frame, offset, len, fan])| Entry {
        seq,
        meta,
        place: Place { frame, offset, len, fan },
    })
}

fn any_runs() -> impl Strategy<Value = Vec<Run>> {
    let run = (any::<u64>(), any::<bool>(), any::<u64>(), any::<u64>(), 1..1000_u32);
    proptest::collection::vec(run, 0..30).prop_map(|list| {
        let mut start = 0;
        list.into_iter()
            .map(|(stream, stray, one, two, count)| {
                let run = Run {
                    stream: StreamId(stream),
                    stray,
                    first: one.min(two),
                    last: one.max(two),
                    start,
                    count,
                };
                start += count;
                run
            })
            .collect()
    })
}

fn any_blocks() -> impl Strategy<Value = Vec<BlockAt>> {
    let block = any::<(u64, u32, u32, u64)>();
    proptest::collection::vec(block.prop_map(|(at, len, crc, first)| BlockAt { at, len, crc, first }), 0..30)
}

proptest! {
    #[test]
    fn blocks_are_read_as_written(entries in proptest::collection::vec(any_entry(), 0..50)) {
        let mut out = Vec::new();
        encode_block(&mut out, &entries.iter().collect::<Vec<_>>());
        prop_assert_eq!(decode_block(&out), Ok(entries));
    }

    #[test]
    fn directories_are_read_as_written(runs in any_runs(), blocks in any_blocks()) {
        let mut out = Vec::new();
        encode_directory(&mut out, &runs, &blocks);
        prop_assert_eq!(decode_directory(&out), Ok((runs, blocks)));
    }

    #[test]
    fn changed_bytes_are_read_or_refused_without_panic(
        entries in proptest::collection::vec(any_entry(), 1..20),
        runs in any_runs(),
        blocks in any_blocks(),
        edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut: prop::sample::Index,
    ) {
        let (mut block, mut directory) = (Vec::new(), Vec::new());
        encode_block(&mut block, &entries.iter().collect::<Vec<_>>());
        encode_directory(&mut directory, &runs, &blocks);
        for bytes in [&mut block, &mut directory] {
            for (at, value) in &edits {
                let at = at.index(bytes.len());
                bytes[at] = *value;
            }
            bytes.truncate(cut.index(bytes.len() + 1));
        }
        if let Ok(entries) = decode_block(&block) {
            prop_assert!(entries.len() * LEAST_ENTRY <= block.len());
        }
        if let Ok((runs, blocks)) = decode_directory(&directory) {
            prop_assert!(runs.len() * LEAST_RUN + blocks.len() * LEAST_BLOCK <= directory.len());
            prop_assert!(runs.windows(2).all(|pair| pair[0].end() == pair[1].start));
        }
    }

    #[test]
    fn garbage_is_refused_without_panic(bytes: Vec<u8>) {
        let _ = decode_block(&bytes);
        let _ = decode_directory(&bytes);
        prop_assert_eq!(read_footer(&bytes), None);
    }
}

#[test]
fn neighbouring_entries_take_a_few_bytes_each() {
    let entry = |n: u32| Entry {
        seq: 1_000_000 + u64::from(n),
        meta: 1_700_000_000_000 + u64::from(n),
        place: Place { frame: 8192 + n / 64 * 20_000, offset: n % 64 * 280, len: 256, fan: 1 },
    };
    let entries: Vec<Entry> = (0..BLOCK).map(entry).collect();
    let mut out = Vec::new();
    encode_block(&mut out, &entries.iter().collect::<Vec<_>>());
    assert!(out.len() < 8 * entries.len(), "{} bytes for {} entries", out.len(), entries.len());
}

#[test]
fn a_footer_is_read_as_written_and_not_otherwise() {
    let mut out = Vec::new();
    write_footer(&mut out, 77, 8, 9);
    assert_eq!(out.len(), FOOTER_LEN);
    assert_eq!(read_footer(&out), Some((77, 8, 9)));
    out[3] ^= 1;
    assert_eq!(read_footer(&out), None);
}
