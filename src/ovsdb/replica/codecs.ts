/** The compiled codecs of a database's tables, made once per schema. What one column's codec does: datum.ts. */
import { fail } from '../../errors.ts';
import { compileColumn, type ColumnCodec } from '../schema/datum.ts';
import { uniqueIndex, type RowIndex } from './indexes.ts';
import type { ColumnSchema, DatabaseSchema } from '../schema/schema.ts';

/** A table's columns by name. */
export interface TableCodec {
  readonly name: string;
  readonly columns: ReadonlyMap<string, ColumnCodec>;
  /** By what no two of its rows can be the same. */
  readonly uniques: readonly RowIndex[];
}

interface TableShape {
  readonly columns: Readonly<Record<string, ColumnSchema>>;
  readonly indexes: readonly (readonly string[])[];
}

const compiled = new WeakMap<object, ReadonlyMap<string, TableCodec>>();

/** The codecs of a schema's tables, by name; the same object for the same schema. @throws OVSDB_SCHEMA_INVALID */
export function codecsOf<Tables>(schema: DatabaseSchema<Tables>): ReadonlyMap<string, TableCodec> {
  const known = compiled.get(schema);
  if (known) return known;
  const tables: Readonly<Record<string, TableShape>> = schema.tables;
  const codecs = new Map<string, TableCodec>();
  for (const [name, table] of Object.entries(tables)) {
    const columns = Object.entries(table.columns).map(([column, type]) => {
      // From JavaScript: the JSON of a schema in place of what parseSchema makes of it.
      if (!Object.hasOwn(type, 'key'))
        throw fail('OVSDB_SCHEMA_INVALID', {
          place: `column "${column}" of table "${name}"`,
          why: 'is as in a file: read the JSON by parseSchema',
        });
      return [column, compileColumn(name, column, type)] as const;
    });
    const uniques = table.indexes.map((names) => uniqueIndex(name, names));
    codecs.set(name, { name, columns: new Map(columns), uniques });
  }
  compiled.set(schema, codecs);
  return codecs;
}
