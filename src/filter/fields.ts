/**
 * The fields that a filter may name, each with its type. Which of them a view has, and where it takes them from, is said by
 * the view ({@link FilterSource}). docs/filter.md has the same table. Pure.
 */

/** What values a field is compared with, and how they are written. */
export type FieldType =
  'text' | 'mac' | 'address' | 'protocol' | 'port-number' | 'bit-rate' | 'byte-count' | 'count' | 'duration';

interface Field {
  readonly type: FieldType;
  /** Values that are always worth suggesting. */
  readonly usual?: readonly string[];
}

const OTHER_ENDS = ['uplink', 'flood', 'host', 'unknown'];

/** Every field by its name, in the order in which they are suggested. */
export const FIELDS = {
  vm: { type: 'text' },
  from: { type: 'text', usual: OTHER_ENDS },
  to: { type: 'text', usual: OTHER_ENDS },
  nic: { type: 'text' },
  network: { type: 'text' },
  bridge: { type: 'text' },
  port: { type: 'text' },
  topology: { type: 'text' },
  mac: { type: 'mac' },
  proto: { type: 'protocol' },
  src: { type: 'address' },
  dst: { type: 'address' },
  ip: { type: 'address' },
  sport: { type: 'port-number' },
  dport: { type: 'port-number' },
  rate: { type: 'bit-rate' },
  sent: { type: 'bit-rate' },
  received: { type: 'bit-rate' },
  pps: { type: 'count' },
  bytes: { type: 'byte-count' },
  packets: { type: 'count' },
  dropped: { type: 'count' },
  errors: { type: 'count' },
  loss: { type: 'count' },
  quality: { type: 'text', usual: ['exact', 'at-least', 'sampled*'] },
  age: { type: 'duration' },
} as const satisfies Readonly<Record<string, Field>>;

export type FieldName = keyof typeof FIELDS;

/** Every field's name, in order. */
// The keys of a constant object are its type's.
export const FIELD_NAMES = Object.keys(FIELDS) as readonly FieldName[];

/** A field by its name; `undefined` where there is none. */
export function toFieldName(text: string): FieldName | undefined {
  return FIELD_NAMES.find((name) => name === text);
}

/** @returns the field's type and usual values. */
export function fieldOf(name: FieldName): Field {
  return FIELDS[name];
}

/** True where values of the type are ordered: `<`, `<=`, `>` and `>=` make sense. */
export function isOrdered(type: FieldType): boolean {
  switch (type) {
    case 'text':
    case 'mac':
    case 'address':
    case 'protocol':
      return false;
    case 'port-number':
    case 'bit-rate':
    case 'byte-count':
    case 'count':
    case 'duration':
      return true;
  }
}

/** What a row has in a field: nothing, one value, or several texts, of which any may match. */
export type FieldValue = number | bigint | string | readonly string[] | undefined;

/** Numbers are an IANA protocol number, bit/s, bytes, milliseconds; addresses as units/cidr.ts reads them. */
type ValueOf<Name extends FieldName> = (typeof FIELDS)[Name]['type'] extends 'text' | 'mac' | 'address'
  ? string | readonly string[] | undefined
  : number | bigint | undefined;

/** A kind of rows that can be filtered: which fields they have, and how to read them. */
export interface FilterSource<Row> {
  /** What the rows are, in the plural, for messages: `pairs`. */
  readonly rows: string;
  readonly fields: { readonly [Name in FieldName]?: (row: Row) => ValueOf<Name> };
}
