/**
 * The rows of the held tables, kept current by monitor updates (RFC 7047 §4.1.6; ovsdb-server(7) for update2, update3).
 * An update is applied whole or not at all, and says whether anything really changed. Where they come from: monitor.ts.
 */
import { fail } from '../errors.ts';
import type { DecodedRow, RowCodec, WireRow } from './row.ts';
import { isUuid, type Uuid } from './schema.ts';
import { TableView } from './tableview.ts';

/** The shape of updates: `1` has old and new rows, `2` names the kind of change (also inside of update3). */
export type UpdateForm = 1 | 2;

type Tables = ReadonlyMap<string, TableView<DecodedRow>>;
type Changes = Map<Uuid, DecodedRow | undefined>;

export class Replica {
  #codecs: ReadonlyMap<string, RowCodec> = new Map();
  #tables: Tables = new Map();

  /** The rows by table; never changed afterwards. */
  get tables(): Tables {
    return this.#tables;
  }

  /**
   * Takes a complete copy. Rows, tables and the whole stay the same objects where they equal what was there.
   * @returns whether anything differs
   * @throws OVSDB_PROTOCOL, and then nothing is changed
   */
  load(codecs: ReadonlyMap<string, RowCodec>, updates: unknown, form: UpdateForm): boolean {
    const content = object(updates, 'the first copy');
    const tables = new Map<string, TableView<DecodedRow>>();
    let isChanged = codecs.size !== this.#tables.size;
    for (const [name, codec] of codecs) {
      const before = this.#tables.get(name);
      const rows = new Map<Uuid, DecodedRow>();
      let isSame = before !== undefined;
      const wireRows = content[name] === undefined ? {} : object(content[name], name);
      for (const uuid in wireRows) {
        const row = decodeNew(codec, toRowUuid(uuid, name), wireRows[uuid], form);
        const known = before?.get(row['_uuid'] as Uuid);
        const kept = known ? codec.sameOr(known, row) : row;
        isSame &&= kept === known;
        rows.set(kept['_uuid'] as Uuid, kept);
      }
      isSame &&= rows.size === before?.size;
      isChanged ||= !isSame;
      tables.set(name, isSame && before ? before : TableView.of(rows));
    }
    this.#codecs = codecs;
    if (isChanged) this.#tables = tables;
    return isChanged;
  }

  /**
   * Takes one transaction's changes.
   * @returns whether anything differs
   * @throws OVSDB_PROTOCOL, and then nothing is changed
   */
  apply(updates: unknown, form: UpdateForm): boolean {
    const tables = new Map(this.#tables);
    let isChanged = false;
    const content = object(updates, 'an update');
    for (const name in content) {
      const codec = this.#codecs.get(name);
      const before = this.#tables.get(name);
      if (!codec || !before)
        throw fail('OVSDB_PROTOCOL', { where: 'an update', why: `"${name}" was not asked for` });
      const changes =
        form === 1 ? readUpdate1(codec, before, content[name]) : readUpdate2(codec, before, content[name]);
      if (changes.size === 0) continue;
      tables.set(name, before.with(changes));
      isChanged = true;
    }
    if (isChanged) this.#tables = tables;
    return isChanged;
  }
}

/** `update`: `{old?, new?}` with `new` complete (RFC 7047 §4.1.6). */
function readUpdate1(codec: RowCodec, before: TableView<DecodedRow>, wireRows: unknown): Changes {
  const changes: Changes = new Map();
  const rows = object(wireRows, codec.table);
  for (const text in rows) {
    const uuid = toRowUuid(text, codec.table);
    const change = object(rows[text], codec.table);
    const known = before.get(uuid);
    if (change['new'] === undefined) changes.set(uuid, undefined);
    else {
      const row = codec.decode(uuid, object(change['new'], codec.table));
      if (!known || codec.sameOr(known, row) !== known) changes.set(uuid, row);
    }
  }
  return changes;
}

/** `update2`: one of `initial`, `insert` (initial values left out), `modify` (a diff), `delete` (ovsdb-server(7)). */
function readUpdate2(codec: RowCodec, before: TableView<DecodedRow>, wireRows: unknown): Changes {
  const changes: Changes = new Map();
  const rows = object(wireRows, codec.table);
  for (const text in rows) {
    const uuid = toRowUuid(text, codec.table);
    const change = object(rows[text], codec.table);
    if ('modify' in change) {
      const known = before.get(uuid);
      if (!known)
        throw fail('OVSDB_PROTOCOL', {
          where: codec.table,
          why: `it changes a row that is not there, ${text}`,
        });
      const row = codec.applyDiff(known, object(change['modify'], codec.table));
      if (row !== known) changes.set(uuid, row);
    } else if ('delete' in change) changes.set(uuid, undefined);
    else changes.set(uuid, decodeNew(codec, uuid, change, 2));
  }
  return changes;
}

function decodeNew(codec: RowCodec, uuid: Uuid, change: unknown, form: UpdateForm): DecodedRow {
  const { new: complete, initial, insert } = object(change, codec.table);
  return codec.decode(uuid, object(form === 1 ? complete : (initial ?? insert), codec.table));
}

function toRowUuid(text: string, table: string): Uuid {
  if (!isUuid(text)) throw fail('OVSDB_PROTOCOL', { where: table, why: 'a row is not named by a UUID' });
  return text;
}

function object(value: unknown, where: string): WireRow {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw fail('OVSDB_PROTOCOL', { where, why: 'an object was to come' });
  return value as WireRow;
}
