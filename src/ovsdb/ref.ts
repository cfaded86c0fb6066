/** The name of a row that a transaction inserts. */

/** A row that a transaction inserts, to be named by its other operations before it has a UUID. */
export class Ref {
  readonly table: string;
  /** The name inside of the transaction (RFC 7047 §5.1 `<named-uuid>`). */
  readonly name: string;
  /** Which of the transaction's operations inserts it, from 0. */
  readonly index: number;

  constructor(table: string, name: string, index: number) {
    this.table = table;
    this.name = name;
    this.index = index;
  }
}
