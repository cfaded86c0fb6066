/** A captured session with a real server (test/fixtures/ovsdb), and a replica that takes what is in it. */
import { readFileSync } from 'node:fs';
import type { Incoming } from '../../../src/jsonrpc/envelope.ts';
import { Members } from '../../../src/jsonrpc/members.ts';
import { codecsOf } from '../../../src/ovsdb/replica/codecs.ts';
import { openVSwitch } from '../../../src/ovsdb/generated/vswitch.ts';
import { readUpdate } from '../../../src/ovsdb/client/monitor.ts';
import { Replica } from '../../../src/ovsdb/replica/replica.ts';
import { RowCodec, type DecodedRow } from '../../../src/ovsdb/replica/row.ts';

const FILE = new URL('../../fixtures/ovsdb/ovs-3.1.0-session.json', import.meta.url);

/** The bytes of the whole session. */
export const SESSION: Buffer = readFileSync(FILE);

const HELD = {
  Open_vSwitch: ['bridges', 'next_cfg', 'external_ids'],
  Bridge: ['name', 'ports', 'other_config', 'flood_vlans', 'fail_mode'],
  Port: ['name', 'tag', 'trunks', 'external_ids', 'qos'],
  QoS: ['type', 'queues', 'other_config'],
  Queue: ['dscp', 'external_ids'],
  Interface: ['name', 'statistics', 'mac', 'error', 'ofport'],
};

const ROW_CODECS: ReadonlyMap<string, RowCodec> = new Map(
  Object.entries(HELD).map(([table, columns]) => {
    const codec = codecsOf(openVSwitch).get(table);
    if (!codec) throw new Error(`no ${table}`);
    return [table, new RowCodec(codec, columns)];
  }),
);

/** A replica that follows one of the session's three monitors. @param answer the id of the answer with its first copy */
export class Follower {
  readonly replica = new Replica();
  readonly #answer: number;
  readonly #monitor: string;
  /** True row changes that it has seen. */
  changes = 0;

  constructor(answer: 5 | 6 | 7) {
    this.#answer = answer;
    this.#monitor = JSON.stringify({ 5: 'plain', 6: 'cond', 7: ['since', 7] }[answer]);
  }

  /** Takes what is for it. */
  take(incoming: Incoming): void {
    if (incoming.kind === 'success' && incoming.message.id === this.#answer) {
      const result: unknown = incoming.message.result;
      const updates: unknown = this.#answer === 7 && Array.isArray(result) ? result[2] : result;
      this.#see(this.replica.load(ROW_CODECS, updates, this.#answer === 5 ? 1 : 2));
    } else if (incoming.kind === 'notification') {
      const update = readUpdate(incoming.message.method, incoming.message.params as readonly unknown[]);
      if (update && JSON.stringify(update.id) === this.#monitor)
        this.#see(this.replica.apply(update.updates, update.form));
    }
  }

  /** The rows, plain enough to compare, in an order that does not depend on how they came. */
  get content(): readonly (readonly [table: string, rows: readonly DecodedRow[]])[] {
    return [...this.replica.tables].map(([name, rows]) => [
      name,
      [...rows.keys()].sort().map((uuid) => ({ ...rows.get(uuid) })),
    ]);
  }

  #see(changes: Iterable<unknown> | undefined): void {
    this.changes += [...(changes ?? [])].length;
  }
}

/** A message's value with large objects whole: what `JSON.parse` alone would give. */
export function whole(value: unknown): unknown {
  if (value instanceof Members) {
    const members: [string, unknown][] = [];
    for (const batch of value.batches()) members.push(...Object.entries(batch));
    return Object.fromEntries(members);
  }
  if (Array.isArray(value)) return value.map(whole);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, whole(member)]));
}
