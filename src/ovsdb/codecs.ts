/** The compiled codecs of a database's tables, made once per schema. What one column's codec does: datum.ts. */
import { compileColumn, type ColumnCodec } from './datum.ts';
import type { ColumnSchema, DatabaseSchema } from './schema.ts';

/** A table's columns by name. */
export interface TableCodec {
  readonly name: string;
  readonly columns: ReadonlyMap<string, ColumnCodec>;
}

const compiled = new WeakMap<object, ReadonlyMap<string, TableCodec>>();

/** The codecs of a schema's tables, by name; the same object for the same schema. */
export function codecsOf<Tables>(schema: DatabaseSchema<Tables>): ReadonlyMap<string, TableCodec> {
  const known = compiled.get(schema);
  if (known) return known;
  const tables: Readonly<Record<string, { readonly columns: Readonly<Record<string, ColumnSchema>> }>> =
    schema.tables;
  const codecs = new Map<string, TableCodec>();
  for (const [name, table] of Object.entries(tables)) {
    const columns = Object.entries(table.columns).map(
      ([column, type]) => [column, compileColumn(name, column, type)] as const,
    );
    codecs.set(name, { name, columns: new Map(columns) });
  }
  compiled.set(schema, codecs);
  return codecs;
}
