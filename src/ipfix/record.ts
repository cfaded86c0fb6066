/** One data record, as its template says (RFC 7011 §3.4.3). Pure. */
import type { IpfixValues, ReadValue, ValueName } from './elements.ts';
import { VARIABLE_LENGTH, type Template, type TemplateField } from './template.ts';

/** An element that is not known here, or whose bytes do not fit its type, or that is there twice: as it came. */
export interface IpfixOther {
  /** 0: IANA's. */
  readonly enterprise: number;
  readonly id: number;
  readonly bytes: Uint8Array;
}

export interface IpfixRecord {
  readonly templateId: number;
  /**
   * In Open vSwitch the `…TotalCount` are those of the exporter, not of the record's flow; the `…DeltaCount` are the
   * flow's since its record before. `layer2OctetDeltaCount` counts whole Ethernet frames. Where it samples one packet in
   * N, it has multiplied its counts by N already. A packet has a record where it came in (`flowDirection` 0) and one for
   * each port that it left by (1).
   */
  readonly values: IpfixValues;
  /** Of the other direction (RFC 5103). */
  readonly reverse: IpfixValues | undefined;
  readonly others: readonly IpfixOther[];
  /** First and last packet, in milliseconds since 1970 by the exporter's clock. */
  readonly startedAtMs: number | undefined;
  readonly endedAtMs: number | undefined;
}

const NO_OTHERS: readonly IpfixOther[] = Object.freeze([]);

/** @returns the record at `offset` and where the next one starts, or `undefined` where it goes beyond `end`. */
export function decodeRecord(
  view: DataView,
  offset: number,
  end: number,
  template: Template,
  exportedAtMs: number,
): { readonly record: IpfixRecord; readonly next: number } | undefined {
  const values: Values = {};
  let reverse: Values | undefined;
  let others: IpfixOther[] | undefined;
  let at = offset;
  for (const field of template.fields) {
    let { length } = field;
    if (length === VARIABLE_LENGTH) {
      const prefix = prefixBytes(view, at, end);
      if (prefix === undefined) return undefined;
      length = prefix === 1 ? view.getUint8(at) : view.getUint16(at + 1);
      at += prefix;
    }
    const start = at;
    if (end - start < length) return undefined;
    at += length;
    const value = field.value?.read(view, start, length);
    if (field.value === undefined || value === undefined) {
      others ??= [];
      others.push(toOther(view, start, length, field));
    } else if (field.value.reverse) {
      reverse ??= {};
      reverse[field.value.name] = value;
    } else values[field.value.name] = value;
  }
  const record = toRecord(template.id, values, reverse, others ?? NO_OTHERS, exportedAtMs);
  return { record, next: at };
}

type Values = Partial<Record<ValueName, ReturnType<ReadValue>>>;

/**
 * How many bytes say the length of a field that has none of its own: one, or three where that is 255 (RFC 7011 §7).
 * @returns `undefined` where they go beyond `end`
 */
function prefixBytes(view: DataView, at: number, end: number): 1 | 3 | undefined {
  if (end - at < 1) return undefined;
  if (view.getUint8(at) < 255) return 1;
  return end - at < 3 ? undefined : 3;
}

function toOther(view: DataView, start: number, length: number, field: TemplateField): IpfixOther {
  // A copy: what keeps the record is not to keep the whole datagram.
  const bytes = new Uint8Array(view.buffer, view.byteOffset + start, length).slice();
  return { enterprise: field.enterprise, id: field.id, bytes };
}

function toRecord(
  templateId: number,
  filled: Values,
  filledReverse: Values | undefined,
  others: readonly IpfixOther[],
  exportedAtMs: number,
): IpfixRecord {
  // Each name was filled by the reader that elements.ts has for it, whose result is the type that IpfixValues has.
  const values = filled as IpfixValues;
  const reverse = filledReverse as IpfixValues | undefined;
  const { flowStartDeltaMicroseconds: start, flowEndDeltaMicroseconds: end } = values;
  return {
    templateId,
    values,
    reverse,
    others,
    startedAtMs: start === undefined ? undefined : exportedAtMs - toElapsedMs(start),
    endedAtMs: end === undefined ? undefined : exportedAtMs - toElapsedMs(end),
  };
}

const WRAP = 2 ** 32;
/** No flow is reported that long after it began: Open vSwitch's `cache_active_timeout` is at most 4,200 s. */
const LONGEST_US = 4_290_000_000;

/** The header's time is in whole seconds, so a packet may be younger: Open vSwitch then lets the difference wrap. */
function toElapsedMs(microseconds: number): number {
  return (microseconds > LONGEST_US ? microseconds - WRAP : microseconds) / 1000;
}
