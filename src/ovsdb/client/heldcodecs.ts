/** The codecs of a database's tables, and of those of its columns that are held. What each of them does: codecs.ts, row.ts. */
import { fail } from '../../errors.ts';
import { codecsOf, type TableCodec } from '../replica/codecs.ts';
import type { HeldColumns } from './monitor.ts';
import { RowCodec } from '../replica/row.ts';
import type { DatabaseSchema } from '../schema/schema.ts';

/** By table. */
export interface HeldCodecs {
  readonly tables: ReadonlyMap<string, TableCodec>;
  readonly rows: ReadonlyMap<string, RowCodec>;
  /** The held columns, each once: the server refuses to be asked for one twice. */
  readonly held: HeldColumns;
}

/** Makes them. @throws OVSDB_UNKNOWN_COLUMN where the schema has no such table or column */
export function heldCodecs<Tables>(schema: DatabaseSchema<Tables>, columns: HeldColumns): HeldCodecs {
  const tables = codecsOf(schema);
  const rows = new Map(
    Object.entries(columns).map(([table, held = []]) => {
      const codec = tables.get(table);
      if (!codec) throw fail('OVSDB_UNKNOWN_COLUMN', { table, column: '*' });
      return [table, new RowCodec(codec, held)] as const;
    }),
  );
  const held = Object.fromEntries(
    Object.entries(columns).map(([table, names]) => [table, [...new Set(names)]]),
  );
  return { tables, rows, held };
}
