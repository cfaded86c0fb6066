/** What a switch says of itself (OpenFlow 1.3.5 §7.3.5.1). Pure. */
import type { Statistic } from './multipart.ts';
import { decodeText, splitEntries } from './wire.ts';

/** Bytes of `ofp_desc`. */
const ENTRY_BYTES = 1056;

/** Texts for people. */
export interface SwitchDescription {
  readonly manufacturer: string;
  readonly hardware: string;
  /** For example `3.1.0`. */
  readonly software: string;
  readonly serialNumber: string;
  /** The bridge's `other_config:dp-desc`, else `None`. */
  readonly datapath: string;
}

/** One entry. */
export const SWITCH_DESCRIPTION: Statistic<SwitchDescription> = {
  what: 'description',
  multipartType: 0,
  request: () => Buffer.alloc(0),
  decode: (body) =>
    splitEntries(body, ENTRY_BYTES, 'a description').map((entry) => ({
      manufacturer: decodeText(entry, 0, 256),
      hardware: decodeText(entry, 256, 256),
      software: decodeText(entry, 512, 256),
      serialNumber: decodeText(entry, 768, 32),
      datapath: decodeText(entry, 800, 256),
    })),
};
