/**
 * The rows of the held tables, kept current by monitor updates (RFC 7047 §4.1.6; ovsdb-server(7) for update2, update3).
 * An update is applied whole or not at all, and gives what really changed. Where they come from: monitor.ts.
 */
import { fail } from '../../errors.ts';
import { Members } from '../../jsonrpc/members.ts';
import { inOneGo, type Steps } from '../../jsonrpc/steps.ts';
import { Changes, type TableChange } from './changes.ts';
import type { DecodedRow, RowCodec, WireRow } from './row.ts';
import { isUuid, type Uuid } from '../schema/schema.ts';
import { TableView } from './tableview.ts';

/** The shape of updates: `1` has old and new rows, `2` names the kind of change (also inside of update3). */
export type UpdateForm = 1 | 2;

type View = TableView<DecodedRow>;
/** The rows of a table that differ; `undefined`: gone. */
type Changed = Map<Uuid, DecodedRow | undefined>;

/** @template Tables the types of the rows, by table */
export class Replica<Tables = Readonly<Record<string, DecodedRow>>> {
  #codecs: ReadonlyMap<string, RowCodec> = new Map();
  #tables: ReadonlyMap<string, View> = new Map();

  /** The rows by table; never changed afterwards. */
  get tables(): ReadonlyMap<string, View> {
    return this.#tables;
  }

  /** As {@link loading}, at once. @throws OVSDB_PROTOCOL, and then nothing is changed */
  load(
    codecs: ReadonlyMap<string, RowCodec>,
    updates: unknown,
    form: UpdateForm,
  ): Changes<Tables> | undefined {
    return inOneGo(this.loading(codecs, updates, form));
  }

  /**
   * Takes a complete copy, a large one in steps of some milliseconds; until the last one nothing is changed. Rows, tables and the whole stay the same objects where they equal what was there.
   * @returns what differs from the copy before; `undefined` where nothing does
   * @throws OVSDB_PROTOCOL, and then nothing is changed
   */
  *loading(
    codecs: ReadonlyMap<string, RowCodec>,
    updates: unknown,
    form: UpdateForm,
  ): Steps<Changes<Tables> | undefined> {
    const content = object(updates, 'the first copy');
    const tables = new Map<string, View>();
    const changes = new Map<string, TableChange<DecodedRow>>();
    for (const [name, codec] of codecs) {
      const before = this.#tables.get(name) ?? TableView.of(new Map<Uuid, DecodedRow>(), codec.uniques);
      const isComparable = this.#codecs.get(name)?.hasSameColumns(codec) === true;
      const [after, changed] = yield* loadTable(codec, before, content[name] ?? {}, { form, isComparable });
      tables.set(name, after);
      if (changed.size > 0) changes.set(name, { before, changed });
    }
    for (const [name, before] of this.#tables)
      if (!tables.has(name) && before.size > 0) changes.set(name, { before, changed: allGone(before) });
    const isSame = changes.size === 0 && tables.size === this.#tables.size;
    this.#codecs = codecs;
    if (!isSame) this.#tables = tables;
    return changes.size === 0 ? undefined : new Changes(changes);
  }

  /**
   * Takes one transaction's changes.
   * @returns what they really changed; `undefined` where that is nothing
   * @throws OVSDB_PROTOCOL, and then nothing is changed
   */
  apply(updates: unknown, form: UpdateForm): Changes<Tables> | undefined {
    const tables = new Map(this.#tables);
    const changes = new Map<string, TableChange<DecodedRow>>();
    const content = object(updates, 'an update');
    for (const name in content) {
      const codec = this.#codecs.get(name);
      const before = this.#tables.get(name);
      if (!codec || !before)
        throw fail('OVSDB_PROTOCOL', { where: 'an update', why: `"${name}" was not asked for` });
      const changed: Changed = new Map();
      for (const wireRows of batches(content[name], name))
        for (const text in wireRows) {
          const known = before.get(text as Uuid);
          const uuid = known ? (text as Uuid) : toRowUuid(text, name);
          const row = (form === 1 ? read1 : read2)(codec, uuid, known, wireRows[text]);
          if (row !== known) changed.set(uuid, row);
          // Named twice: as in JSON, the last counts.
          else if (changed.size > 0) changed.delete(uuid);
        }
      if (changed.size === 0) continue;
      tables.set(name, before.with(changed));
      changes.set(name, { before, changed });
    }
    if (changes.size === 0) return undefined;
    this.#tables = tables;
    return new Changes(changes);
  }
}

/** A table after its complete copy, and what that changes. */
function* loadTable(
  codec: RowCodec,
  before: View,
  content: unknown,
  { form, isComparable }: { readonly form: UpdateForm; readonly isComparable: boolean },
): Steps<readonly [after: View, changed: ReadonlyMap<Uuid, DecodedRow | undefined>]> {
  const rows = new Map<Uuid, DecodedRow>();
  const kept = new Set<Uuid>();
  const take = (wireRows: WireRow) => {
    for (const text in wireRows) {
      const known = before.get(text as Uuid);
      const uuid = known ? (text as Uuid) : toRowUuid(text, codec.table);
      const { new: complete, initial, insert } = object(wireRows[text], codec.table);
      const row = codec.decode(uuid, object(form === 1 ? complete : (initial ?? insert), codec.table));
      if (known) kept.add(uuid);
      if (!known || !isComparable || codec.sameOr(known, row) !== known) rows.set(uuid, row);
      // Named twice: as in JSON, the last counts.
      else if (rows.size > 0) rows.delete(uuid);
    }
  };
  for (const wireRows of batches(content, codec.table)) {
    take(wireRows);
    // A table that came as a whole is small.
    if (content instanceof Members) yield;
  }
  // Where there was nothing, the new rows are the table.
  if (before.size === 0 && rows.size > 0) return [TableView.of(rows, codec.uniques), rows];
  const changed: Changed = rows;
  if (kept.size < before.size)
    for (const uuid of before.keys()) if (!kept.has(uuid)) changed.set(uuid, undefined);
  return [changed.size === 0 ? before : before.with(changed), changed];
}

function allGone(before: View): Changed {
  const changed: Changed = new Map();
  for (const uuid of before.keys()) changed.set(uuid, undefined);
  return changed;
}

/** A row after an `update`: `{old?, new?}` with `new` complete (RFC 7047 §4.1.6); `known` itself where it is equal. */
function read1(
  codec: RowCodec,
  uuid: Uuid,
  known: DecodedRow | undefined,
  wire: unknown,
): DecodedRow | undefined {
  const { new: complete } = object(wire, codec.table);
  if (complete === undefined) return undefined;
  const row = codec.decode(uuid, object(complete, codec.table));
  return known ? codec.sameOr(known, row) : row;
}

/** After an `update2`: one of `initial`, `insert` (initial values left out), `modify` (a diff), `delete` (ovsdb-server(7)). */
function read2(
  codec: RowCodec,
  uuid: Uuid,
  known: DecodedRow | undefined,
  wire: unknown,
): DecodedRow | undefined {
  const change = object(wire, codec.table);
  if ('modify' in change) {
    if (known) return codec.applyDiff(known, object(change['modify'], codec.table));
    throw fail('OVSDB_PROTOCOL', {
      where: codec.table,
      why: `it changes a row that is not there, ${uuid}`,
    });
  }
  if ('delete' in change) return undefined;
  const row = codec.decode(uuid, object(change['initial'] ?? change['insert'], codec.table));
  return known ? codec.sameOr(known, row) : row;
}

function toRowUuid(text: string, table: string): Uuid {
  if (!isUuid(text)) throw fail('OVSDB_PROTOCOL', { where: table, why: 'a row is not named by a UUID' });
  return text;
}

/** A table's wire rows by UUID, the large tables' some at a time. */
function batches(content: unknown, table: string): Iterable<WireRow> {
  return content instanceof Members ? content.batches() : [object(content, table)];
}

function object(value: unknown, where: string): WireRow {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw fail('OVSDB_PROTOCOL', { where, why: 'an object was to come' });
  return value as WireRow;
}
