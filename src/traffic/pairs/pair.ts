/** Who sent how much to whom: the shapes that every source of such figures fills and every sink prints. Types only. */
import type { Counter } from '../../units/counter.ts';
import type { NicIdentity } from '../switchports.ts';

/**
 * How good a figure is: counted, every packet of it; a lower bound (≥), since packets were not seen or counts were lost;
 * multiplied up from one packet in N.
 */
export type Quality = 'exact' | 'at-least' | `sampled 1:${number}`;

/**
 * Who is at an end of traffic and is no VM's NIC: `uplink`, whatever is beyond a bridge's other devices; `flood`, who gets
 * broadcast and multicast; `host`, the host's own end of the bridge; `unknown`, nobody that the database names.
 */
export type OtherEnd = 'uplink' | 'flood' | 'host' | 'unknown';

export type PairEnd = NicIdentity | OtherEnd;

/** What one end sent to another on a bridge, since the pair was first seen. */
export interface Pair {
  readonly bridge: string;
  readonly from: PairEnd;
  readonly to: PairEnd;
  /** Totals never go back while they are shown, also where the switch forgot an idle pair meanwhile. */
  readonly packets: Counter;
  /** Of whole Ethernet frames, without preamble and checksum, as Open vSwitch counts. */
  readonly bytes: Counter;
  /** `undefined` where there is no sample to compare with. */
  readonly packetsPerSecond: number | undefined;
  readonly bitsPerSecond: number | undefined;
  readonly quality: Quality;
  /** Milliseconds since it was read. */
  readonly ageMs: number;
}
