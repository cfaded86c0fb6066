/** Snapshots made by hand: rows as the wire has them, of the columns that are named. */
import { codecsOf } from '../../src/ovsdb/replica/codecs.ts';
import { RowCodec } from '../../src/ovsdb/replica/row.ts';
import { toUuid, type DatabaseSchema, type Uuid } from '../../src/ovsdb/schema/schema.ts';
import { Snapshot } from '../../src/ovsdb/replica/snapshot.ts';
import { TableView } from '../../src/ovsdb/replica/tableview.ts';

/** A UUID that ends in a number. */
export function uuidOf(number: number): Uuid {
  return toUuid(`00000000-0000-4000-8000-${number.toString().padStart(12, '0')}`);
}

/** What a replica would show that holds these columns of these rows. */
export function snapshotOf<Tables>(
  schema: DatabaseSchema<Tables>,
  tables: Readonly<
    Record<
      string,
      {
        readonly columns: readonly string[];
        readonly rows?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
      }
    >
  >,
): Snapshot<Tables> {
  const codecs = codecsOf(schema);
  return new Snapshot<Tables>(
    new Map(
      Object.entries(tables).map(([name, { columns, rows = {} }]) => {
        const table = codecs.get(name);
        if (!table) throw new Error(`no table ${name}`);
        const codec = new RowCodec(table, columns);
        const decoded = Object.entries(rows).map(([text, row]) => {
          const uuid = toUuid(text);
          return [uuid, codec.decode(uuid, row)] as const;
        });
        return [name, TableView.of(new Map(decoded))];
      }),
    ),
  );
}
