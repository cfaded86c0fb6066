/** Groups: what they are, and their counters (OpenFlow 1.3.5 §7.3.5.9 to §7.3.5.11; 1.5.1 §7.3.5.10). Pure. */
import { toCounter, type Counter } from '../units/counter.ts';
import { decodeActions, type Action } from './actions.ts';
import { decodeDuration } from './duration.ts';
import type { Statistic } from './multipart.ts';
import { OPENFLOW_15, requireBytes, sizedEntries, splitEntries } from './wire.ts';

/** `OFPG_ALL` */
const ALL_GROUPS = 0xfffffffc;
/** Bytes of `ofp_group_stats` before its buckets, and of each bucket. */
const STATS_BYTES = 40;
const BUCKET_STATS_BYTES = 16;
/** Bytes of `ofp_group_desc` before its buckets, in OpenFlow 1.5 too for those that end it, and of each before its actions. */
const DESCRIPTION_BYTES = 8;
const DESCRIPTION_BYTES_15 = 16;
const BUCKET_BYTES = 16;
const BUCKET_BYTES_15 = 8;
const FEATURES_BYTES = 40;

/** `ofp_group_type`, by number. */
const GROUP_TYPES = ['all', 'select', 'indirect', 'fast-failover'] as const;
export type GroupType = (typeof GROUP_TYPES)[number] | 'other';

export interface BucketStats {
  readonly packets: Counter;
  readonly bytes: Counter;
}

export interface GroupStats {
  readonly group: number;
  /** How many rules and groups use it. */
  readonly users: number;
  readonly packets: Counter;
  readonly bytes: Counter;
  /** How long it has been there; `undefined` where the switch does not say. */
  readonly durationMs: number | undefined;
  readonly buckets: readonly BucketStats[];
}

export interface Group {
  readonly group: number;
  readonly type: GroupType;
  readonly buckets: readonly (readonly Action[])[];
}

export interface GroupFeatures {
  /** How many groups of each type there may be; those of types that the switch does not have are left out. */
  readonly maxGroups: ReadonlyMap<GroupType, number>;
}

/** An entry for each group. */
export const GROUP_STATS: Statistic<GroupStats> = {
  what: 'group statistics',
  multipartType: 6,
  request: askForAll,
  decode: (body) =>
    sizedEntries(body, STATS_BYTES, 'group statistics').map((entry) => ({
      group: entry.readUInt32BE(4),
      users: entry.readUInt32BE(8),
      packets: toCounter(entry.readBigUInt64BE(16)),
      bytes: toCounter(entry.readBigUInt64BE(24)),
      durationMs: decodeDuration(entry, 32),
      buckets: splitEntries(entry.subarray(STATS_BYTES), BUCKET_STATS_BYTES, 'bucket statistics').map(
        (bucket) => ({
          packets: toCounter(bucket.readBigUInt64BE(0)),
          bytes: toCounter(bucket.readBigUInt64BE(8)),
        }),
      ),
    })),
};

/** An entry for each group, with what its buckets do. */
export const GROUPS: Statistic<Group> = {
  what: 'groups',
  multipartType: 7,
  // Only since OpenFlow 1.5 can one of them be asked for.
  request: (version) => (version === OPENFLOW_15 ? askForAll() : Buffer.alloc(0)),
  decode: (body, version) =>
    sizedEntries(body, DESCRIPTION_BYTES, 'a group').map((entry) => ({
      group: entry.readUInt32BE(4),
      type: GROUP_TYPES[entry.readUInt8(2)] ?? 'other',
      buckets: version === OPENFLOW_15 ? decodeBuckets15(entry) : decodeBuckets(entry),
    })),
};

/** One entry. */
export const GROUP_FEATURES: Statistic<GroupFeatures> = {
  what: 'group features',
  multipartType: 8,
  request: () => Buffer.alloc(0),
  decode: (body) =>
    splitEntries(body, FEATURES_BYTES, 'group features').map((entry) => {
      const types = entry.readUInt32BE(0);
      const known = [...GROUP_TYPES.entries()].filter(([number]) => ((types >>> number) & 1) === 1);
      return {
        maxGroups: new Map(known.map(([number, type]) => [type, entry.readUInt32BE(8 + number * 4)])),
      };
    }),
};

function askForAll(): Buffer {
  const body = Buffer.alloc(8);
  body.writeUInt32BE(ALL_GROUPS, 0);
  return body;
}

function decodeBuckets(entry: Buffer): Action[][] {
  return sizedEntries(entry.subarray(DESCRIPTION_BYTES), BUCKET_BYTES, 'a bucket').map((bucket) =>
    decodeActions(bucket, BUCKET_BYTES, bucket.length),
  );
}

/** Since OpenFlow 1.5 an entry says where its buckets end, and a bucket where its actions do; then come properties. */
function decodeBuckets15(entry: Buffer): Action[][] {
  requireBytes(entry, 0, DESCRIPTION_BYTES_15, 'a group');
  const bucketsBytes = entry.readUInt16BE(8);
  requireBytes(entry, DESCRIPTION_BYTES_15, bucketsBytes, 'the buckets of a group');
  const buckets = entry.subarray(DESCRIPTION_BYTES_15, DESCRIPTION_BYTES_15 + bucketsBytes);
  return sizedEntries(buckets, BUCKET_BYTES_15, 'a bucket').map((bucket) => {
    const actionsBytes = bucket.readUInt16BE(2);
    requireBytes(bucket, BUCKET_BYTES_15, actionsBytes, 'the actions of a bucket');
    return decodeActions(bucket, BUCKET_BYTES_15, BUCKET_BYTES_15 + actionsBytes);
  });
}
