/** Meters: what they are, and their counters (OpenFlow 1.3.5 §7.3.5.12 to §7.3.5.14). Pure. */
import { toCounter, type Counter } from '../units/counter.ts';
import { decodeDuration } from './duration.ts';
import type { Statistic } from './multipart.ts';
import { requireBytes, sizedEntries, splitEntries } from './wire.ts';

/** `OFPM_ALL` */
const ALL_METERS = 0xffffffff;
/** Bytes of `ofp_meter_stats` before its bands, and of each; its length is behind its number. */
const STATS_BYTES = 40;
const STATS_LENGTH_OFFSET = 4;
const BAND_STATS_BYTES = 16;
/** Bytes of `ofp_meter_config` before its bands, and of each at least; its length is behind its type. */
const CONFIG_BYTES = 8;
const BAND_BYTES = 12;
const BAND_LENGTH_OFFSET = 2;
const FEATURES_BYTES = 16;

/** `ofp_meter_flags`: rates count packets; else kilobits. */
const PACKETS_FLAG = 2;
/** `ofp_meter_band_type`, by number. */
const BAND_TYPES: ReadonlyMap<number, BandType> = new Map([
  [1, 'drop'],
  [2, 'dscp-remark'],
]);
type BandType = 'drop' | 'dscp-remark' | 'other';

export interface BandStats {
  /** What was above the band's rate. */
  readonly packets: Counter;
  readonly bytes: Counter;
}

export interface MeterStats {
  readonly meter: number;
  readonly rules: number;
  /** What came to the meter. */
  readonly packets: Counter;
  readonly bytes: Counter;
  /** How long it has been there; `undefined` where the switch does not say. */
  readonly durationMs: number | undefined;
  readonly bands: readonly BandStats[];
}

export interface MeterBand {
  readonly type: BandType;
  /** In the meter's unit for a second. */
  readonly rate: number;
  /** In the meter's unit. */
  readonly burst: number;
}

export interface Meter {
  readonly meter: number;
  readonly unit: 'kilobits' | 'packets';
  readonly bands: readonly MeterBand[];
}

export interface MeterFeatures {
  /** 0 where the datapath has no meters. */
  readonly maxMeters: number;
  readonly maxBands: number;
}

/** An entry for each meter. */
export const METER_STATS: Statistic<MeterStats> = {
  what: 'meter statistics',
  multipartType: 9,
  request: askForAll,
  decode: (body) =>
    sizedEntries(body, STATS_BYTES, 'meter statistics', STATS_LENGTH_OFFSET).map((entry) => ({
      meter: entry.readUInt32BE(0),
      rules: entry.readUInt32BE(12),
      packets: toCounter(entry.readBigUInt64BE(16)),
      bytes: toCounter(entry.readBigUInt64BE(24)),
      durationMs: decodeDuration(entry, 32),
      bands: splitEntries(entry.subarray(STATS_BYTES), BAND_STATS_BYTES, 'band statistics').map((band) => ({
        packets: toCounter(band.readBigUInt64BE(0)),
        bytes: toCounter(band.readBigUInt64BE(8)),
      })),
    })),
};

/** An entry for each meter, with its rates. */
export const METERS: Statistic<Meter> = {
  what: 'meters',
  multipartType: 10,
  request: askForAll,
  decode: (body) =>
    sizedEntries(body, CONFIG_BYTES, 'a meter').map((entry) => ({
      meter: entry.readUInt32BE(4),
      unit: (entry.readUInt16BE(2) & PACKETS_FLAG) === 0 ? 'kilobits' : 'packets',
      bands: sizedEntries(entry.subarray(CONFIG_BYTES), BAND_BYTES, 'a band', BAND_LENGTH_OFFSET).map(
        (band) => ({
          type: BAND_TYPES.get(band.readUInt16BE(0)) ?? 'other',
          rate: band.readUInt32BE(4),
          burst: band.readUInt32BE(8),
        }),
      ),
    })),
};

/** One entry. */
export const METER_FEATURES: Statistic<MeterFeatures> = {
  what: 'meter features',
  multipartType: 11,
  request: () => Buffer.alloc(0),
  decode(body) {
    // OpenFlow 1.5 has 8 bytes more, which Open vSwitch 3.1 leaves out.
    requireBytes(body, 0, FEATURES_BYTES, 'meter features');
    return [{ maxMeters: body.readUInt32BE(0), maxBands: body.readUInt8(12) }];
  },
};

function askForAll(): Buffer {
  const body = Buffer.alloc(8);
  body.writeUInt32BE(ALL_METERS, 0);
  return body;
}
