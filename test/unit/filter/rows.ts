import type { FilterSource } from '../../../src/filter/fields.ts';

/** A row with one field of each type. */
export interface Row {
  readonly vm?: string | readonly string[];
  readonly mac?: string;
  readonly src?: string;
  readonly proto?: number;
  readonly dport?: number;
  readonly rate?: number;
  readonly bytes?: bigint;
  readonly pps?: number;
  readonly age?: number;
}

export const ROWS: FilterSource<Row> = {
  rows: 'rows',
  fields: {
    vm: (row) => row.vm,
    mac: (row) => row.mac,
    src: (row) => row.src,
    proto: (row) => row.proto,
    dport: (row) => row.dport,
    rate: (row) => row.rate,
    bytes: (row) => row.bytes,
    pps: (row) => row.pps,
    age: (row) => row.age,
  },
};
