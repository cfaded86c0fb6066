/** Samples and records alike: a format, a length, and so many bytes (sFlow 5, XDR `opaque`). Pure. */

export interface SflowRecord {
  /** Enterprise × 4096 + format; the standard's own enterprise is 0. */
  readonly format: number;
  readonly body: DataView;
}

const HEADER_BYTES = 8;

/**
 * The `count` records from `offset` on.
 * @returns `undefined` where there are fewer, or one goes beyond the end; what is behind the last is left alone
 */
export function sliceRecords(view: DataView, offset: number, count: number): SflowRecord[] | undefined {
  const records: SflowRecord[] = [];
  let at = offset;
  // The count is the sender's; the bytes that are there bound it.
  while (records.length < count) {
    if (view.byteLength - at < HEADER_BYTES) return undefined;
    const length = view.getUint32(at + 4);
    const start = at + HEADER_BYTES;
    if (view.byteLength - start < length) return undefined;
    records.push({
      format: view.getUint32(at),
      body: new DataView(view.buffer, view.byteOffset + start, length),
    });
    // XDR fills up to four bytes; agents that forget it at the very end are forgiven by the bound above.
    at = start + length + ((4 - (length % 4)) % 4);
  }
  return records;
}

/** Where a sample was taken: a class (0: interface, by ifindex; 2: physical or 3: logical entity) and its index. */
export interface SflowSource {
  readonly sourceClass: number;
  readonly sourceIndex: number;
}

/** The compact `sflow_data_source`: class in the upper 8 bits. */
export function decodeCompactSource(view: DataView, offset: number): SflowSource {
  const bits = view.getUint32(offset);
  return { sourceClass: bits >>> 24, sourceIndex: bits & 0xff_ffff };
}

/** `sflow_data_source_expanded`: two words. */
export function decodeExpandedSource(view: DataView, offset: number): SflowSource {
  return { sourceClass: view.getUint32(offset), sourceIndex: view.getUint32(offset + 4) };
}
