/** The name of a row that a transaction inserts. */
import type { Uuid } from './schema.ts';

/** A row that a transaction inserts, to be named by its other operations before it has a UUID. */
export class Ref<Table extends string = string> {
  readonly table: string;
  /** The name inside of the transaction (RFC 7047 §5.1 `<named-uuid>`). */
  readonly name: string;
  /** Which of the transaction's operations inserts it, from 0. */
  readonly index: number;
  /** The UUID that it was given; `undefined`: the server chooses one. */
  readonly uuid: Uuid<Table> | undefined;

  constructor(table: Table, name: string, index: number, uuid?: Uuid<Table>) {
    this.table = table;
    this.name = name;
    this.index = index;
    this.uuid = uuid;
  }
}
